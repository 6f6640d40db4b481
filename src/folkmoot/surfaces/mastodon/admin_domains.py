"""Mastodon's methods for hosts of other networks: https://docs.joinmastodon.org/methods/admin/domain_blocks/ and
…/domain_allows/. An allow lets one name in below another that is stopped (docs/standings.md).
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put

from folkmoot.gate import Acting, Action, Permit, Refused, Serves, Standing
from folkmoot.moderation.hosts import actions, queries
from folkmoot.moderation.hosts.model import Decided
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon.admin_networks import reading_to_moderate
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Services

BLOCKS = "/api/v1/admin/domain_blocks"
ALLOWS = "/api/v1/admin/domain_allows"
LIMIT, LIMIT_MAX = 100, 200
_READ_BLOCKS = serves(Serves.MODERATOR, Action.MODERATE, "admin:read:domain_blocks")
_WRITE_BLOCKS = serves(Serves.MODERATOR, Action.MODERATE, "admin:write:domain_blocks")
_READ_ALLOWS = serves(Serves.MODERATOR, Action.MODERATE, "admin:read:domain_allows")
_WRITE_ALLOWS = serves(Serves.MODERATOR, Action.MODERATE, "admin:write:domain_allows")
_SEVERITIES = {"silence": Standing.LIMITED, "suspend": Standing.SUSPENDED}
_WORDS = {standing: word for word, standing in _SEVERITIES.items()}

AnyRequest = Request[Any, Any, Any]


class DomainBlock(msgspec.Struct, kw_only=True):
    """https://docs.joinmastodon.org/entities/Admin_DomainBlock/."""

    id: str
    domain: str
    digest: str  # SHA-256 of the domain
    created_at: str
    severity: str
    reject_media: bool = False
    reject_reports: bool = False
    private_comment: str | None
    public_comment: str | None
    obfuscate: bool = False


class DomainAllow(msgspec.Struct):
    """https://docs.joinmastodon.org/entities/Admin_DomainAllow/."""

    id: str
    domain: str
    created_at: str


class DecideDomain(msgspec.Struct):
    """What is left out of a change stays as it is."""

    domain: str | None = None
    severity: str | None = None
    private_comment: str | None = None
    public_comment: str | None = None
    reject_media: Any = None
    reject_reports: Any = None
    obfuscate: Any = None


class AllowDomain(msgspec.Struct):
    domain: str = ""


@get(BLOCKS, opt=_READ_BLOCKS)
async def list_blocks(request: AnyRequest, permit: Permit, services: Services) -> Response[list[DomainBlock]]:
    """The hosts that are limited or suspended, the newest decision first."""
    found = await _page(request, services, permit, queries.BLOCKED)
    return Response([_block(one) for one in found.decided], headers=found.headers)


@get(f"{BLOCKS}/{{block_id:str}}", opt=_READ_BLOCKS)
async def show_block(block_id: str, permit: Permit, services: Services) -> DomainBlock:
    """One of them."""
    return _block(await _one(services, permit, block_id, queries.BLOCKED))


@post(BLOCKS, opt=_WRITE_BLOCKS, status_code=200)
async def make_block(request: AnyRequest, permit: Permit, services: Services) -> DomainBlock:
    """Limit (`silence`, unless said otherwise) or suspend a host and all that is below it."""
    asked = await parse(request, DecideDomain)
    _require_known(asked)
    standing = _severity(asked.severity or "silence")
    return _block(
        await services.gate.act(
            permit,
            lambda acting: actions.decide(
                acting,
                asked.domain or "",
                standing,
                own_host=services.site.domain.partition(":")[0],
                reason=asked.public_comment or "",
                private_note=asked.private_comment or "",
            ),
        )
    )


@put(f"{BLOCKS}/{{block_id:str}}", opt=_WRITE_BLOCKS)
async def change_block(request: AnyRequest, block_id: str, permit: Permit, services: Services) -> DomainBlock:
    """Decide otherwise about the same host: the decision before becomes history, and the new one has a new id."""
    asked = await parse(request, DecideDomain)
    _require_known(asked)
    before = await _one(services, permit, block_id, queries.BLOCKED)
    standing = before.sanction.standing if asked.severity is None else _severity(asked.severity)
    reason = before.sanction.reason if asked.public_comment is None else asked.public_comment
    note = before.sanction.private_note if asked.private_comment is None else asked.private_comment

    async def work(acting: Acting) -> Decided:
        return await actions.decide(
            acting,
            before.host,
            standing,
            own_host=services.site.domain.partition(":")[0],
            reason=reason,
            private_note=note,
        )

    return _block(await services.gate.act(permit, work))


@delete(f"{BLOCKS}/{{block_id:str}}", opt=_WRITE_BLOCKS, status_code=200)
async def lift_block(block_id: str, permit: Permit, services: Services) -> dict[str, Any]:
    """Lift it."""
    id_ = entity_id(block_id)
    await services.gate.act(permit, lambda acting: actions.lift(acting, id_, queries.BLOCKED))
    return {}


@get(ALLOWS, opt=_READ_ALLOWS)
async def list_allows(request: AnyRequest, permit: Permit, services: Services) -> Response[list[DomainAllow]]:
    """The hosts that are allowed whatever is decided about a name above them, the newest first."""
    found = await _page(request, services, permit, queries.ALLOWED)
    return Response([_allow(one) for one in found.decided], headers=found.headers)


@get(f"{ALLOWS}/{{allow_id:str}}", opt=_READ_ALLOWS)
async def show_allow(allow_id: str, permit: Permit, services: Services) -> DomainAllow:
    """One of them."""
    return _allow(await _one(services, permit, allow_id, queries.ALLOWED))


@post(ALLOWS, opt=_WRITE_ALLOWS, status_code=200)
async def make_allow(request: AnyRequest, permit: Permit, services: Services) -> DomainAllow:
    """Allow a host and all that is below it. It replaces what was decided about this very name."""
    asked = await parse(request, AllowDomain)
    own_host = services.site.domain.partition(":")[0]
    return _allow(
        await services.gate.act(
            permit, lambda acting: actions.decide(acting, asked.domain, Standing.ACTIVE, own_host=own_host)
        )
    )


@delete(f"{ALLOWS}/{{allow_id:str}}", opt=_WRITE_ALLOWS, status_code=200)
async def lift_allow(allow_id: str, permit: Permit, services: Services) -> dict[str, Any]:
    """Allow it no longer than what is above it."""
    id_ = entity_id(allow_id)
    await services.gate.act(permit, lambda acting: actions.lift(acting, id_, queries.ALLOWED))
    return {}


class _Page(msgspec.Struct, frozen=True):
    decided: Sequence[Decided]
    headers: dict[str, str]


async def _page(request: AnyRequest, services: Services, permit: Permit, standings: tuple[Standing, ...]) -> _Page:
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    async with reading_to_moderate(services, permit) as read:
        found = await queries.page_of(read, standings, asked)
    ids = [one.sanction.id for one in found]
    return _Page(found, link_header(request, services.site.base_url, ids, asked.limit))


async def _one(services: Services, permit: Permit, sanction_id: str, standings: tuple[Standing, ...]) -> Decided:
    id_ = entity_id(sanction_id)
    async with reading_to_moderate(services, permit) as read:
        found = await queries.by_id(read, id_, standings)
    if found is None:
        raise Refused("not_found", "Record not found", status=404)
    return found


def _severity(word: str) -> Standing:
    if word not in _SEVERITIES:
        raise Refused("not_supported", "The severity is silence or suspend.", status=422)
    return _SEVERITIES[word]


def _require_known(asked: DecideDomain) -> None:
    """What other servers can do besides is refused, not forgotten."""
    for name in ("reject_media", "reject_reports", "obfuscate"):
        if str(getattr(asked, name) or "").lower() in ("1", "true", "on", "yes"):
            raise Refused("not_supported", f"This server can't do {name} yet: leave it out.", status=422)


def _block(decided: Decided) -> DomainBlock:
    sanction = decided.sanction
    return DomainBlock(
        id=str(sanction.id),
        domain=decided.host,
        digest=hashlib.sha256(decided.host.encode()).hexdigest(),
        created_at=timestamp(sanction.decided_at_ms),
        severity=_WORDS[sanction.standing],
        private_comment=sanction.private_note or None,
        public_comment=sanction.reason or None,
    )


def _allow(decided: Decided) -> DomainAllow:
    return DomainAllow(str(decided.sanction.id), decided.host, timestamp(decided.sanction.decided_at_ms))


HANDLERS: list[Any] = [
    list_blocks,
    show_block,
    make_block,
    change_block,
    lift_block,
    list_allows,
    show_allow,
    make_allow,
    lift_allow,
]
