"""A WebSocket to the application without a socket: what is written to it is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
from litestar import Litestar
from tests.support.waiting import eventually
from websockets.frames import Frame
from websockets.streams import StreamReader

from folkmoot.audience.upgraded import CONNECTION
from folkmoot.surfaces.mastodon.streams.sockets import Sockets


class Client:
    """The client's end of one: also `Wire`, which the application writes to."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.status: int | None = None
        self.protocol: str | None = None
        self.closed: int | None = None
        self.was_reset = False
        self.waiting = 0
        self._orders: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._orders.put_nowait({"type": "websocket.connect"})

    # --- Wire

    def write(self, frame: bytes) -> None:
        self.heard.append(msgspec.json.decode(_content(frame)))

    def waiting_bytes(self) -> int:
        return self.waiting

    def close(self, code: int, reason: str) -> None:
        self.closed = code
        self._orders.put_nowait({"type": "websocket.disconnect", "code": code})

    def reset(self) -> None:
        self.was_reset = True
        self._orders.put_nowait({"type": "websocket.disconnect", "code": 1006})

    # --- what a test does

    def say(self, **order: Any) -> None:
        self._orders.put_nowait({"type": "websocket.receive", "text": msgspec.json.encode(order).decode()})

    def say_text(self, text: str) -> None:
        self._orders.put_nowait({"type": "websocket.receive", "text": text})

    @property
    def events(self) -> list[tuple[str, str]]:
        """(stream, event) of what was heard."""
        return [("/".join(one["stream"]), one["event"]) for one in self.heard]

    def payloads(self, event: str) -> list[Any]:
        return [msgspec.json.decode(one["payload"]) for one in self.heard if one["event"] == event]

    async def receive(self) -> dict[str, Any]:
        return await self._orders.get()

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            self.status, self.protocol = 101, message.get("subprotocol")
        elif message["type"] == "websocket.http.response.start":
            self.status = message["status"]

    def leave(self) -> None:
        self._orders.put_nowait({"type": "websocket.disconnect", "code": 1000})


@asynccontextmanager
async def socket(
    app: Litestar,
    query: str = "",
    headers: dict[str, str] | None = None,
    protocols: tuple[str, ...] = (),
    path: str = "/api/v1/streaming",
) -> AsyncIterator[Client]:
    """Open one, and wait for what it is answered."""
    client = Client()
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
        "subprotocols": list(protocols),
        "client": ("127.0.0.1", 1),
        "scheme": "ws",
        "server": ("moot.test", 80),
        "state": {},
        "extensions": {CONNECTION: client},
    }
    equipment = app.state.equipment
    sockets = Sockets(cast(Any, app), lambda: equipment.services, lambda: equipment.limits)
    running = asyncio.create_task(cast(Any, sockets)(scope, client.receive, client.send))
    try:
        await eventually(lambda: client.status is not None)
        yield client
    finally:
        client.leave()
        await running


def _content(frame: bytes) -> bytes:
    reader = StreamReader()
    reader.feed_data(frame)
    parsing = Frame.parse(reader.read_exact, mask=False)
    try:
        while True:
            next(parsing)
    except StopIteration as parsed:
        content: bytes = parsed.value.data
        return content
