"""uvicorn's connections, also those that became WebSockets: what is left of them when they have ended."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import uvicorn
import uvloop
from tests.audience.house import admit_all
from tests.support.waiting import eventually
from websockets.asyncio.client import connect

from folkmoot.audience.door import Door, ListenProtocol, listen_protocol
from folkmoot.audience.handoff import Handoff
from folkmoot.audience.upgraded import CONNECTION, SocketProtocol


class Seen(SocketProtocol):
    began: ClassVar[list["weakref.ref[Any]"]] = []

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.began.append(weakref.ref(self))


async def _app(scope: Any, receive: Any, send: Any) -> None:
    assert CONNECTION in scope["extensions"]
    Seen.began.append(weakref.ref(scope["extensions"][CONNECTION]))
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def _noted(self: Any, *arguments: Any, **keywords: Any) -> None:
    ListenProtocol.__init__(self, *arguments, **keywords)
    Seen.began.append(weakref.ref(self))


async def _stream(told: list[str], scope: Any, receive: Any, send: Any) -> None:
    """Never ends an answer by itself."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    told.append((await receive())["type"] + " " + scope["path"])


@asynccontextmanager
async def _serving(app: Any, http: Any) -> AsyncIterator[int]:
    """Its port."""
    config = uvicorn.Config(app, http=http, ws=Seen, lifespan="off", log_config=None, port=0, interface="asgi3")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def _open_and_end() -> None:
    door = Door(admit_all, Handoff([]))
    http: Any = type("Http", (listen_protocol(door),), {"__init__": _noted})
    async with _serving(_app, http) as port:
        polite, rude = [await connect(f"ws://127.0.0.1:{port}/") for _ in range(2)]
        assert len(Seen.began) == 6
        await polite.close()
        rude.transport.abort()
        await eventually(lambda: all(one() is None for one in Seen.began))


async def _leave_a_stream_with_more_asked_for() -> list[str]:
    told: list[str] = []
    http = listen_protocol(Door(admit_all, Handoff([])))
    async with _serving(lambda *it: _stream(told, *it), http) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(b"GET /%d HTTP/1.1\r\nHost: it\r\n\r\n" % number for number in range(3)))
        await reader.readuntil(b"one")
        writer.transport.abort()
        await eventually(lambda: bool(told))
        return told


def test_nothing_of_an_ended_connection_waits_for_the_garbage_collector() -> None:
    Seen.began.clear()
    gc.disable()
    try:
        uvloop.run(_open_and_end())
    finally:
        gc.enable()


def test_a_stream_hears_that_its_client_has_gone_whatever_was_asked_for_behind_it() -> None:
    assert uvloop.run(_leave_a_stream_with_more_asked_for()) == ["http.disconnect /0"]
