"""kill -9 of every process while a Space is live: what was acknowledged is there, the Space goes on or says why."""

import asyncio
import contextlib
import random
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import select, update
from tests.serve.moot import SPACES, Moot, Person, Talk
from tests.stage.peers import until
from tests.support.server import Server, running_server
from tests.support.waiting import PATIENCE_S

from folkmoot.storage.database import Write
from folkmoot.storage.tables.spaces import spaces
from folkmoot.tape.model import Codec
from folkmoot.tape.reader import TapeReader

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]
AGAIN_S = 0.05


class Life:
    """Somebody who posts and somebody who listens, both trying again when they are cut off."""

    def __init__(self, talk: Talk, listener: Person) -> None:
        self.acknowledged: list[str] = []
        self.heard: list[bytearray] = []
        self._talk = talk
        self._listener = listener

    async def post(self) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await self._talk.guest.http.post("/api/v1/statuses", json={"status": "Still here"})
                if answer.status_code == 200:
                    self.acknowledged.append(answer.json()["id"])
            await asyncio.sleep(AGAIN_S)

    async def listen(self) -> None:
        path = f"{SPACES}/{self._talk.space['id']}/listen?codec=aac"
        while True:
            heard = bytearray()
            with contextlib.suppress(httpx.TransportError):
                async with self._listener.http.stream("GET", path) as answer:
                    if answer.status_code == 200:
                        self.heard.append(heard)
                    async for piece in answer.aiter_raw():
                        if answer.status_code == 200:
                            heard.extend(piece)
            await asyncio.sleep(AGAIN_S)

    def parts(self) -> set[bytes]:
        """The sound of every whole part that the listener has."""
        return {sound for heard in self.heard for sound in sounds(bytes(heard))}


@asynccontextmanager
async def going_on(talk: Talk, listener: Person) -> AsyncIterator[Life]:
    life = Life(talk, listener)
    tasks = [asyncio.create_task(life.post()), asyncio.create_task(life.listen())]
    try:
        await until(lambda: len(life.parts()) > 3 and len(life.acknowledged) > 1)
        yield life
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def sounds(stream: bytes) -> Iterator[bytes]:
    """The content of the whole `mdat` boxes (ISO/IEC 14496-12) at the top level."""
    at = 0
    while at + 8 <= len(stream):
        size, kind = struct.unpack_from(">I4s", stream, at)
        if kind == b"mdat" and at + size <= len(stream):
            yield stream[at + 8 : at + size]
        at += size


async def killed(server: Server, name: str) -> None:
    """Kills a process at some moment and waits until it is back."""
    await asyncio.sleep(random.uniform(0, 0.5))
    before = server.child(name)
    full = before.name().removeprefix("fm-")
    before.kill()
    await until(lambda: server.children().get(full, before).pid != before.pid)


def require_kept(life: Life, tape: Path) -> None:
    with TapeReader(tape) as reader:
        kept = set(sounds(reader.read(reader.parts(Codec.AAC, 0, reader.end_ms))))
    assert life.parts() <= kept, f"{len(life.parts() - kept)} parts were heard and are not on the tape"


async def require_there(person: Person, acknowledged: list[str]) -> None:
    for id_ in acknowledged:
        assert (await person.http.get(f"/api/v1/statuses/{id_}")).status_code == 200, id_


async def back_on_stage(talk: Talk) -> None:
    """As browsers do when their connection is gone: a new offer for the same seat."""
    for person, frequency in ((talk.host, 440), (talk.guest, 880)):
        assert person.voice is not None
        await person.voice.close()
        await person.speak(talk.space, frequency)
    await until(talk.both_hear)


@pytest.mark.parametrize("name", ["web", "worker", "audience-0", "stage"])
async def test_a_process_is_killed(talk: Talk, moot: Moot, server: Server, name: str) -> None:
    async with going_on(talk, moot.nobody("127.0.8.1")) as life:
        if name == "stage":
            await killed(server, name)
            await back_on_stage(talk)
        else:
            async with talk.undisturbed():
                await killed(server, name)
        before = len(life.parts()), len(life.acknowledged)
        await until(lambda: len(life.parts()) > before[0] + 3 and len(life.acknowledged) > before[1])
        await talk.host.tell(talk.space, "lock")
        await talk.host.tell(talk.space, "unlock")
    require_kept(life, server.data / "tapes" / talk.space["id"])
    await require_there(talk.guest, life.acknowledged)


async def test_an_audience_process_that_stands_still_is_replaced(talk: Talk, moot: Moot, server: Server) -> None:
    async with going_on(talk, moot.nobody("127.0.8.3")) as life:
        wedged = {name: child for name, child in server.children().items() if name.startswith("audience-")}
        connections, stopped_s = len(life.heard), time.monotonic()
        for each in wedged.values():
            each.suspend()
        await until(lambda: not any(each.is_running() for each in wedged.values()))
        await until(lambda: wedged.keys() <= server.children().keys())
        replaced_s = time.monotonic()
        await until(lambda: len(life.heard) > connections and any(sounds(bytes(life.heard[-1]))))
        print(
            f"an audience process stood still: replaced after {replaced_s - stopped_s:.2f} s, "
            f"heard again {time.monotonic() - replaced_s:.2f} s later"
        )
    require_kept(life, server.data / "tapes" / talk.space["id"])


@asynccontextmanager
async def another_server(data: Path) -> AsyncIterator[Server]:
    """Starts and ends in a thread: whoever talks to the first one goes on meanwhile, or would lose the seat."""
    with ExitStack() as stack:
        yield await asyncio.to_thread(stack.enter_context, running_server(data))
        await asyncio.to_thread(stack.close)


async def test_the_supervisor_is_killed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with another_server(data) as first:
        moot = Moot(first)
        talk = await Talk.begin(await moot.person("hana"), await moot.person("rosa"))
        async with going_on(talk, moot.nobody("127.0.8.2")) as life:
            await asyncio.sleep(random.uniform(0, 0.5))
            children = list(first.children().values())
            first.process.kill()
            gone, _ = await asyncio.to_thread(psutil.wait_procs, children, timeout=PATIENCE_S)
            assert len(gone) == len(children), "children don't outlive it"
        await moot.close()
    async with another_server(data) as second:
        moot = Moot(second)
        host = moot.enter_again(talk.host)
        await require_there(host, life.acknowledged)
        assert (await host.look(talk.space))["state"] == "live"
        await host.speak(talk.space, 440)
        require_kept(life, data / "tapes" / talk.space["id"])
        await host.tell(talk.space, "end")
        async with asyncio.timeout(PATIENCE_S):
            while (await host.look(talk.space))["replay"] is None:
                await asyncio.sleep(0.05)
        await moot.close()


async def test_the_host_falls_off(moot: Moot) -> None:
    host, second = await moot.person("vera"), await moot.person("walt")
    talk = await Talk.begin(host, second, "Carried on")
    await host.tell(talk.space, "make_co_host", account=second.id)
    assert host.voice is not None
    assert second.voice is not None
    await host.voice.close()
    await eventually(second, talk.space, lambda now: [one["connected"] for one in now["stage"]] == [False, True])
    assert (await second.look(talk.space))["hold_until"] is None, "the co-host carries on"
    await second.tell(talk.space, "lock")

    lines: list[str] = []
    following = asyncio.create_task(follow(second, talk.space, lines.append))
    await second.voice.close()
    await eventually(second, talk.space, lambda now: now["hold_until"] is not None)
    await moot.database.write(lambda tx: let_three_minutes_pass(tx, int(talk.space["id"])))
    over = await eventually(second, talk.space, lambda now: now["state"] == "ended")
    assert over["ended_reason"] == "host_absent"
    await until(lambda: any('"host_absent"' in line for line in lines))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def eventually(person: Person, space: dict[str, Any], condition: Any) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while not condition(now := await person.look(space)):
            await asyncio.sleep(0.1)
    return now


async def follow(person: Person, space: dict[str, Any], heard: Any) -> None:
    async with person.http.stream("GET", f"{SPACES}/{space['id']}/events", timeout=60) as answer:
        async for line in answer.aiter_lines():
            heard(line)


async def let_three_minutes_pass(tx: Write, space_id: int) -> None:
    """The hold began three minutes ago."""
    found = await tx.connection.execute(select(spaces.c.document).where(spaces.c.id == space_id))
    over_ms = tx.now_ms - 1
    document = {**found.scalar_one(), "hold_until_ms": over_ms}
    await tx.connection.execute(
        update(spaces).where(spaces.c.id == space_id).values(document=document, deadline_ms=over_ms)
    )


async def test_a_wedged_stage_takes_nobody_with_it_and_is_started_anew(
    talk: Talk, moot: Moot, server: Server
) -> None:
    host = await moot.person("wilma")
    others = server.stages()
    space = await host.open_space("Wedged")
    await host.speak(space, 660)

    (wedged,) = server.stages() - others
    wedged.suspend()
    await host.tell(space, "lock")
    await until(lambda: server.stages() - others - {wedged} != set())
    assert wedged not in server.stages()
    for voice in (talk.host.voice, talk.guest.voice):
        assert voice is not None
        voice.forget()
    await until(talk.both_hear)
    assert host.voice is not None
    await host.voice.close()
    await host.speak(space, 660)

    (wedged,) = server.stages() - others
    wedged.suspend()
    await host.tell(space, "panic")
    await until(lambda: wedged not in server.stages())
    await eventually(host, space, lambda now: now["replay"] is not None)
    await until(lambda: server.stages() == others)
