"""Streams over one WebSocket: `GET /api/v1/streaming`, any number of them at a time.

https://docs.joinmastodon.org/methods/streaming/#websocket. An ASGI application in front of the others: what comes
as a WebSocket is answered here, or not at all.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import parse_qs

import msgspec
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from folkmoot.audience.upgraded import CONNECTION
from folkmoot.gate import ANONYMOUS, Action, Refused, Register, Serves, Surface, Viewer
from folkmoot.surfaces.http import ErrorBody, bearer_token, by_cookie, require_scope
from folkmoot.surfaces.limits import Limits, TooMany
from folkmoot.surfaces.mastodon.streams import channels as c
from folkmoot.surfaces.mastodon.streams.events import PATH, require_own
from folkmoot.surfaces.mastodon.streams.expiry import when_over
from folkmoot.surfaces.mastodon.streams.lines import POLICY, SocketLine, Wire
from folkmoot.surfaces.mastodon.streams.message import text_frame
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.under_way import LAST_WORD_S, Connection

SOCKET = Surface("stream", f"GET {PATH}", Serves.SIGNED_IN, Action.READ, "read:statuses")
MESSAGE_BYTES_MAX = 8 * 1024


def register_sockets(register: Register) -> None:
    register.add(SOCKET)


class Order(msgspec.Struct):
    """What a client says: follow this, or follow it no more. Many send what a stream doesn't take as null."""

    type: str
    stream: str = ""
    tag: str | None = None
    list: str | int | None = None


class Sockets:
    """Answers WebSockets; passes on what is none."""

    def __init__(self, app: ASGIApp, services: Callable[[], Services], limits: Callable[[], Limits]) -> None:
        self._app = app
        self._services = services
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.WEBSOCKET:
            await self._app(scope, receive, send)
            return
        if (await receive())["type"] != "websocket.connect":
            return
        services = self._services()
        try:
            viewer = await self._viewer(services, cast(Any, scope))
            line = SocketLine(viewer, cast(Wire, cast(Any, scope)["extensions"][CONNECTION]))
            services.streams.open(line)
        except Refused as refusal:
            await _deny(send, refusal)
            return
        connection: Connection = cast(Any, line.wire)
        try:
            with services.networks.under_way(_address(cast(Any, scope)), connection):
                await _carry(services, self._limits(), line, cast(Any, scope), receive, send)
        finally:
            services.streams.close(line)

    async def _viewer(self, services: Services, scope: Any) -> Viewer:
        """Who asks, by the same doors as any request. Raises Refused."""
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        address = _address(scope)
        await services.networks.require_let_in(address)
        if scope["path"].rstrip("/") != PATH:
            raise Refused("not_found", "Record not found", status=404)
        token = _token(connection, scope["subprotocols"])
        verdict = self._limits().request(address, token)
        if not verdict.allowed:
            raise TooMany(verdict)
        viewer = await services.gate.identify(token) if token else await by_cookie(connection, services.gate)
        if viewer is ANONYMOUS:
            raise Refused("missing_token", "Missing access token", status=401)
        services.gate.permit(viewer, Action.READ)
        if not c.hears_notifications(viewer):
            require_scope(viewer, "read:statuses")
        return viewer


async def _carry(
    services: Services, limits: Limits, line: SocketLine, scope: Any, receive: Receive, send: Send
) -> None:
    """From the handshake to the end. A message counts as a request does: it may cost as much."""
    loop = asyncio.get_running_loop()
    address, token = _address(scope), _token(ASGIConnection(scope), scope["subprotocols"])

    def end(_subject: str = "") -> None:
        line.wire.close(POLICY, "The right to follow this has ended.")
        loop.call_later(LAST_WORD_S, line.wire.reset)

    try:
        lease = services.leases.hold(line.viewer.stamps, end)
    except Refused as refusal:
        await _deny(send, refusal)
        return
    over = when_over(services, line.viewer, end)
    try:
        chosen = scope["subprotocols"][0] if scope["subprotocols"] else None
        await send(cast(Any, {"type": "websocket.accept", "subprotocol": chosen, "headers": []}))
        asked = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        if "stream" in asked:
            await _follow(services, line, asked)
        while (message := cast(Mapping[str, Any], await receive()))["type"] != "websocket.disconnect":
            verdict = limits.request(address, token)
            if verdict.allowed:
                await _hear(services, line, message.get("text") or message.get("bytes") or "")
            else:
                _say_refused(line, TooMany(verdict))
    finally:
        over()
        lease.release()


async def _hear(services: Services, line: SocketLine, said: str | bytes) -> None:
    try:
        order = msgspec.json.decode(said, type=Order)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        _say_refused(line, Refused("unreadable", "A message is JSON: type, stream.", status=400))
        return
    if order.type == "subscribe":
        await _follow(services, line, msgspec.structs.asdict(order))
    elif order.type == "unsubscribe":
        try:
            wanted = _wanted(line, msgspec.structs.asdict(order))
        except Refused as refusal:
            _say_refused(line, refusal)
        else:
            services.streams.unfollow(line, wanted.channel)
    else:
        _say_refused(line, Refused("unknown_type", "A message says subscribe or unsubscribe.", status=400))


def _wanted(line: SocketLine, asked: Mapping[str, Any]) -> c.Following:
    """Raises Refused."""
    return c.following(
        line.viewer, asked["stream"], tag=asked.get("tag") or "", list_id=str(asked.get("list") or "")
    )


async def _follow(services: Services, line: SocketLine, asked: Mapping[str, Any]) -> None:
    try:
        wanted = _wanted(line, asked)
        await require_own(services, line.viewer, wanted)
        services.streams.follow(line, wanted)
    except Refused as refusal:
        _say_refused(line, refusal)


def _say_refused(line: SocketLine, refusal: Refused) -> None:
    said = {"error": refusal.sentence, "status": refusal.status}
    line.write(text_frame(msgspec.json.encode(said)))


def _address(scope: Any) -> str:
    return scope["client"][0] if scope["client"] else ""


def _token(connection: ASGIConnection[Any, Any, Any, Any], protocols: list[str]) -> str | None:
    """In a header, in the address, or where browsers can put one."""
    return bearer_token(connection) or connection.query_params.get("access_token") or next(iter(protocols), None)


async def _deny(send: Send, refusal: Refused) -> None:
    """Before the handshake: an answer like any other."""
    body = msgspec.json.encode(ErrorBody(refusal.sentence, refusal.code))
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    start = {"type": "websocket.http.response.start", "status": refusal.status, "headers": headers}
    await send(cast(Any, start))
    await send(cast(Any, {"type": "websocket.http.response.body", "body": body}))
