"""Mastodon's methods for markers: https://docs.joinmastodon.org/methods/markers/."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, get, post

from folkmoot.gate import Action, Permit, Serves, Viewer, invalid
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon.paging import possible_id
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Services
from folkmoot.timelines.markers import actions, model, queries
from folkmoot.timelines.markers.model import Timeline

PATH = "/api/v1/markers"


class Marker(msgspec.Struct):
    """https://docs.joinmastodon.org/entities/Marker/."""

    last_read_id: str
    version: int
    updated_at: str


class Position(msgspec.Struct):
    """The last thing that was read."""

    last_read_id: str | int


class MoveMarkers(msgspec.Struct):
    """How far one has read where."""

    home: Position | None = None
    notifications: Position | None = None


@get(PATH, opt=serves(Serves.SIGNED_IN, scope="read:statuses"))
async def show_markers(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> dict[str, Marker]:
    """How far one has read `timeline[]`: home, notifications. Without it nothing."""
    asked = {value for name, value in request.query_params.multi_items() if name in ("timeline", "timeline[]")}
    async with services.database.read() as read:
        found = await queries.of_account(read, viewer.id)
    return _present({timeline: one for timeline, one in found.items() if timeline.value in asked})


@post(PATH, opt=serves(Serves.SIGNED_IN, Action.READ, "write:statuses"), status_code=200)
async def move_markers(request: Request[Any, Any, Any], permit: Permit, services: Services) -> dict[str, Marker]:
    """Say how far one has read. 409 if another device of one's own says so at the same moment: ask, and say it
    again."""
    asked = await parse(request, MoveMarkers)
    positions = {Timeline.HOME: asked.home, Timeline.NOTIFICATIONS: asked.notifications}
    wanted = {timeline: _id(one) for timeline, one in positions.items() if one is not None}
    return _present(await services.gate.act(permit, lambda acting: actions.move(acting, wanted)))


def _id(position: Position) -> int:
    id_ = possible_id(str(position.last_read_id))
    if id_ is None:
        raise invalid("last_read_id must be a number.")
    return id_


def _present(found: Mapping[Timeline, model.Marker]) -> dict[str, Marker]:
    return {
        timeline.value: Marker(str(one.last_read_id), one.version, timestamp(one.updated_at_ms))
        for timeline, one in found.items()
    }


HANDLERS: list[Any] = [show_markers, move_markers]
