"""Streams as server-sent events: one address each. https://docs.joinmastodon.org/methods/streaming/#streams"""

from collections.abc import AsyncIterator
from typing import Any, cast

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from folkmoot.audience.door import CONNECTION
from folkmoot.gate import Refused, Serves, Viewer
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon.paging import says
from folkmoot.surfaces.mastodon.streams import channels as c
from folkmoot.surfaces.mastodon.streams.expiry import when_over
from folkmoot.surfaces.mastodon.streams.lines import Cut, EventLine
from folkmoot.surfaces.services import Services
from folkmoot.timelines import readers

PATH = "/api/v1/streaming"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
# The address of each: what it is, and the scope that a token needs for it.
_STREAMS = {
    "user": (c.USER, "read:statuses"),
    "user/notification": (c.NOTIFICATIONS, "read:notifications"),
    "public": ("public", "read:statuses"),
    "public/local": ("public:local", "read:statuses"),
    "public/remote": ("public:remote", "read:statuses"),
    "public/media": ("public:media", "read:statuses"),
    "public/local/media": ("public:local:media", "read:statuses"),
    "public/remote/media": ("public:remote:media", "read:statuses"),
    "hashtag": (c.HASHTAG, "read:statuses"),
    "hashtag/local": (c.LOCAL_HASHTAG, "read:statuses"),
    "list": (c.LIST, "read:statuses"),
    "direct": (c.DIRECT, "read:statuses"),
}


def _stream(path: str, name: str, scope: str) -> HTTPRouteHandler:
    @get(
        f"{PATH}/{path}",
        opt=serves(Serves.SIGNED_IN, scope=scope, token_in_query=True),
        media_type="text/event-stream",
    )
    async def stream(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> Stream:
        query = request.query_params
        wanted = c.following(
            viewer,
            name,
            tag=query.get("tag", ""),
            list_id=query.get("list", ""),
            only_media=says(request, "only_media"),
        )
        await require_own(services, viewer, wanted)
        services.streams.require_room(viewer)  # here, where it can still be an answer
        line = EventLine(viewer, _cut(request))
        return Stream(_pieces(services, line, wanted), media_type="text/event-stream", headers=_HEADERS)

    stream.fn.__name__ = f"stream_{path.replace('/', '_')}"
    stream.fn.__doc__ = f"What happens in the stream `{name}`, as server-sent events, until one goes."
    return stream


async def require_own(services: Services, viewer: Viewer, wanted: c.Following) -> None:
    """Raises Refused 404 for somebody else's list."""
    if wanted.channel.name != c.LIST:
        return
    async with services.database.read() as read:
        if not await readers.own_lists(read, viewer.id, int(wanted.channel.about)):
            raise Refused("not_found", "Record not found.", status=404)


async def _pieces(services: Services, line: EventLine, wanted: c.Following) -> AsyncIterator[bytes]:
    services.streams.open(line)
    over = when_over(services, line.viewer, line.send_away)
    try:
        services.streams.follow(line, wanted)
        async for piece in line.pieces():
            yield piece
    finally:
        over()
        services.streams.close(line)


class _NoConnection:
    """Where nothing carries a request: in tests."""

    def reset(self) -> None: ...


def _cut(request: Request[Any, Any, Any]) -> Cut:
    return cast(Cut, (request.scope.get("extensions") or {}).get(CONNECTION) or _NoConnection())


@get(f"{PATH}/health", opt=serves(Serves.NOBODY), media_type="text/plain")
async def health() -> str:
    """That streams are carried."""
    return "OK"


HANDLERS: list[Any] = [health, *(_stream(path, name, scope) for path, (name, scope) in _STREAMS.items())]
