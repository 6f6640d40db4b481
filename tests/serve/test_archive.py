"""Recordings in a bucket: copied while people talk, released here, heard from there, deleted in both places."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.serve.moot import SPACES, Moot, Talk, sentence_of
from tests.stage.peers import until
from tests.support.s3 import BUCKET, S3Server
from tests.support.server import Server, running_server
from tests.support.waiting import PATIENCE_S

from folkmoot.storage.objects import ObjectStore
from folkmoot.tape import archive
from folkmoot.tape.model import Codec
from folkmoot.tape.reader import TapeReader

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]
LOCATION = f"s3://{BUCKET}/folder"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    server = S3Server()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
    server.stop()


@pytest.fixture(scope="module")
def server(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("archive") / "data"
    with running_server(data, media=LOCATION, tape_local_days="0") as running:
        yield running


@pytest.fixture(scope="module")
def bucket(s3: S3Server) -> ObjectStore:
    return ObjectStore.open(LOCATION)


async def copied(bucket: ObjectStore, space: dict[str, Any]) -> int:
    return len(await bucket.keys(f"tapes/{space['id']}"))


async def eventually_more(bucket: ObjectStore, space: dict[str, Any], than: int) -> int:
    async with asyncio.timeout(PATIENCE_S):
        while (count := await copied(bucket, space)) <= than:
            await asyncio.sleep(0.1)
    return count


def grown_old(tape: Path) -> None:
    """As if nobody had touched it for two hours."""
    for codec in Codec:
        sound = tape / f"{codec}.mp4"
        before_s = sound.stat().st_mtime - 7200
        os.utime(sound, (before_s, before_s))


async def test_a_talk_is_copied_while_it_goes_on(
    talk: Talk, bucket: ObjectStore, s3: S3Server, server: Server
) -> None:
    await eventually_more(bucket, talk.space, 2)
    with s3.away():
        async with talk.undisturbed():
            await until(lambda: "archive.failed" in server.log.read_text())
    await eventually_more(bucket, talk.space, await copied(bucket, talk.space))


async def test_a_replay_is_heard_from_the_bucket(
    talk: Talk, bucket: ObjectStore, s3: S3Server, server: Server, moot: Moot
) -> None:
    tape = server.data / "tapes" / talk.space["id"]
    await talk.host.tell(talk.space, "end")
    sound = f"{SPACES}/{talk.space['id']}"
    async with asyncio.timeout(PATIENCE_S):
        while (await talk.host.look(talk.space))["replay"] is None:
            await asyncio.sleep(0.05)
    with TapeReader(tape) as reader:
        segments = len(reader.segments(Codec.AAC)) + len(reader.segments(Codec.OPUS))
    asked = [f"{sound}/hls/aac/0.m4s", f"{sound}/media/opus?from_ms=1000&to_ms=9000", f"{sound}/waveform"]
    before = [(await talk.guest.http.get(address)).content for address in asked]
    await eventually_more(bucket, talk.space, segments)
    grown_old(tape)
    await until(lambda: archive.is_released(tape))
    assert [(await talk.guest.http.get(address)).content for address in asked] == before
    clip = {"space": talk.space["id"], "start_ms": 2_500, "end_ms": 6_500}
    assert (await talk.guest.http.post("/api/folkmoot/v1/clips", json=clip)).status_code == 201
    with s3.away():
        away = await talk.guest.http.get(f"{sound}/hls/aac/2.m4s", timeout=PATIENCE_S)
    assert sentence_of(away, 503) == "store_away"
    assert (await talk.guest.http.get(f"{sound}/hls/aac/2.m4s")).status_code == 200


async def test_deleting_a_recording_empties_the_bucket(talk: Talk, bucket: ObjectStore, server: Server) -> None:
    answer = await talk.host.http.delete(f"{SPACES}/{talk.space['id']}/replay")
    assert answer.status_code == 200
    async with asyncio.timeout(PATIENCE_S):
        while await copied(bucket, talk.space):
            await asyncio.sleep(0.05)
    assert not (server.data / "tapes" / talk.space["id"]).exists()
