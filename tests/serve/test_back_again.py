"""A stage process that dies or stands still is back before people give up; so is who changed networks."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest
from tests.serve.moot import SPACES, Moot, Person, Talk
from tests.serve.test_tapes import damage
from tests.stage.peers import Client, until
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S, Starved

from folkmoot.tape import index
from folkmoot.tape.reader import TapeReader

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]
BACK_WITHIN_S = 3.0
WEDGED_BACK_WITHIN_S = 6.0


class Returning:
    """A speaker's client: it hears of a new stage process by the event stream, and offers anew at once."""

    def __init__(self, person: Person, space: dict[str, Any], frequency: float) -> None:
        self.generations: list[int] = []
        self.told_s = 0.0
        self._person = person
        self._space = space
        self._frequency = frequency

    async def follow(self) -> None:
        path = f"{SPACES}/{self._space['id']}/events"
        async with self._person.http.stream("GET", path, timeout=PATIENCE_S) as answer:
            event = ""
            async for line in answer.aiter_lines():
                name, _, value = line.partition(":")
                if name == "event":
                    event = value.strip()
                elif name == "data" and event == "stage":
                    await self._hear(json.loads(value)["generation"])

    async def _hear(self, generation: int) -> None:
        is_new = bool(self.generations) and self.generations[-1] != generation
        self.generations.append(generation)
        if not is_new:
            return
        self.told_s = time.monotonic()
        assert self._person.voice is not None
        await self._person.voice.close()
        await self._person.speak(self._space, self._frequency)


@asynccontextmanager
async def following(talk: Talk) -> AsyncIterator[tuple[Returning, Returning]]:
    """Both speakers follow the Space, and know which stage process they are on."""
    both = (Returning(talk.host, talk.space, 440), Returning(talk.guest, talk.space, 880))
    tasks = [asyncio.create_task(one.follow()) for one in both]
    await until(lambda: all(one.generations for one in both))
    yield both
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(ended, asyncio.CancelledError), ended


def stage_of(server: Server) -> psutil.Process:
    (only,) = server.stages()
    return only


async def heard_again_s(
    talk: Talk, both: tuple[Returning, Returning], stop: Callable[[], None]
) -> tuple[float, float]:
    """Seconds from `stop` until both were told of the next stage process, and until each hears the other again."""
    before = [one.generations[-1] for one in both]
    stopped_s, starved = time.monotonic(), Starved()
    stop()
    await until(lambda: all(one.generations[-1] > then for one, then in zip(both, before, strict=True)))
    told_s = max(one.told_s for one in both) - stopped_s - starved.s()
    for voice in (talk.host.voice, talk.guest.voice):
        assert voice is not None
        voice.forget()
    await until(talk.both_connected)
    await until(talk.both_hear)
    return told_s, time.monotonic() - stopped_s - starved.s()


async def test_a_stage_that_is_killed_is_back_and_the_gap_is_marked(talk: Talk, server: Server) -> None:
    async with following(talk) as both:
        told_s, heard_s = await heard_again_s(talk, both, stage_of(server).kill)
        print(f"killed: told after {told_s:.2f} s, heard again after {heard_s:.2f} s")
        assert heard_s < BACK_WITHIN_S
        # Shortly after, it is no first time any more: still in time.
        told_s, heard_s = await heard_again_s(talk, both, stage_of(server).kill)
        print(f"killed again: told after {told_s:.2f} s, heard again after {heard_s:.2f} s")
        assert heard_s < BACK_WITHIN_S
    with TapeReader(server.data / "tapes" / talk.space["id"]) as tape:
        assert any(note.gap for _, note in tape.notes(0, tape.end_ms))
    await require_on_stage(talk)


async def test_a_stage_that_stands_still_is_back(talk: Talk, server: Server) -> None:
    async with following(talk) as both:
        told_s, heard_s = await heard_again_s(talk, both, stage_of(server).suspend)
        print(f"wedged: told after {told_s:.2f} s, heard again after {heard_s:.2f} s")
        assert told_s < WEDGED_BACK_WITHIN_S
    await require_on_stage(talk)


async def test_a_space_whose_tape_broke_ends_instead_of_being_tried_for_ever(moot: Moot, server: Server) -> None:
    others = server.stages()
    host = await moot.person("vera")
    space = await host.open_space("On a broken disk")
    await host.speak(space, 660)
    (stage,) = server.stages() - others
    tape = server.data / "tapes" / space["id"]
    await until(lambda: (tape / "aac.index").stat().st_size > index.HEADER_BYTES)
    stage.suspend()
    damage(tape / "aac.index")
    stage.kill()
    async with asyncio.timeout(PATIENCE_S):
        while (now := await host.look(space))["state"] == "live":
            await asyncio.sleep(0.2)
    assert now["ended_reason"] == "tape_lost"
    await until(lambda: server.stages() == others)


@pytest.mark.parametrize("away_s", [0.0, 11.0], ids=["at once", "after the stage has given up"])
async def test_a_speaker_whose_network_changed_is_heard_again(talk: Talk, away_s: float) -> None:
    assert talk.host.voice is not None
    assert talk.guest.voice is not None
    before = talk.guest.voice
    cut_off(before)
    await asyncio.sleep(away_s)
    talk.host.voice.forget()
    offered_s, starved = time.monotonic(), Starved()
    await talk.guest.speak(talk.space, 880)
    await until(talk.both_hear)
    took_s = time.monotonic() - offered_s - starved.s()
    print(f"heard {took_s:.2f} s after the new offer, of which 0.3 s are the tone that has to be there")
    assert took_s < BACK_WITHIN_S
    await require_on_stage(talk)
    await before.close()


def cut_off(voice: Client) -> None:
    """Its network is gone from one moment to the next: nothing is sent any more, also no farewell."""
    for sender in voice.connection.getSenders():
        for protocol in sender.transport.transport._connection._protocols:
            protocol.transport.abort()


async def require_on_stage(talk: Talk) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while [one["connected"] for one in (await talk.host.look(talk.space))["stage"]] != [True, True]:
            await asyncio.sleep(0.05)
