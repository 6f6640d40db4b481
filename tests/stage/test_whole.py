"""A stage process for real: two peers talk, the tape has both; it is killed and goes on; it is stopped; it ends."""

import asyncio
import contextlib
import io
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from tests.stage.peers import Client, has_tone, until
from tests.support.waiting import PATIENCE_S, Starved

from folkmoot.stage.client import StageClient, StageGone
from folkmoot.tape.model import Codec
from folkmoot.tape.reader import TapeReader

pytestmark = pytest.mark.slow
LEAVES_WITHIN_S = 3.0

_RUN = """
import pathlib, sys
from folkmoot.stage.process import StageConfig, run_stage
from tests.stage.fakes import FakeLeases
folder = pathlib.Path(sys.argv[1])
run_stage(StageConfig(socket_path=folder / "stage.sock", tape_directory=folder / "tape"), FakeLeases())
"""


class Process:
    """A stage process of its own, as the supervisor starts one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tape = folder / "tape"
        self.running = subprocess.Popen([sys.executable, "-c", _RUN, str(folder)])

    async def connect(self) -> StageClient:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(StageGone):
                    return await StageClient.connect(self.folder / "stage.sock")
                assert self.running.poll() is None
                await asyncio.sleep(0.02)

    async def exit_code(self) -> int:
        await until(lambda: self.running.poll() is not None)
        return self.running.wait()


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[[], Process]]:
    started: list[Process] = []

    def begin() -> Process:
        started.append(Process(tmp_path))
        return started[-1]

    yield begin
    for one in started:
        if one.running.poll() is None:
            one.running.kill()
        one.running.wait()


def joining(stage: StageClient, seat: int) -> Callable[[str], Awaitable[str]]:
    async def answer(sdp: str) -> str:
        return (await stage.offer(seat, sdp, [("account:1", 0)])).sdp

    return answer


def sound_of(tape: Path, codec: Codec, from_ms: int, to_ms: int) -> npt.NDArray[np.int16]:
    """What the tape's parts of a range decode to."""
    with TapeReader(tape) as reader:
        data = reader.init(codec) + reader.read(reader.parts(codec, from_ms, to_ms))
    with av.open(io.BytesIO(data), "r") as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return np.concatenate([(frame * 32767).astype(np.int16) for frame in frames])


def length_ms(tape: Path) -> int:
    with TapeReader(tape) as reader:
        return reader.end_ms


async def test_a_talk_is_on_tape_survives_a_kill_and_goes_on(
    start: Callable[[], Process], clients: Callable[..., Client]
) -> None:
    first = start()
    stage = await first.connect()
    low, high = clients(440), clients(1000)
    await low.join(joining(stage, 1))
    await high.join(joining(stage, 2))
    await until(lambda: low.hears(1000) and high.hears(440))
    from_ms = (await stage.status()).timeline_ms
    await until(lambda: length_ms(first.tape) > from_ms + 600)
    first.running.kill()
    first.running.wait()
    await stage.close()
    killed_at_ms = length_ms(first.tape)
    for codec in Codec:
        sound = sound_of(first.tape, codec, from_ms + 200, from_ms + 600)
        assert has_tone(sound, 440)
        assert has_tone(sound, 1000)

    second = start()
    stage = await second.connect()
    again = clients(700)
    await again.join(joining(stage, 1))
    resumed_ms = (await stage.status()).timeline_ms
    assert resumed_ms > killed_at_ms
    await until(lambda: length_ms(second.tape) > resumed_ms + 700)
    assert has_tone(sound_of(second.tape, Codec.OPUS, resumed_ms + 400, resumed_ms + 700), 700)
    await stage.end()
    await stage.close()
    assert await second.exit_code() == 0
    with TapeReader(second.tape) as reader:
        assert reader.ended
        assert any(note.gap for _, note in reader.notes(killed_at_ms - 100, resumed_ms))
        assert {seat for seat, _, _ in reader.speech(0, killed_at_ms)} == {1, 2}


async def test_sigterm_leaves_within_3_s_and_the_tape_can_go_on(
    start: Callable[[], Process], clients: Callable[..., Client]
) -> None:
    one = start()
    stage = await one.connect()
    speaker = clients(440)
    await speaker.join(joining(stage, 1))
    await until(lambda: (one.tape / "tape.json").exists() and length_ms(one.tape) > 300)
    asked_s, starved = time.monotonic(), Starved()
    one.running.send_signal(signal.SIGTERM)
    assert await one.exit_code() == 0
    assert time.monotonic() - asked_s - starved.s() < LEAVES_WITHIN_S
    await stage.close()
    await until(lambda: speaker.connection.connectionState == "closed")
    with TapeReader(one.tape) as reader:
        assert not reader.ended
