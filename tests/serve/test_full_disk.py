"""A disk that fills up while a Space is recorded: the talk goes on, the host is told, recording resumes."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.serve.moot import SPACES, Moot, Person, Talk, sentence_of
from tests.stage.peers import until
from tests.support.server import Server, running_server
from tests.support.waiting import PATIENCE_S

from folkmoot.tape.model import Codec
from folkmoot.tape.reader import TapeReader

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]


class SmallDisk:
    """A file system of its own, in memory."""

    def __init__(self, at: Path) -> None:
        self.at = at
        self._ballast = at / "ballast"

    def fill(self) -> None:
        with contextlib.suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)

    def free(self) -> None:
        self._ballast.unlink()


@contextlib.contextmanager
def small_disk(at: Path, size: str) -> Iterator[SmallDisk]:
    at.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(at)], check=False)
    if mounted.returncode != 0:
        pytest.fail("mounting a small disk needs root: run the tests as root, or in a container")
    try:
        yield SmallDisk(at)
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    """Holds all that the server keeps: the tapes and the database."""
    with small_disk(tmp_path_factory.mktemp("disk") / "data", "24m") as disk:
        yield disk


@pytest.fixture(scope="module")
def server(disk: SmallDisk) -> Iterator[Server]:
    with running_server(disk.at) as running:
        yield running


@asynccontextmanager
async def followed(person: Person, space: dict[str, Any]) -> AsyncIterator[list[str]]:
    """The lines of a Space's event stream, as they come."""
    lines: list[str] = []
    heard = lines.append

    async def follow() -> None:
        async with person.http.stream("GET", f"{SPACES}/{space['id']}/events", timeout=PATIENCE_S) as answer:
            async for line in answer.aiter_lines():
                heard(line)

    following = asyncio.create_task(follow())
    try:
        await until(lambda: "event: space" in lines)
        yield lines
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


def said(lines: list[str], word: str) -> bool:
    return any(line.startswith("data:") and word in line for line in lines)


async def test_a_full_disk(talk: Talk, moot: Moot, disk: SmallDisk, server: Server) -> None:
    tape = server.data / "tapes" / talk.space["id"]
    await until(lambda: end_of(tape) > 2_000)
    async with followed(talk.host, talk.space) as lines:
        async with talk.undisturbed():
            disk.fill()
            await until(lambda: said(lines, "tape_full"))
            await until(lambda: said(lines, '"recording_state":"disk_full"'))
            assert (await talk.host.look(talk.space))["recording_state"] == "disk_full"
            full = await talk.guest.http.post("/api/v1/statuses", json={"status": "Can you hear me?"})
            await asyncio.sleep(1)
        with TapeReader(tape) as reader:
            kept_ms = reader.end_ms
        disk.free()
        await until(lambda: said(lines, "tape_ok"))
        assert (await talk.host.look(talk.space))["recording_state"] == "recording"
    assert sentence_of(full, 507) == "disk_full"
    log = server.log.read_text()
    assert log.index("stages.tape_full") < log.index("stages.tape_ok")
    assert "disk.low" in log
    await until(lambda: end_of(tape) > kept_ms + 2_000)
    assert (await talk.guest.http.post("/api/v1/statuses", json={"status": "Again"})).status_code == 200
    await talk.host.tell(talk.space, "end")
    async with asyncio.timeout(PATIENCE_S):
        while (replay := (await talk.host.look(talk.space))["replay"]) is None:
            await asyncio.sleep(0.05)
    with TapeReader(tape) as reader:
        parts = reader.parts(Codec.AAC, 0, reader.end_ms)
        assert parts[0].start_ms == 0
        assert all(a.end_samples == b.start_samples for a, b in pairwise(parts))
        gaps = [part for part in parts if part.gap]
        assert gaps
        assert abs(gaps[0].start_ms - kept_ms) < 400
        assert abs(reader.end_ms - replay["duration_ms"]) < 300
    clip = {"space": talk.space["id"], "start_ms": kept_ms - 1_500, "end_ms": kept_ms + 1_500}
    answer = await talk.guest.http.post("/api/folkmoot/v1/clips", json=clip)
    assert answer.status_code == 201, sentence_of(answer, 422)


def end_of(tape: Path) -> int:
    with TapeReader(tape) as reader:
        return reader.end_ms
