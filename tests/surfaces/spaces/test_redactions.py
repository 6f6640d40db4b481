"""What is taken out is gone from everything that is served, and everything says so."""

import asyncio
import io
import shutil
from pathlib import Path
from typing import Any

import av
import httpx
import msgspec
import numpy as np
import pytest
from sqlalchemy import insert, select
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import FakeStages
from tests.surfaces.spaces.conftest import RECORDED_MS, SPACES, Hall
from tests.surfaces.spaces.test_clips import path_of, post_clip

from folkmoot.clips.redacting import Carrying
from folkmoot.gate import Acting, Role, Standing
from folkmoot.recordings.redacting import REDACT, TAKE_BACK
from folkmoot.storage.jobs import Job
from folkmoot.storage.objects import ObjectStore
from folkmoot.storage.tables.bus import jobs
from folkmoot.storage.tables.posts import media
from folkmoot.storage.tables.spaces import redactions
from folkmoot.surfaces.services import Services

FROM_MS, TO_MS = 3_050, 4_180
RANGE = {"from_ms": FROM_MS, "to_ms": TO_MS, "reason": "private_information"}


def decoded(content: bytes) -> np.ndarray[Any, Any]:
    """What a decoder makes of it, from its first sample on."""
    with av.open(io.BytesIO(content), "r") as container:
        return np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])


def loudest(pcm: np.ndarray[Any, Any], from_ms: int, to_ms: int) -> float:
    return float(np.abs(pcm[from_ms * 48 : to_ms * 48]).max())


async def redact(hall: Hall, who: Any, space_id: str, **fields: Any) -> httpx.Response:
    return await hall.client.post(f"{SPACES}/{space_id}/redactions", json={**RANGE, **fields}, headers=who.headers)


async def heard(hall: Hall, space_id: str, codec: str, from_ms: int, to_ms: int) -> np.ndarray[Any, Any]:
    base = f"{SPACES}/{space_id}/media/{codec}"
    init = (await hall.client.get(f"{base}/init.mp4")).content
    part = await hall.client.get(base, params={"from_ms": from_ms, "to_ms": to_ms})
    assert part.status_code == 200, part.text
    return decoded(init + part.content)


@pytest.mark.parametrize("codec", ["opus", "aac"])
async def test_live_it_is_gone_at_once_and_everybody_is_told(hall: Hall, alice: Any, bob: Any, codec: str) -> None:
    space_id = await hall.live(alice)
    assert loudest(await heard(hall, space_id, codec, 2_000, 5_000), 1_300, 1_900) > 0.01
    roster = (await hall.client.get(f"{SPACES}/{space_id}")).json()["roster"]
    answer = await redact(hall, alice, space_id)
    assert answer.status_code == 200, answer.text
    # What the sound carries: who listens without following anything looks at the Space anew.
    assert answer.json()["roster"] == roster + 1
    pcm = await heard(hall, space_id, codec, 2_000, 5_000)
    assert loudest(pcm, 1_150, 2_050) < 0.001
    assert loudest(pcm, 300, 900) > 0.01
    (mark,) = (await hall.client.get(f"{SPACES}/{space_id}", headers=bob.headers)).json()["redactions"]
    assert mark == {
        "id": mark["id"],
        "from_ms": 3_000,
        "to_ms": 4_200,
        "kind": "private_information",
        "sentence": "Private information was said here.",
        "by_role": "host",
        "at": mark["at"],
    }


async def test_replay_hls_waveform_and_download_are_silent_there(
    client: httpx.AsyncClient, hall: Hall, alice: Any
) -> None:
    space_id = await hall.ended(alice)
    base = f"{SPACES}/{space_id}"
    before = (await client.get(f"{base}/hls/aac/index.m3u8")).text
    assert (await redact(hall, alice, space_id)).status_code == 200
    for codec in ("aac", "opus"):
        playlist = (await client.get(f"{base}/hls/{codec}/index.m3u8")).text
        files = [line for line in playlist.splitlines() if line.endswith(".m4s")]
        whole = (await client.get(f"{base}/hls/{codec}/init.mp4")).content
        for file in files:
            whole += (await client.get(f"{base}/hls/{codec}/{file}")).content
        pcm = decoded(whole)
        assert loudest(pcm, FROM_MS, TO_MS) < 0.001
        assert loudest(pcm, 1_000, 2_000) > 0.01
        assert 'CLASS="org.folkmoot.redaction",START-DATE="2027-01-15T08:00:03.000Z",DURATION=1.200,' in playlist
        assert 'X-REASON="private_information",X-BY="host"' in playlist
        # Caches know the segment by another address now.
        assert len(set(files) - set(before.splitlines())) == 2
    peaks = (await client.get(f"{base}/waveform", params={"points": 140})).json()["peaks"]
    assert not any(peaks[31:41])
    assert peaks[25]
    pcm = decoded((await client.get(f"{base}/download")).content)
    assert loudest(pcm, FROM_MS + 30, TO_MS) < 0.001


@pytest.mark.parametrize("tape_is_gone", [False, True])
async def test_published_clips_are_silent_under_the_same_address(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any, bob: Any, tape_is_gone: bool
) -> None:
    space_id = await hall.ended(alice)
    status = await post_clip(hall, bob, space_id)  # 2 to 5 s
    url = path_of(status["media_attachments"][0]["url"])
    before = await client.get(url)
    assert loudest(decoded(before.content), 1_200, 2_100) > 0.01
    if tape_is_gone:
        shutil.rmtree(services.tapes_directory / space_id)
    assert (await redact(hall, alice, space_id)).status_code == 200
    after = await client.get(url, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    pcm = decoded(after.content)
    assert loudest(pcm, 1_080, 2_150) < 0.001
    assert loudest(pcm, 200, 900) > 0.01
    assert loudest(pcm, 2_350, 2_900) > 0.01
    shown = (await client.get(f"/api/v1/statuses/{status['id']}")).json()
    (mark,) = shown["folkmoot"]["clip"]["taken_out"]
    assert (mark["from_ms"], mark["to_ms"], mark["kind"]) == (1_000, 2_200, "private_information")
    (attached,) = shown["media_attachments"]
    assert "1.2 s were taken out. Private information was said here." in attached["description"]
    waveform = attached["meta"]["waveform"]
    assert not any(waveform[len(waveform) * 12 // 30 : len(waveform) * 20 // 30])


@pytest.mark.parametrize("tape_is_gone", [False, True])
async def test_a_clip_whose_file_was_lost_keeps_no_other_audible(
    hall: Hall, services: Services, alice: Any, bob: Any, tape_is_gone: bool
) -> None:
    space_id = await hall.ended(alice)
    for who in (bob, alice):
        assert (await hall.clip(who, space_id, 2_000, 6_000)).status_code == 201
    async with services.database.read() as read:
        keys = list((await read.connection.execute(select(media.c.object_key).order_by(media.c.id))).scalars())
    await services.objects.delete(keys[0])
    if tape_is_gone:
        shutil.rmtree(services.tapes_directory / space_id)
    assert (await redact(hall, alice, space_id)).status_code == 200
    assert loudest(decoded(await services.objects.get(keys[1])), 1_150, 2_050) < 0.001


async def test_a_clip_that_cannot_be_stored_keeps_no_other_audible(
    hall: Hall, services: Services, alice: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    space_id = await hall.ended(alice)
    for who in (bob, alice):
        assert (await hall.clip(who, space_id, 2_000, 6_000)).status_code == 201
    async with services.database.read() as read:
        keys = list((await read.connection.execute(select(media.c.object_key).order_by(media.c.id))).scalars())
    put = ObjectStore.put

    async def fails_for_one(store: ObjectStore, key: str, content: bytes | Path, content_type: str) -> None:
        if key == keys[0]:
            raise OSError("no space left")
        await put(store, key, content, content_type)

    with monkeypatch.context() as patched:
        patched.setattr(ObjectStore, "put", fails_for_one)
        refused = await redact(hall, alice, space_id)
    assert (refused.status_code, refused.json()["code"]) == (503, "not_yet_taken_out")
    assert loudest(decoded(await services.objects.get(keys[1])), 1_150, 2_050) < 0.001
    await run_jobs(services)
    assert loudest(decoded(await services.objects.get(keys[0])), 1_150, 2_050) < 0.001


async def test_a_clip_cut_afterwards_says_what_is_missing(
    hall: Hall, clock: FakeClock, alice: Any, bob: Any
) -> None:
    space_id = await hall.ended(alice)
    await redact(hall, alice, space_id)
    # It may have been cut while that was at work.
    assert (await hall.clip(bob, space_id, 2_000, 5_000)).json()["code"] == "recording_changed"
    assert (await hall.clip(bob, space_id, 6_000, 9_000)).status_code == 201
    clock.advance_ms(1)
    status = await post_clip(hall, bob, space_id)
    assert len(status["folkmoot"]["clip"]["taken_out"]) == 1


async def test_hosts_and_moderators_take_out_and_nobody_else(
    hall: Hall, people: People, alice: Any, bob: Any
) -> None:
    space_id = await hall.ended(alice)
    refused = await redact(hall, bob, space_id)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_host")
    assert (await hall.client.post(f"{SPACES}/{space_id}/redactions", json=RANGE)).status_code == 401
    moderator = await people.create("keeper", Role.MODERATOR)
    headers = {"authorization": f"Bearer {await people.token(moderator)}"}
    answer = await hall.client.post(f"{SPACES}/{space_id}/redactions", json=RANGE, headers=headers)
    assert answer.json()["redactions"][0]["by_role"] == "moderator"
    assert answer.json()["you"]["may_redact"]
    await people.put(alice.id, Standing.SUSPENDED)
    assert (await redact(hall, alice, space_id)).status_code == 401


async def test_a_moderator_takes_out_of_a_space_that_only_others_may_see(
    hall: Hall, people: People, alice: Any, bob: Any
) -> None:
    space_id = await hall.live(alice, audience="invited")
    moderator = await people.create("keeper", Role.MODERATOR)
    headers = {"authorization": f"Bearer {await people.token(moderator)}"}
    answer = await hall.client.post(f"{SPACES}/{space_id}/redactions", json=RANGE, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["redactions"][0]["by_role"] == "moderator"
    assert (await hall.client.get(f"{SPACES}/{space_id}", headers=headers)).status_code == 404
    assert (await redact(hall, bob, space_id)).status_code == 404
    missing = await hall.client.post(f"{SPACES}/1/redactions", json=RANGE, headers=headers)
    assert missing.status_code == 404


async def test_a_list_of_spaces_holds_some_of_what_was_taken_out_and_one_space_all(
    hall: Hall, people: People, alice: Any
) -> None:
    space_id = await hall.live(alice)

    async def decide(acting: Acting) -> None:
        fields = {"space_id": int(space_id), "reason": "other", "by_role": "host", "decided_at_ms": acting.now_ms}
        rows = [
            {**fields, "id": acting.tx.new_id(), "from_ms": at, "to_ms": at + 100, "applied_at_ms": acting.now_ms}
            for at in range(0, 10_000, 100)
        ]
        await acting.tx.connection.execute(insert(redactions), rows)

    await people.system(decide)
    (listed,) = (await hall.client.get(SPACES)).json()
    assert [one["from_ms"] for one in listed["redactions"]] == [*range(0, 5_000, 100)]
    assert len((await hall.client.get(f"{SPACES}/{space_id}")).json()["redactions"]) == 100


@pytest.mark.parametrize(
    "fields",
    [
        {"from_ms": -1},
        {"to_ms": FROM_MS},
        {"from_ms": RECORDED_MS, "to_ms": RECORDED_MS + 1},
        {"to_ms": 4_000_000},
        {"reason": "consent_withdrawn"},
        {"reason": "because"},
        {"words": "12 Mill Lane"},
        {"from_ms": 2**70},
    ],
)
async def test_what_cannot_be_taken_out_is_refused_with_a_sentence(
    hall: Hall, alice: Any, fields: dict[str, Any]
) -> None:
    space_id = await hall.ended(alice)
    refused = await redact(hall, alice, space_id, **fields)
    assert refused.status_code in (400, 422)
    assert refused.json()["error"]
    assert (await hall.client.get(f"{SPACES}/{space_id}")).json()["redactions"] == []


@pytest.mark.parametrize("codec", ["opus", "aac"])
async def test_up_to_now_leaves_nothing_of_the_last_words(hall: Hall, alice: Any, codec: str) -> None:
    space_id = await hall.live(alice)
    async with hall.going_on(space_id):
        answer = await redact(hall, alice, space_id, from_ms=12_000, to_ms=60_000)
    assert answer.status_code == 200, answer.text
    (mark,) = answer.json()["redactions"]
    assert RECORDED_MS - 100 <= mark["to_ms"] <= RECORDED_MS + 2_000
    pcm = await heard(hall, space_id, codec, 12_000, mark["to_ms"])
    assert loudest(pcm, 150, mark["to_ms"] - 12_000) < 0.001


async def test_last_words_whose_sound_is_not_all_there_yet_wait_for_the_job(
    hall: Hall, services: Services, alice: Any
) -> None:
    space_id = await hall.live(alice)
    refused = await redact(hall, alice, space_id, from_ms=12_000, to_ms=60_000)
    assert (refused.status_code, refused.json()["code"]) == (503, "not_yet_taken_out")
    assert loudest(await heard(hall, space_id, "aac", 12_000, RECORDED_MS), 150, 1_900) < 0.001
    async with hall.going_on(space_id):
        await run_jobs(services)
    (mark,) = (await hall.client.get(f"{SPACES}/{space_id}")).json()["redactions"]
    pcm = await heard(hall, space_id, "aac", 12_000, mark["to_ms"])
    assert loudest(pcm, 150, mark["to_ms"] - 12_000) < 0.001


async def test_a_space_that_is_not_recorded_has_a_minute_to_take_out_from(hall: Hall, alice: Any) -> None:
    space_id = await hall.live(alice, recorded=False)
    assert (await redact(hall, alice, space_id)).status_code == 200
    assert loudest(await heard(hall, space_id, "opus", 2_000, 5_000), 1_150, 2_050) < 0.001


async def test_two_at_once_leave_nothing_of_either_in_a_clip(hall: Hall, alice: Any, bob: Any) -> None:
    space_id = await hall.ended(alice)
    status = await post_clip(hall, bob, space_id)
    both = [redact(hall, alice, space_id, from_ms=at, to_ms=at + 500) for at in (2_500, 4_000)]
    assert [answer.status_code for answer in await asyncio.gather(*both)] == [200, 200]
    pcm = decoded((await hall.client.get(path_of(status["media_attachments"][0]["url"]))).content)
    assert loudest(pcm, 530, 1_000) < 0.001
    assert loudest(pcm, 2_030, 2_500) < 0.001
    shown = (await hall.client.get(f"/api/v1/statuses/{status['id']}")).json()
    assert len(shown["folkmoot"]["clip"]["taken_out"]) == 2


async def test_what_a_crash_left_undone_is_done_by_the_job(
    hall: Hall, services: Services, alice: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    space_id = await hall.ended(alice)
    status = await post_clip(hall, bob, space_id)
    before = (await hall.client.get(path_of(status["media_attachments"][0]["url"]))).content

    async def die(*_: object) -> None:
        raise OSError("the process dies here")

    with monkeypatch.context() as patched:
        patched.setattr(Carrying, "carry_out", die)
        refused = await redact(hall, alice, space_id)
    assert (refused.status_code, refused.json()["code"]) == (503, "not_yet_taken_out")
    # Until it is silent, nobody is told that it is, and nobody cuts it.
    assert (await hall.client.get(f"{SPACES}/{space_id}")).json()["redactions"] == []
    assert (await hall.clip(bob, space_id, 2_000, 5_000)).status_code == 409
    for _ in range(2):
        await run_jobs(services)
        pcm = await heard(hall, space_id, "aac", 2_000, 5_000)
        assert loudest(pcm, 1_150, 2_050) < 0.001
        after = (await hall.client.get(path_of(status["media_attachments"][0]["url"]))).content
        assert loudest(decoded(after), 1_080, 2_150) < 0.001 < loudest(decoded(before), 1_080, 2_150)
    shown = (await hall.client.get(f"/api/v1/statuses/{status['id']}")).json()
    assert len(shown["folkmoot"]["clip"]["taken_out"]) == 1


async def run_jobs(services: Services) -> None:
    """What the worker would do with the jobs that are waiting; they stay."""
    carrying = Carrying(services.gate, services.objects, services.tapes_directory)
    async with services.database.read() as read:
        rows = (await read.connection.execute(select(jobs.c.kind, jobs.c.payload).order_by(jobs.c.id))).all()
    for kind, payload in rows:
        if kind in (REDACT, TAKE_BACK):
            run = carrying.run_redact if kind == REDACT else carrying.run_take_back
            await run(Job(1, "redactions", kind, payload, 1))


async def seated(hall: Hall, alice: Any, bob: Any) -> str:
    """Alice's live Space with bob on seat 2. The tape says that seat 1 spoke."""
    space_id = await hall.live(alice)
    for who, order in (
        (bob, {"do": "ask", "recording_consent": True}),
        (alice, {"do": "let_up", "account": str(bob.id)}),
    ):
        path = f"{SPACES}/{space_id}/commands"
        answer = await hall.client.post(path, json=order, headers=who.headers)
        assert answer.status_code == 200, answer.text
    return space_id


async def test_consent_taken_back_leads_off_the_stage_and_out_of_the_sound(
    hall: Hall, services: Services, stages: FakeStages, alice: Any, bob: Any
) -> None:
    space_id = await seated(hall, alice, bob)
    async with hall.going_on(space_id):
        answer = await hall.client.delete(f"{SPACES}/{space_id}/consent", headers=alice.headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["ranges"]
    space = (await hall.client.get(f"{SPACES}/{space_id}", headers=alice.headers)).json()
    assert [person["seat"] for person in space["stage"]] == [2]
    assert {mark["kind"] for mark in space["redactions"]} == {"consent_withdrawn"}
    assert {mark["by_role"] for mark in space["redactions"]} == {"speaker"}
    assert space["you"]["has_spoken"]
    assert ("hang_up", int(space_id), 1) in stages.calls
    pcm = await heard(hall, space_id, "opus", 0, RECORDED_MS)
    assert loudest(pcm, 0, RECORDED_MS - 100) < 0.001
    # The job finds nothing left to decide.
    await run_jobs(services)
    again = (await hall.client.get(f"{SPACES}/{space_id}", headers=alice.headers)).json()
    assert again["redactions"] == space["redactions"]


async def test_who_said_nothing_takes_nothing_out_and_who_was_not_there_is_told_so(
    hall: Hall, alice: Any, bob: Any, people: People
) -> None:
    space_id = await seated(hall, alice, bob)
    path = f"{SPACES}/{space_id}/consent"
    assert (await hall.client.delete(path, headers=bob.headers)).json() == {"ranges": []}
    stranger = await people.create("stranger")
    headers = {"authorization": f"Bearer {await people.token(stranger)}"}
    refused = await hall.client.delete(path, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (404, "never_spoke")


async def test_a_suspended_speaker_can_still_take_their_consent_back(
    hall: Hall, alice: Any, people: People
) -> None:
    space_id = await hall.ended(alice)
    await people.put(alice.id, Standing.SUSPENDED)
    headers = {"authorization": f"Bearer {await people.token(alice.id)}"}
    answer = await hall.client.delete(f"{SPACES}/{space_id}/consent", headers=headers)
    assert answer.status_code == 200, answer.text
    assert msgspec.json.decode(answer.content)["ranges"]


async def test_a_replay_that_ends_earlier_is_a_view(client: httpx.AsyncClient, hall: Hall, alice: Any) -> None:
    space_id = await hall.ended(alice)
    base = f"{SPACES}/{space_id}"
    for end_ms, status in ((RECORDED_MS + 5_000, 422), (500, 422), (9_500, 200)):
        answer = await client.patch(f"{base}/replay", json={"end_ms": end_ms}, headers=alice.headers)
        assert answer.status_code == status
    assert (answer.json()["replay"]["start_ms"], answer.json()["replay"]["end_ms"]) == (0, 9_500)
    assert (await client.get(f"{base}/media/opus", params={"from_ms": 9_600, "to_ms": 9_900})).status_code == 416
    assert 9_400 < len(decoded((await client.get(f"{base}/download")).content)) / 48 < 9_600
    playlist = (await client.get(f"{base}/hls/aac/index.m3u8")).text
    seconds = [float(line[8:-1]) for line in playlist.splitlines() if line.startswith("#EXTINF:")]
    assert 9.4 < sum(seconds) < 9.7
    last = [line for line in playlist.splitlines() if line.endswith(".m4s")][-1]
    whole = (await client.get(f"{base}/hls/aac/init.mp4")).content
    whole += (await client.get(f"{base}/hls/aac/{last}")).content
    assert abs(len(decoded(whole)) / 48_000 - seconds[-1]) < 0.03
    assert (await hall.clip(alice, space_id, 8_000, 10_000)).status_code == 422
    await client.patch(
        f"{base}/replay", json={"end_ms": answer.json()["replay"]["duration_ms"]}, headers=alice.headers
    )
    assert (await client.get(f"{base}/media/opus", params={"from_ms": 9_600, "to_ms": 9_900})).status_code == 200
