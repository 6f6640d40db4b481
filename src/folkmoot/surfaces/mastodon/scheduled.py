"""Mastodon's methods for posts that come later: https://docs.joinmastodon.org/methods/scheduled_statuses/."""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, put

from folkmoot.gate import Action, Permit, Serves, Viewer
from folkmoot.posts import scheduled
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import load_scheduled
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page
from folkmoot.surfaces.mastodon.scheduled_entities import ScheduledStatus
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.times import parse_time

PATH = "/api/v1/scheduled_statuses"
_READ = "read:statuses"
_WRITE = "write:statuses"


class Move(msgspec.Struct):
    """Another time."""

    scheduled_at: str


@get(PATH, opt=serves(Serves.SIGNED_IN, scope=_READ))
async def list_scheduled(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> Response[list[ScheduledStatus]]:
    """One's posts that come later."""
    asked = page(request, limit=20, limit_max=40)
    async with services.database.read() as read:
        found = await scheduled.of_account(read, viewer.id, asked)
        shown = await load_scheduled.several(read, services, viewer, found)
    headers = link_header(request, services.site.base_url, [one.id for one in found], asked.limit)
    return Response(shown, headers=headers)


@get(f"{PATH}/{{scheduled_id:str}}", opt=serves(Serves.SIGNED_IN, scope=_READ))
async def show_scheduled(scheduled_id: str, viewer: Viewer, services: Services) -> ScheduledStatus:
    """One of them."""
    async with services.database.read() as read:
        found = await scheduled.own(read, viewer.id, entity_id(scheduled_id))
        return await load_scheduled.one(read, services, viewer, found)


@put(f"{PATH}/{{scheduled_id:str}}", opt=serves(Serves.SIGNED_IN, Action.POST, _WRITE))
async def move_scheduled(
    request: Request[Any, Any, Any], scheduled_id: str, permit: Permit, services: Services
) -> ScheduledStatus:
    """Say another time, at least five minutes from now."""
    asked = await parse(request, Move)
    at_ms = parse_time(asked.scheduled_at, "scheduled_at")
    id_ = entity_id(scheduled_id)
    moved = await services.gate.act(permit, lambda acting: scheduled.move(acting, id_, at_ms))
    async with services.database.read() as read:
        return await load_scheduled.one(read, services, permit.viewer, moved)


@delete(f"{PATH}/{{scheduled_id:str}}", opt=serves(Serves.SIGNED_IN, Action.DELETE_POST, _WRITE), status_code=200)
async def cancel_scheduled(scheduled_id: str, permit: Permit, services: Services) -> dict[str, Any]:
    """Have it not come."""
    id_ = entity_id(scheduled_id)
    await services.gate.act(permit, lambda acting: scheduled.cancel(acting, id_))
    return {}


HANDLERS: list[Any] = [list_scheduled, show_scheduled, move_scheduled, cancel_scheduled]
