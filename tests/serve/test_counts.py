"""How many listen, in two numbers: the connected ones are the sockets that are there, those by HLS an estimate."""

import asyncio
import random
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import httpx
import psutil
import pytest
from tests.serve.moot import SDP, SPACES, Moot, Person
from tests.stage.peers import Client, until
from tests.support.server import Server, running_server
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("counts") / "data", audience_workers="2") as running:
        yield running


@pytest.fixture
async def moot(server: Server) -> AsyncIterator[Moot]:
    moot = Moot(server)
    yield moot
    await moot.close()


class Crowd:
    """Listeners who come and go, and what is really connected: the sockets that the audience workers hold."""

    def __init__(self, server: Server, space: dict[str, Any]) -> None:
        self._server = server
        self._port = int(server.base_url.rpartition(":")[2])
        self._path = f"{SPACES}/{space['id']}/listen"
        self.sockets: list[socket.socket] = []

    def join(self, count: int) -> None:
        for _ in range(count):
            listener = socket.create_connection(("127.0.0.1", self._port))
            listener.sendall(f"GET {self._path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            self.sockets.append(listener)

    def leave(self, count: int) -> None:
        random.Random(count).shuffle(self.sockets)
        for listener in self.sockets[:count]:
            listener.close()
        del self.sockets[:count]

    def connected(self) -> int:
        workers = [child for name, child in self._server.children().items() if name.startswith("audience")]
        found = 0
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                connections = worker.net_connections(kind="tcp")
                found += sum(one.status == psutil.CONN_ESTABLISHED for one in connections)
        return found


async def told(host: Person, space: dict[str, Any]) -> tuple[int, int]:
    seen = await host.look(space)
    return seen["listener_count"], seen["listener_count_estimated"]


async def test_the_count_is_the_sockets_that_are_there(moot: Moot, server: Server) -> None:
    host = await moot.person("cora")
    space = await host.open_space("Counted")
    await host.speak(space, 440)
    crowd = Crowd(server, space)

    async def are(count: int, by_webrtc: int = 0) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not crowd.connected() == count == (await told(host, space))[0] - by_webrtc:
                await asyncio.sleep(0.05)

    crowd.join(60)
    await are(60)
    crowd.leave(25)
    await are(35)
    crowd.join(10)
    crowd.leave(5)
    await are(40)

    listener = Client(0)
    async with httpx.AsyncClient(base_url=server.base_url, timeout=PATIENCE_S) as http:

        async def answer(offer: str) -> str:
            return (await http.post(f"{SPACES}/{space['id']}/whep", content=offer, headers=SDP)).text

        await listener.hear(answer)
        await until(lambda: listener.hears(440))
        await are(40, by_webrtc=1)
        await listener.close()
    await are(40)

    victim = server.child("audience-0")
    lost = sum(one.status == psutil.CONN_ESTABLISHED for one in victim.net_connections(kind="tcp"))
    assert lost > 0
    victim.send_signal(signal.SIGKILL)
    await are(40 - lost)
    crowd.join(lost)
    await are(40)
    assert (await told(host, space))[1] == 0
    crowd.leave(len(crowd.sockets))


async def test_who_listens_by_hls_is_estimated_beside_them(moot: Moot, server: Server) -> None:
    host = await moot.person("hilde")
    space = await host.open_space("By HLS")
    await host.speak(space, 440)
    playlist = f"{SPACES}/{space['id']}/hls/aac/live.m3u8"

    async def play(http: httpx.AsyncClient) -> None:
        """As a player does that knows low latency: each part's playlist once."""
        segment, part = 1, 0
        while True:
            answer = await http.get(playlist, params={"_HLS_msn": segment, "_HLS_part": part})
            if answer.status_code == 200:
                hint = answer.text.rpartition('URI="')[2].split(".")
                segment, part = int(hint[0]), int(hint[1])
            else:
                await asyncio.sleep(0.2)

    players = 5
    async with (
        httpx.AsyncClient(base_url=server.base_url, timeout=PATIENCE_S) as http,
        asyncio.TaskGroup() as group,
    ):
        playing = [group.create_task(play(http)) for _ in range(players)]
        async with asyncio.timeout(PATIENCE_S):
            while abs((await told(host, space))[1] - players) > 1:
                await asyncio.sleep(0.2)
        assert (await told(host, space))[0] == 0
        for one in playing:
            one.cancel()
    async with asyncio.timeout(PATIENCE_S):
        while await told(host, space) != (0, 0):
            await asyncio.sleep(0.2)
