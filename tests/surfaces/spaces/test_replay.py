"""The sound of a Space over plain HTTP, live and afterwards."""

import io
from typing import Any

import av
import httpx
import pytest
from tests.surfaces.spaces.conftest import RECORDED_MS, SPACES, Hall

from folkmoot.gate import Standing
from folkmoot.recordings.actions import DELETE_TAPE, tape_deleter
from folkmoot.storage.jobs import Job
from folkmoot.surfaces.services import Services
from folkmoot.tape.model import TapeDamaged
from folkmoot.tape.reader import TapeReader

# On the default database alone: what it asks PostgreSQL, others ask it too, statement by statement.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def duration_ms(content: bytes) -> int:
    """What a decoder makes of it."""
    with av.open(io.BytesIO(content), "r") as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    return samples * 1000 // 48_000


async def test_hls_of_a_replay_plays_as_a_whole(client: httpx.AsyncClient, hall: Hall, alice: Any) -> None:
    base = f"{SPACES}/{await hall.ended(alice)}/hls"
    master = await client.get(f"{base}/index.m3u8")
    assert "aac/index.m3u8" in master.text
    for codec in ("aac", "opus"):
        playlist = await client.get(f"{base}/{codec}/index.m3u8")
        assert playlist.headers["content-type"].startswith("application/vnd.apple.mpegurl")
        assert playlist.headers["cache-control"] == "public, max-age=5, stale-while-revalidate=5"
        assert playlist.text.rstrip().endswith("#EXT-X-ENDLIST")
        files = [line for line in playlist.text.splitlines() if line.endswith(".m4s")]
        whole = (await client.get(f"{base}/{codec}/init.mp4")).content
        for file in files:
            answer = await client.get(f"{base}/{codec}/{file}")
            assert answer.headers["cache-control"] == "public, max-age=5, stale-while-revalidate=5"
            whole += answer.content
        assert abs(duration_ms(whole) - RECORDED_MS) < 100


async def test_a_range_for_stepping_back(client: httpx.AsyncClient, hall: Hall, alice: Any) -> None:
    base = f"{SPACES}/{await hall.live(alice)}/media/opus"
    answer = await client.get(base, params={"from_ms": 2_050, "to_ms": 4_000})
    assert answer.headers["folkmoot-range-ms"] == "2000-4000"
    init = (await client.get(f"{base}/init.mp4")).content
    assert abs(duration_ms(init + answer.content) - 2_000) <= 20
    beyond = await client.get(base, params={"from_ms": 13_000, "to_ms": 60_000})
    assert beyond.headers["folkmoot-range-ms"] == f"13000-{RECORDED_MS}"
    for from_ms, to_ms, status in ((5, 5, 422), (-1, 5, 422), (0, 60_001, 422), (900_000, 900_001, 416)):
        refused = await client.get(base, params={"from_ms": from_ms, "to_ms": to_ms})
        assert refused.status_code == status, (from_ms, to_ms)
        assert refused.json()["error"]
    assert (await client.get(base, params={"from_ms": "x", "to_ms": 1})).status_code == 422


async def test_the_waveform_follows_the_sound(client: httpx.AsyncClient, hall: Hall, alice: Any) -> None:
    path = f"{SPACES}/{await hall.ended(alice)}/waveform"
    drawn = (await client.get(path, params={"points": 14})).json()
    assert (drawn["step_ms"], drawn["start_ms"], len(drawn["peaks"])) == (1_000, 0, 14)
    assert drawn["peaks"] == sorted(drawn["peaks"])
    assert (await client.get(path, params={"points": 0})).status_code == 422


async def test_download_is_a_file(client: httpx.AsyncClient, hall: Hall, alice: Any) -> None:
    answer = await client.get(f"{SPACES}/{await hall.ended(alice)}/download")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert abs(duration_ms(answer.content) - RECORDED_MS) < 100


async def test_only_the_host_trims_and_what_was_trimmed_is_not_served(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any
) -> None:
    space_id = await hall.ended(alice)
    path = f"{SPACES}/{space_id}/replay"
    assert (await client.patch(path, json={"start_ms": 5_000}, headers=bob.headers)).status_code == 403
    assert (await client.patch(path, json={"start_ms": 5_000})).status_code == 401
    for start_ms in (-1, RECORDED_MS, 10**9):
        refused = await client.patch(path, json={"start_ms": start_ms}, headers=alice.headers)
        assert refused.status_code == 422, start_ms
    trimmed = await client.patch(path, json={"start_ms": 5_000}, headers=alice.headers)
    assert trimmed.json()["replay"]["start_ms"] == 5_000
    base = f"{SPACES}/{space_id}"
    playlist = (await client.get(f"{base}/hls/aac/index.m3u8")).text
    assert "0.m4s" not in playlist.splitlines()
    assert (await client.get(f"{base}/hls/aac/0.m4s")).status_code == 404
    early = await client.get(f"{base}/media/opus", params={"from_ms": 0, "to_ms": 6_000})
    assert early.headers["folkmoot-range-ms"] == "5000-6000"
    assert abs(duration_ms((await client.get(f"{base}/download")).content) - (RECORDED_MS - 5_000)) < 100
    assert (await client.get(f"{base}/waveform")).json()["start_ms"] == 5_000
    back = await client.patch(path, json={"start_ms": 0}, headers=alice.headers)
    assert back.json()["replay"]["start_ms"] == 0


async def test_what_the_host_deletes_is_gone_with_its_files(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any, bob: Any
) -> None:
    space_id = await hall.ended(alice)
    path = f"{SPACES}/{space_id}/replay"
    assert (await client.delete(path, headers=bob.headers)).status_code == 403
    assert (await client.delete(path, headers=alice.headers)).json()["replay"] is None
    assert (await client.delete(path, headers=alice.headers)).status_code == 404
    for what in ("hls/index.m3u8", "hls/aac/0.m4s", "download", "waveform"):
        assert (await client.get(f"{SPACES}/{space_id}/{what}")).status_code == 410
    delete_tape = tape_deleter(services.tapes_directory)
    for _ in range(2):
        await delete_tape(Job(1, "default", DELETE_TAPE, {"space": space_id}, 1))
    assert not (services.tapes_directory / space_id).exists()


async def test_what_is_not_to_be_recorded_is_not_kept(client: httpx.AsyncClient, hall: Hall, alice: Any) -> None:
    space_id = await hall.live(alice, recorded=False)
    live = await client.get(f"{SPACES}/{space_id}/media/aac", params={"from_ms": 0, "to_ms": 2_000})
    assert live.status_code == 200
    await hall.end(alice, space_id)
    assert (await client.get(f"{SPACES}/{space_id}/hls/index.m3u8")).status_code == 410
    await hall.close(space_id)
    assert (await client.get(f"{SPACES}/{space_id}")).json()["replay"] is None
    assert (await client.get(f"{SPACES}/{space_id}/download")).status_code == 410


async def test_before_and_between(client: httpx.AsyncClient, hall: Hall, alice: Any) -> None:
    scheduled = await client.post(SPACES, json={"title": "Later"}, headers=alice.headers)
    assert (await client.get(f"{SPACES}/{scheduled.json()['id']}/hls/index.m3u8")).status_code == 409
    space_id = await hall.live(alice)
    assert (await client.get(f"{SPACES}/{space_id}/download")).status_code == 409
    await hall.end(alice, space_id)
    assert (await client.get(f"{SPACES}/{space_id}/hls/aac/index.m3u8")).status_code == 503
    assert (await client.get(f"{SPACES}/7/hls/index.m3u8")).status_code == 404


async def test_a_closed_space_is_heard_by_whom_it_is_for(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any
) -> None:
    space_id = await hall.ended(alice, audience="invited")
    for what in ("hls/index.m3u8", "hls/aac/0.m4s", "media/aac/init.mp4", "download", "waveform"):
        path = f"{SPACES}/{space_id}/{what}"
        assert (await client.get(path)).status_code == 404, what
        assert (await client.get(path, headers=bob.headers)).status_code == 404, what
        own = await client.get(path, headers=alice.headers)
        assert own.status_code == 200, what
        assert "public" not in own.headers["cache-control"], what


async def test_a_suspended_hosts_spaces_are_silent_until_the_lift(
    client: httpx.AsyncClient, hall: Hall, alice: Any
) -> None:
    path = f"{SPACES}/{await hall.ended(alice)}/hls/aac/0.m4s"
    await hall.people.put(alice.id, Standing.SUSPENDED)
    assert (await client.get(path)).status_code == 404
    await hall.people.put(alice.id, Standing.ACTIVE)
    assert (await client.get(path)).status_code == 200


async def test_a_damaged_tape_is_gone_not_a_failure(
    client: httpx.AsyncClient, hall: Hall, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    space_id = await hall.ended(alice)

    def damaged(*_args: object) -> None:
        raise TapeDamaged("bits")

    monkeypatch.setattr(TapeReader, "speech", damaged)
    answer = await client.get(f"{SPACES}/{space_id}/seats", params={"from_ms": 0, "to_ms": 1_000})
    assert (answer.status_code, answer.json()["code"]) == (410, "recording_damaged")
