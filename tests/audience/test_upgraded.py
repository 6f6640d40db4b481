"""WebSockets on uvicorn's connections: what is left of them when they have ended."""

import asyncio
import gc
import weakref
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


async def _open_and_end() -> None:
    door = Door(admit_all, Handoff([]))
    http: Any = type("Http", (listen_protocol(door),), {"__init__": _noted})
    config = uvicorn.Config(_app, http=http, ws=Seen, lifespan="off", log_config=None, port=0)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    polite, rude = [await connect(f"ws://127.0.0.1:{port}/") for _ in range(2)]
    assert len(Seen.began) == 6
    await polite.close()
    rude.transport.abort()
    await eventually(lambda: all(one() is None for one in Seen.began))
    server.should_exit = True
    await serving


def test_nothing_of_an_ended_connection_waits_for_the_garbage_collector() -> None:
    Seen.began.clear()
    gc.disable()
    try:
        uvloop.run(_open_and_end())
    finally:
        gc.enable()
