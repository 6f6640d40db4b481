"""Mastodon's methods for mail that nobody signs up with: https://docs.joinmastodon.org/methods/admin/.

`canonical_email_blocks` for mailboxes, `email_domain_blocks` for domains. Our hash is keyed: it is of use to nobody
else, and a hash of another server can't be taken over.
"""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post

from folkmoot.accounts.model import Page
from folkmoot.accounts.rules import clean_email
from folkmoot.gate import Action, Permit, Refused, Serves
from folkmoot.moderation.evasion import mail
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon.admin_networks import reading_to_moderate
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Services

MAILBOXES = "/api/v1/admin/canonical_email_blocks"
DOMAINS = "/api/v1/admin/email_domain_blocks"
LIMIT, LIMIT_MAX = 100, 200
_ONE = Page(limit=1)
_READ_MAILBOXES = serves(Serves.MODERATOR, Action.MODERATE, "admin:read:canonical_email_blocks")
_WRITE_MAILBOXES = serves(Serves.MODERATOR, Action.MODERATE, "admin:write:canonical_email_blocks")
_READ_DOMAINS = serves(Serves.MODERATOR, Action.MODERATE, "admin:read:email_domain_blocks")
_WRITE_DOMAINS = serves(Serves.MODERATOR, Action.MODERATE, "admin:write:email_domain_blocks")


class CanonicalEmailBlock(msgspec.Struct):
    """https://docs.joinmastodon.org/entities/Admin_CanonicalEmailBlock/. The hash is HMAC-SHA256 in hexadecimal."""

    id: str
    canonical_email_hash: str


class EmailDomainBlock(msgspec.Struct):
    """https://docs.joinmastodon.org/entities/Admin_EmailDomainBlock/. Tries are not counted: `history` is empty."""

    id: str
    domain: str
    created_at: str
    allow_with_approval: bool
    history: list[Any] = []


class Mailbox(msgspec.Struct):
    """`canonical_email_hash` is refused unless it is one of ours."""

    email: str | None = None
    canonical_email_hash: str | None = None


class NewDomain(msgspec.Struct):
    """`allow_with_approval`: such sign-ups wait for a person instead."""

    domain: str = ""
    allow_with_approval: bool = False
    other_domains: Any = None


@get(MAILBOXES, opt=_READ_MAILBOXES)
async def list_mailboxes(
    request: Request[Any, Any, Any], permit: Permit, services: Services
) -> Response[list[CanonicalEmailBlock]]:
    """Blocked mailboxes, the newest first, in pages of 100 (200 at most)."""
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    async with reading_to_moderate(services, permit) as read:
        found = await mail.mailboxes(read, asked)
    headers = link_header(request, services.site.base_url, [one.id for one in found], asked.limit)
    return Response([_mailbox(one) for one in found], headers=headers)


@get(f"{MAILBOXES}/{{block_id:str}}", opt=_READ_MAILBOXES)
async def show_mailbox(block_id: str, permit: Permit, services: Services) -> CanonicalEmailBlock:
    """One of them."""
    async with reading_to_moderate(services, permit) as read:
        found = await mail.mailboxes(read, _ONE, block_id=entity_id(block_id))
    if not found:
        raise Refused("not_found", "Record not found", status=404)
    return _mailbox(found[0])


@post(f"{MAILBOXES}/test", opt=_READ_MAILBOXES, status_code=200)
async def test_mailbox(
    request: Request[Any, Any, Any], permit: Permit, services: Services
) -> list[CanonicalEmailBlock]:
    """Whether an address is one of a blocked mailbox: a list of that block, or an empty one."""
    mark = _mark(services, await parse(request, Mailbox))
    async with reading_to_moderate(services, permit) as read:
        return [_mailbox(one) for one in await mail.mailboxes(read, _ONE, mark=mark)]


@post(MAILBOXES, opt=_WRITE_MAILBOXES, status_code=200)
async def block_mailbox(request: Request[Any, Any, Any], permit: Permit, services: Services) -> CanonicalEmailBlock:
    """Let nobody sign up with a mailbox, however its address is written."""
    mark = _mark(services, await parse(request, Mailbox))
    return _mailbox(await services.gate.act(permit, lambda acting: mail.block_mailbox(acting, mark)))


@delete(f"{MAILBOXES}/{{block_id:str}}", opt=_WRITE_MAILBOXES, status_code=200)
async def unblock_mailbox(block_id: str, permit: Permit, services: Services) -> dict[str, Any]:
    """Let people sign up with it again."""
    id_ = entity_id(block_id)
    await services.gate.act(permit, lambda acting: mail.unblock_mailbox(acting, id_))
    return {}


@get(DOMAINS, opt=_READ_DOMAINS)
async def list_mail_domains(
    request: Request[Any, Any, Any], permit: Permit, services: Services
) -> Response[list[EmailDomainBlock]]:
    """Blocked domains of mail, the newest first, in pages of 100 (200 at most)."""
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    async with reading_to_moderate(services, permit) as read:
        found = await mail.domains(read, asked)
    headers = link_header(request, services.site.base_url, [one.id for one in found], asked.limit)
    return Response([_domain(one) for one in found], headers=headers)


@get(f"{DOMAINS}/{{block_id:str}}", opt=_READ_DOMAINS)
async def show_mail_domain(block_id: str, permit: Permit, services: Services) -> EmailDomainBlock:
    """One of them."""
    async with reading_to_moderate(services, permit) as read:
        found = await mail.domains(read, _ONE, block_id=entity_id(block_id))
    if not found:
        raise Refused("not_found", "Record not found", status=404)
    return _domain(found[0])


@post(DOMAINS, opt=_WRITE_DOMAINS, status_code=200)
async def block_mail_domain(
    request: Request[Any, Any, Any], permit: Permit, services: Services
) -> EmailDomainBlock:
    """Let nobody sign up with mail of a domain, or of one below it."""
    asked = await parse(request, NewDomain)
    made = await services.gate.act(
        permit,
        lambda acting: mail.block_domain(acting, asked.domain, allow_with_approval=asked.allow_with_approval),
    )
    return _domain(made)


@delete(f"{DOMAINS}/{{block_id:str}}", opt=_WRITE_DOMAINS, status_code=200)
async def unblock_mail_domain(block_id: str, permit: Permit, services: Services) -> dict[str, Any]:
    """Let people sign up with it again."""
    id_ = entity_id(block_id)
    await services.gate.act(permit, lambda acting: mail.unblock_domain(acting, id_))
    return {}


def _mark(services: Services, asked: Mailbox) -> bytes:
    if asked.canonical_email_hash and not asked.email:
        raise Refused(
            "hash_not_taken",
            "Hashes are keyed here, so that one from elsewhere matches nobody: send the address, which isn't kept.",
            status=422,
        )
    email = clean_email(asked.email)
    if email is None:
        raise Refused("email_invalid", "This is not an e-mail address.", status=422)
    return services.marks.mailbox(email)


def _mailbox(block: mail.MailboxBlock) -> CanonicalEmailBlock:
    return CanonicalEmailBlock(str(block.id), block.mark.hex())


def _domain(block: mail.DomainBlock) -> EmailDomainBlock:
    return EmailDomainBlock(str(block.id), block.domain, timestamp(block.decided_at_ms), block.allow_with_approval)


HANDLERS: list[Any] = [
    list_mailboxes,
    show_mailbox,
    test_mailbox,
    block_mailbox,
    unblock_mailbox,
    list_mail_domains,
    show_mail_domain,
    block_mail_domain,
    unblock_mail_domain,
]
