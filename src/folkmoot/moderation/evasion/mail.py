"""Mailboxes and domains of mail that nobody signs up with: decided by moderators, asked at each sign-up."""

import re

import msgspec
from sqlalchemy import Table, delete, insert, select

from folkmoot.accounts.email import canonical_domain
from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.gate import Acting, Action, Refused
from folkmoot.storage.database import Read
from folkmoot.storage.tables.joining import email_blocks, email_domain_blocks

_DOMAIN = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)+")
_DOMAIN_CHARACTERS_MAX = 253


class MailboxBlock(msgspec.Struct, frozen=True):
    """A mailbox that nobody signs up with. The address itself is kept nowhere."""

    id: int
    mark: bytes


class DomainBlock(msgspec.Struct, frozen=True):
    """A domain of mail, and what is below it. `allow_with_approval`: a person looks, instead of a refusal."""

    id: int
    domain: str
    allow_with_approval: bool
    decided_at_ms: int


async def require_allowed(read: Read, email: str, mailbox: bytes | None) -> bool:
    """Whether a person has to look at a sign-up with this address. Raises Refused 422 for what is blocked.

    The sentence is the same for a mailbox and a domain: nobody learns of others' mailboxes by trying.
    """
    blocked = select(email_blocks.c.id).where(email_blocks.c.mark == mailbox)
    if mailbox is not None and (await read.connection.execute(blocked)).first() is not None:
        raise _not_taken()
    domain = canonical_domain(email.rpartition("@")[2])
    parts = domain.split(".")
    above = [".".join(parts[start:]) for start in range(len(parts))]
    rows = (
        await read.connection.execute(
            select(email_domain_blocks.c.allow_with_approval).where(email_domain_blocks.c.domain.in_(above))
        )
    ).all()
    if any(not row.allow_with_approval for row in rows):
        raise _not_taken()
    return bool(rows)


async def block_mailbox(acting: Acting, mark: bytes) -> MailboxBlock:
    """Let nobody sign up with this mailbox. Blocked already, it stays as it is. Accounts that have it stay."""
    acting.require(Action.MODERATE)
    known = await mailboxes(acting.tx, Page(limit=1), mark=mark)
    if known:
        return known[0]
    made = MailboxBlock(acting.tx.new_id(), mark)
    await acting.tx.connection.execute(
        insert(email_blocks).values(
            id=made.id, mark=mark, decided_by=acting.viewer.account_id, decided_at_ms=acting.now_ms
        )
    )
    return made


async def block_domain(acting: Acting, domain: str, *, allow_with_approval: bool = False) -> DomainBlock:
    """Let nobody sign up with mail of a domain or one below it. Raises Refused 422 for what is no domain, or is
    blocked."""
    acting.require(Action.MODERATE)
    clean = canonical_domain(domain.strip().removeprefix("@")) if len(domain) <= _DOMAIN_CHARACTERS_MAX else ""
    if len(clean) > _DOMAIN_CHARACTERS_MAX or not _DOMAIN.fullmatch(clean):
        raise Refused("domain_invalid", "Write a domain such as mail.example.", status=422)
    taken = select(email_domain_blocks.c.id).where(email_domain_blocks.c.domain == clean)
    if (await acting.tx.connection.execute(taken)).first() is not None:
        raise Refused("blocked_already", f"{clean} is blocked already.", status=422)
    made = DomainBlock(acting.tx.new_id(), clean, allow_with_approval, acting.now_ms)
    await acting.tx.connection.execute(
        insert(email_domain_blocks).values(**msgspec.structs.asdict(made), decided_by=acting.viewer.account_id)
    )
    return made


async def unblock_mailbox(acting: Acting, block_id: int) -> None:
    """Raises Refused 404."""
    await _remove(acting, email_blocks, block_id)


async def unblock_domain(acting: Acting, block_id: int) -> None:
    """Raises Refused 404."""
    await _remove(acting, email_domain_blocks, block_id)


async def mailboxes(
    read: Read, page: Page, *, block_id: int | None = None, mark: bytes | None = None
) -> list[MailboxBlock]:
    """A page of blocked mailboxes, the newest first; those of one id or mark."""
    statement = select(email_blocks)
    if block_id is not None:
        statement = statement.where(email_blocks.c.id == block_id)
    if mark is not None:
        statement = statement.where(email_blocks.c.mark == mark)
    rows = await rows_of_page(read, statement, email_blocks.c.id, page)
    return [MailboxBlock(row.id, row.mark) for row in rows]


async def domains(
    read: Read, page: Page, *, block_id: int | None = None, domain: str | None = None
) -> list[DomainBlock]:
    """A page of blocked domains, the newest first; the one of an id, or of a name."""
    statement = select(email_domain_blocks)
    if block_id is not None:
        statement = statement.where(email_domain_blocks.c.id == block_id)
    if domain is not None:
        statement = statement.where(email_domain_blocks.c.domain == canonical_domain(domain))
    rows = await rows_of_page(read, statement, email_domain_blocks.c.id, page)
    return [DomainBlock(row.id, row.domain, row.allow_with_approval, row.decided_at_ms) for row in rows]


async def _remove(acting: Acting, table: Table, block_id: int) -> None:
    acting.require(Action.MODERATE)
    gone = await acting.tx.connection.execute(delete(table).where(table.c.id == block_id))
    if not gone.rowcount:
        raise Refused("not_found", "There is no such block.", status=404)


def _not_taken() -> Refused:
    return Refused(
        "email_not_taken",
        "This server takes no sign-ups with this e-mail address. Use another one, or leave it out.",
        status=422,
    )
