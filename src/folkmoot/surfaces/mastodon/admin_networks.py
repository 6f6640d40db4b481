"""Mastodon's methods for networks that are stopped: https://docs.joinmastodon.org/methods/admin/ip_blocks/."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put

from folkmoot.gate import Action, Permit, Refused, Serves
from folkmoot.moderation.networks import actions, queries
from folkmoot.moderation.networks.model import Severity, Stop
from folkmoot.moderation.networks.rules import parse_network
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.networks import address_of
from folkmoot.surfaces.services import Services

PATH = "/api/v1/admin/ip_blocks"
LIMIT, LIMIT_MAX = 100, 200
EXPIRES_IN_S_MAX = 100 * 365 * 86_400
_READ = serves(Serves.MODERATOR, Action.MODERATE, "admin:read:ip_blocks")
_WRITE = serves(Serves.MODERATOR, Action.MODERATE, "admin:write:ip_blocks")


class IpBlock(msgspec.Struct, kw_only=True):
    """https://docs.joinmastodon.org/entities/Admin_IpBlock/."""

    id: str
    ip: str
    severity: str
    comment: str
    created_at: str
    expires_at: str | None


class NewIpBlock(msgspec.Struct):
    """`comment` is the reason, which people read. `expires_in`: seconds, none or 0 for no end. `confirm` is
    Folkmoot's own: yes, although it is large or catches me."""

    ip: str = ""
    severity: str = ""
    comment: str = ""
    expires_in: int | str | None = None
    confirm: bool = False


class ChangedIpBlock(msgspec.Struct):
    """What is left out stays as it is, the end too."""

    severity: str | None = None
    comment: str | None = None
    expires_in: int | str | None = None
    confirm: bool = False
    ip: Any = None


@get(PATH, opt=_READ)
async def list_networks(
    request: Request[Any, Any, Any], permit: Permit, services: Services
) -> Response[list[IpBlock]]:
    """The networks that are stopped now, the newest first, in pages of 100 (200 at most)."""
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    async with reading_to_moderate(services, permit) as read:
        found = await queries.listed(read, asked)
    headers = link_header(request, services.site.base_url, [one.id for one in found], asked.limit)
    return Response([_block(one) for one in found], headers=headers)


@get(f"{PATH}/{{block_id:str}}", opt=_READ)
async def show_network(block_id: str, permit: Permit, services: Services) -> IpBlock:
    """One of them."""
    return _block(await _one(services, permit, block_id))


@post(PATH, opt=_WRITE, status_code=200)
async def stop_network(request: Request[Any, Any, Any], permit: Permit, services: Services) -> IpBlock:
    """Stop a network for sign-ups, or for everything (`no_access`): what is open from there ends at once."""
    asked = await parse(request, NewIpBlock)
    network, severity = parse_network(asked.ip), _severity(asked.severity)
    made = await services.gate.act(
        permit,
        lambda acting: actions.stop(
            acting,
            network,
            severity,
            reason=asked.comment,
            until_ms=_until_ms(asked.expires_in, acting.now_ms),
            own_address=address_of(request),
            confirmed=asked.confirm,
        ),
    )
    return _block(made)


@put(f"{PATH}/{{block_id:str}}", opt=_WRITE)
async def change_network(
    request: Request[Any, Any, Any], block_id: str, permit: Permit, services: Services
) -> IpBlock:
    """Decide anew about one that is stopped."""
    asked = await parse(request, ChangedIpBlock)
    before = await _one(services, permit, block_id)
    severity = before.severity if asked.severity is None else _severity(asked.severity)
    made = await services.gate.act(
        permit,
        lambda acting: actions.change(
            acting,
            before.id,
            severity=severity,
            reason=before.reason if asked.comment is None else asked.comment,
            until_ms=before.until_ms if asked.expires_in is None else _until_ms(asked.expires_in, acting.now_ms),
            own_address=address_of(request),
            confirmed=asked.confirm,
        ),
    )
    return _block(made)


@delete(f"{PATH}/{{block_id:str}}", opt=_WRITE, status_code=200)
async def let_network_in(block_id: str, permit: Permit, services: Services) -> dict[str, Any]:
    """Let a network in again."""
    stop = await _one(services, permit, block_id)
    await services.gate.act(permit, lambda acting: actions.lift(acting, stop.id))
    return {}


@asynccontextmanager
async def reading_to_moderate(services: Services, permit: Permit) -> AsyncIterator[Read]:
    """What moderators alone may read. Raises Refused without a permit to moderate."""
    services.gate.admit_to_moderate(permit, ())
    async with services.database.read() as read:
        yield read


async def _one(services: Services, permit: Permit, block_id: str) -> Stop:
    id_ = entity_id(block_id)
    async with reading_to_moderate(services, permit) as read:
        found = await queries.by_id(read, id_)
    if found is None:
        raise Refused("not_found", "Record not found", status=404)
    return found


def _severity(text: str) -> Severity:
    try:
        return Severity(text)
    except ValueError as error:
        words = ", ".join(Severity)
        raise Refused("severity_invalid", f"The severity is one of {words}.", status=422) from error


def _until_ms(expires_in: int | str | None, now_ms: int) -> int | None:
    if expires_in in (None, "", 0, "0"):
        return None
    seconds = int(expires_in) if str(expires_in).isascii() and str(expires_in).isdigit() else 0
    if not 0 < seconds <= EXPIRES_IN_S_MAX:
        raise Refused("end_is_past", "expires_in is a number of seconds.", status=422)
    return now_ms + seconds * 1000


def _block(stop: Stop) -> IpBlock:
    return IpBlock(
        id=str(stop.id),
        ip=str(stop.network),
        severity=stop.severity.value,
        comment=stop.reason,
        created_at=timestamp(stop.decided_at_ms),
        expires_at=None if stop.until_ms is None else timestamp(stop.until_ms),
    )


HANDLERS: list[Any] = [list_networks, show_network, stop_network, change_network, let_network_in]
