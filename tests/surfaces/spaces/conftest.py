"""Spaces over HTTP with real sound behind them: tapes are recorded once and copied to where a test wants them."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.support.people import People

from folkmoot.recordings.actions import close_recording
from folkmoot.surfaces.services import Services
from folkmoot.tape.encode import StepEncoder
from folkmoot.tape.model import Note
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

RECORDED_MS = 14_000
SPACES = "/api/folkmoot/v1/spaces"


def record(directory: Path, *, ended: bool) -> Path:
    """A tape of 14 seconds whose sound grows louder."""
    writer = TapeWriter.open(directory, lambda: 1_800_000_000_000)
    encoder = StepEncoder(writer.next_samples)
    at = np.arange(960)
    for frame in range(RECORDED_MS // 20):
        loudness = 1_000 + 25_000 * frame * 20 // RECORDED_MS
        pcm = np.asarray(loudness * np.sin(2 * np.pi * 440 * (at + frame * 960) / 48_000), np.int16)
        if parts := encoder.encode(pcm):
            writer.append(parts, Note(speaking=(1,)))
    if ended:
        writer.append(encoder.finish(), Note())
        writer.close()
    else:
        writer.release()
    return directory


@pytest.fixture(scope="session")
def ended_tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("ended") / "tape", ended=True)


@pytest.fixture(scope="session")
def live_tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("live") / "tape", ended=False)


class Hall:
    """Holds Spaces as their host would, and puts the sound there that a stage would have recorded."""

    def __init__(
        self, client: httpx.AsyncClient, services: Services, people: People, tapes: dict[bool, Path]
    ) -> None:
        self.client = client
        self.services = services
        self.people = people
        self._tapes = tapes

    async def live(self, host: Any, **fields: Any) -> str:
        """A live Space with 14 seconds of sound. Returns its id."""
        body = {"title": "The Moot", "start": True, "recorded": True, **fields}
        answer = await self.client.post(SPACES, json=body, headers=host.headers)
        assert answer.status_code == 201, answer.text
        space_id: str = answer.json()["id"]
        shutil.copytree(self._tapes[False], self.services.tapes_directory / space_id)
        return space_id

    @asynccontextmanager
    async def going_on(self, space_id: str) -> AsyncIterator[None]:
        """Its stage has recorded half a second more of the tone, of nobody, and goes on meanwhile."""
        writer = TapeWriter.open(self.services.tapes_directory / space_id, lambda: 1_800_000_000_000)

        async def record() -> None:
            encoder, at = StepEncoder(writer.next_samples), np.arange(960)
            for frame in itertools.count():
                pcm = np.asarray(20_000 * np.sin(2 * np.pi * 440 * (at + frame * 960) / 48_000), np.int16)
                if parts := encoder.encode(pcm):
                    writer.append(parts, Note())
                if frame >= 25:
                    await asyncio.sleep(0.02)

        recording = asyncio.create_task(record())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            recording.cancel()
            writer.release()

    async def ended(self, host: Any, **fields: Any) -> str:
        """A Space that is over and whose recording is closed. Returns its id."""
        space_id = await self.live(host, **fields)
        await self.end(host, space_id)
        await self.close(space_id)
        return space_id

    async def end(self, host: Any, space_id: str) -> None:
        answer = await self.client.post(f"{SPACES}/{space_id}/commands", json={"do": "end"}, headers=host.headers)
        assert answer.status_code == 200, answer.text

    async def close(self, space_id: str) -> None:
        directory = self.services.tapes_directory / space_id
        shutil.rmtree(directory)
        shutil.copytree(self._tapes[True], directory)
        with TapeReader(directory) as reader:
            duration_ms = reader.end_ms
        await self.people.system(lambda acting: close_recording(acting, int(space_id), duration_ms))

    async def clip(self, who: Any, space_id: str, start_ms: int, end_ms: int) -> httpx.Response:
        body = {"space": space_id, "start_ms": start_ms, "end_ms": end_ms}
        return await self.client.post("/api/folkmoot/v1/clips", json=body, headers=who.headers)


@pytest.fixture
def hall(client: httpx.AsyncClient, services: Services, people: People, ended_tape: Path, live_tape: Path) -> Hall:
    return Hall(client, services, people, {True: ended_tape, False: live_tape})
