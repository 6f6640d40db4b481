"""`folkmoot tape restore`, with the copy in an S3 server."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.s3 import BUCKET, S3Server
from tests.tape.conftest import _step_parts
from tests.tape.evening import Evening
from typer.testing import CliRunner

from folkmoot.__main__ import app
from folkmoot.bench.tape import parts_of_step
from folkmoot.storage.objects import ObjectStore
from folkmoot.tape import archive, away
from folkmoot.tape.model import Codec, Note
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

pytestmark = pytest.mark.slow


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    server = S3Server()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FOLKMOOT_MEDIA", f"s3://{BUCKET}")
    yield server
    server.stop()
    away.fetch_with(None)


def recorded(directory: Path) -> None:
    writer = TapeWriter.open(directory, lambda: 1_700_000_000_000)
    for step in range(90):
        writer.append(parts_of_step(step), Note(speaking=(1,)))
    writer.close()


async def copied(tape: Path) -> None:
    store = ObjectStore.open(f"s3://{BUCKET}")
    while not (await archive.copy_some(tape, store)).complete:
        pass


def sound(directory: Path) -> bytes:
    with TapeReader(directory) as reader:
        return reader.read(reader.parts(Codec.AAC, 0, reader.end_ms))


def test_a_lost_recording_comes_back(s3: S3Server, tmp_path: Path) -> None:
    tape = tmp_path / "tapes" / "77"
    recorded(tape)
    before = sound(tape)
    asyncio.run(copied(tape))
    arguments = ["tape", "restore", "77", "--data", str(tmp_path)]
    there = CliRunner().invoke(app, arguments)
    assert (there.exit_code, "is there already" in there.output) == (1, True)
    shutil.rmtree(tape)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "aac: 3 segments" in done.output
    assert sound(tape) == before
    missing = CliRunner().invoke(app, ["tape", "restore", "78", "--data", str(tmp_path)])
    assert (missing.exit_code, "no copy" in missing.output) == (1, True)
    shutil.rmtree(tape)
    with s3.away():
        away_now = CliRunner().invoke(app, arguments)
    assert away_now.exit_code == 1
    assert away_now.output.startswith("Not restored: "), away_now.output


def test_a_recording_that_is_in_the_bucket_only_is_verified(s3: S3Server, tmp_path: Path) -> None:
    evening = Evening(tmp_path / "tapes" / "7", _step_parts)
    evening.say(90)
    evening.sign()
    evening.writer.close()
    evening.sign()
    asyncio.run(copied(evening.directory))
    store = ObjectStore.open(f"s3://{BUCKET}")
    assert asyncio.run(archive.release(evening.directory, store, time.time() + 2 * archive.UNTOUCHED_S)) > 0
    done = CliRunner().invoke(app, ["tape", "verify", str(evening.directory)])
    assert done.exit_code == 0, done.output
    assert "opus: intact" in done.output


def test_without_a_bucket_it_says_so(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["tape", "restore", "77", "--data", str(tmp_path)])
    assert done.exit_code == 1
    assert "names no bucket" in done.output
