"""Clips: cut from a Space, posted, played, and gone when they have to be."""

import io
from typing import Any

import av
import httpx
import pytest
from sqlalchemy import event
from tests.surfaces.spaces.conftest import RECORDED_MS, SPACES, Hall

from folkmoot.gate import Standing

STATUSES = "/api/v1/statuses"


def path_of(url: str) -> str:
    return url.removeprefix("http://moot.test")


async def post_clip(hall: Hall, who: Any, space_id: str, **fields: Any) -> dict[str, Any]:
    clip = (await hall.clip(who, space_id, 2_000, 5_000)).json()
    body = {"status": "listen", "media_ids": [clip["media_id"]], **fields}
    answer = await hall.client.post(STATUSES, json=body, headers=who.headers)
    assert answer.status_code == 200, answer.text
    status: dict[str, Any] = answer.json()
    return status


async def test_a_clip_becomes_a_post_that_plays(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any
) -> None:
    space_id = await hall.ended(alice)
    status = await post_clip(hall, bob, space_id)
    (attached,) = status["media_attachments"]
    assert attached["type"] == "audio"
    assert attached["description"] == "Clip of “The Moot”, 0:02–0:05"
    assert attached["meta"]["original"]["duration"] == 3.0
    assert attached["meta"]["length"] == "0:00:03.00"
    assert attached["meta"]["waveform"]
    assert status["folkmoot"]["clip"] == {
        "id": status["folkmoot"]["clip"]["id"],
        "space_id": space_id,
        "start_ms": 2_000,
        "end_ms": 5_000,
        "taken_out": [],
    }
    played = await client.get(path_of(attached["url"]))
    assert played.headers["content-type"] == "audio/mp4"
    with av.open(io.BytesIO(played.content), "r") as container:
        assert container.duration is not None
        assert abs(container.duration / av.time_base - 3.0) < 0.03


async def test_a_clip_says_where_on_the_spaces_page_it_begins(hall: Hall, alice: Any) -> None:
    space_id = await hall.ended(alice)
    clip = (await hall.clip(alice, space_id, 2_345, 5_000)).json()
    assert clip["page_url"] == f"http://moot.test/spaces/{space_id}?at=2345"


async def test_players_seek_by_ranges(client: httpx.AsyncClient, hall: Hall, alice: Any) -> None:
    status = await post_clip(hall, alice, await hall.ended(alice))
    path = path_of(status["media_attachments"][0]["url"])
    whole = await client.get(path)
    part = await client.get(path, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert (await client.get(path, headers={"Range": "bytes=99999999-"})).status_code == 416
    other = await client.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole.content)
    known = await client.get(path, headers={"If-None-Match": whole.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    assert whole.headers["cache-control"] == "private, no-cache"


async def test_a_live_space_is_clipped_up_to_its_live_end(hall: Hall, alice: Any, bob: Any) -> None:
    space_id = await hall.live(alice)
    answer = await hall.clip(bob, space_id, RECORDED_MS - 2_000, RECORDED_MS - 100)
    assert answer.status_code == 201, answer.text
    beyond = await hall.clip(bob, space_id, RECORDED_MS - 2_000, RECORDED_MS + 1_000)
    assert (beyond.status_code, beyond.json()["code"]) == (422, "range_beyond_recording")


async def test_what_cannot_be_clipped_is_refused_with_a_sentence(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any
) -> None:
    space_id = await hall.ended(alice)
    for start_ms, end_ms in ((5, 5), (5_000, 2_000), (0, 999), (0, 120_001), (-1, 2_000), (10**12, 10**12 + 5_000)):
        answer = await hall.clip(bob, space_id, start_ms, end_ms)
        assert answer.status_code == 422, (start_ms, end_ms)
        assert answer.json()["error"]
    assert (await hall.clip(bob, space_id, -5, 2_000)).json()["error"] == "A clip starts at 0 or later."
    assert (await hall.clip(bob, "nonsense", 0, 2_000)).status_code == 422
    assert (await hall.clip(bob, "7", 0, 2_000)).status_code == 404
    unrecorded = await hall.live(bob, recorded=False)
    assert (await hall.clip(alice, unrecorded, 0, 2_000)).json()["code"] == "not_recorded"
    scheduled = (await client.post(SPACES, json={"title": "Later"}, headers=alice.headers)).json()["id"]
    assert (await hall.clip(bob, scheduled, 0, 2_000)).status_code == 422
    trimmed = {"start_ms": 5_000}
    await client.patch(f"{SPACES}/{space_id}/replay", json=trimmed, headers=alice.headers)
    assert (await hall.clip(bob, space_id, 2_000, 6_000)).json()["code"] == "range_beyond_recording"
    await client.delete(f"{SPACES}/{space_id}/replay", headers=alice.headers)
    assert (await hall.clip(bob, space_id, 6_000, 9_000)).json()["code"] == "no_recording"
    anonymous = await client.post("/api/folkmoot/v1/clips", json={"space": space_id, "start_ms": 0, "end_ms": 1})
    assert anonymous.status_code == 401


async def test_nothing_is_left_behind_by_a_clip_that_was_refused(hall: Hall, alice: Any, bob: Any) -> None:
    space_id = await hall.ended(alice)
    put = hall.services.objects.put

    async def suspended_meanwhile(key: str, content: Any, content_type: str) -> None:
        await put(key, content, content_type)
        kept.append(key)
        await hall.people.put(bob.id, Standing.SUSPENDED)

    kept: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hall.services.objects, "put", suspended_meanwhile)
        assert (await hall.clip(bob, space_id, 0, 2_000)).status_code in (401, 403)
    with pytest.raises(FileNotFoundError):
        await hall.services.objects.head(kept[0])


async def test_a_clip_outlives_its_recording_and_a_speakers_suspension(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any
) -> None:
    space_id = await hall.live(alice)
    carol_id = await hall.people.create("carol")
    carol = {"Authorization": f"Bearer {await hall.people.token(carol_id)}"}
    commands = f"{SPACES}/{space_id}/commands"
    asked = await client.post(commands, json={"do": "ask", "recording_consent": True}, headers=carol)
    assert asked.status_code == 200, asked.text
    up = await client.post(commands, json={"do": "let_up", "account": str(carol_id)}, headers=alice.headers)
    assert str(carol_id) in up.json()["speaker_ids"]
    path = path_of((await post_clip(hall, bob, space_id))["media_attachments"][0]["url"])
    await hall.people.put(carol_id, Standing.SUSPENDED)
    assert (await client.get(path)).status_code == 200
    await hall.end(alice, space_id)
    await hall.close(space_id)
    await client.delete(f"{SPACES}/{space_id}/replay", headers=alice.headers)
    assert (await client.get(path)).status_code == 200


async def test_a_clip_goes_with_its_clipper_and_with_its_space(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any
) -> None:
    status = await post_clip(hall, bob, await hall.ended(alice))
    path = path_of(status["media_attachments"][0]["url"])
    for suspended in (bob, alice):
        await hall.people.put(suspended.id, Standing.SUSPENDED)
        assert (await client.get(path)).status_code == 404
        await hall.people.put(suspended.id, Standing.ACTIVE)
        assert (await client.get(path)).status_code == 200
    await hall.people.put(alice.id, Standing.SUSPENDED)
    shown = (await client.get(f"{STATUSES}/{status['id']}")).json()
    assert (shown["media_attachments"], shown["folkmoot"]["clip"]) == ([], None)


async def test_a_clip_of_a_closed_space_is_heard_by_whom_the_space_is_for(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any
) -> None:
    space_id = await hall.ended(alice, audience="invited", recorded=True)
    status = await post_clip(hall, alice, space_id)
    assert (await client.get(f"{STATUSES}/{status['id']}", headers=bob.headers)).json()["media_attachments"] == []
    signed = path_of(status["media_attachments"][0]["url"])
    plain = signed.partition("?")[0]
    assert (await client.get(plain)).status_code == 404
    assert (await client.get(plain, headers=bob.headers)).status_code == 404
    assert (await client.get(plain, headers=alice.headers)).status_code == 200
    # A player has no token: the signature stands for the viewer, for as long as their rights last.
    assert (await client.get(signed)).status_code == 200
    assert (await client.get(signed + "x")).status_code == 401
    await hall.people.put(alice.id, Standing.SUSPENDED)
    assert (await client.get(signed)).status_code == 403
    await hall.people.put(alice.id, Standing.ACTIVE)
    assert (await client.get(signed)).status_code == 403


async def test_one_describes_ones_own_file(client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any) -> None:
    clip = (await hall.clip(alice, await hall.ended(alice), 0, 2_000)).json()
    path = f"/api/v1/media/{clip['media_id']}"
    changed = await client.put(path, json={"description": "A word"}, headers=alice.headers)
    assert changed.json()["description"] == "A word"
    assert (await client.get(path, headers=alice.headers)).json() == changed.json()
    assert (await client.get(path, headers=bob.headers)).status_code == 404
    assert (await client.put(path, json={"description": "Mine"}, headers=bob.headers)).status_code == 404
    assert (await client.get(path_of(clip["url"]))).status_code == 200
    assert (await client.get(f"/media/{clip['media_id']}.m4a")).status_code == 404


async def test_the_announcement_has_a_card(client: httpx.AsyncClient, hall: Hall, alice: Any) -> None:
    space_id = await hall.live(alice)
    space = (await client.get(f"{SPACES}/{space_id}")).json()
    status = (await client.get(f"{STATUSES}/{space['announcement_id']}")).json()
    assert status["folkmoot"]["space_id"] == space_id
    card = status["card"]
    assert (card["url"], card["title"]) == (space["url"], "The Moot")
    assert (card["type"], card["description"]) == ("link", "A live Space by alice")


async def test_a_home_full_of_spaces_and_clips_costs_no_more(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any
) -> None:
    space_id = await hall.ended(alice)
    await hall.people.follow(alice.id, bob.id)
    await hall.live(bob)
    for _ in range(3):
        await post_clip(hall, bob, space_id, status="@alice listen")
    counted: list[str] = []
    engine = hall.services.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *arguments: counted.append(arguments[2]))
    answer = await client.get("/api/v1/timelines/home", headers=alice.headers)
    assert len(answer.json()) == 5
    assert len(counted) <= 12


async def test_a_posts_clip_can_be_embedded(client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any) -> None:
    status = await post_clip(hall, bob, await hall.ended(alice), status="<b>listen</b>")
    described = (await client.get("/api/oembed", params={"url": status["url"]})).json()
    assert (described["type"], described["version"], described["author_name"]) == ("rich", "1.0", "bob")
    assert f'src="http://moot.test/embed/{status["id"]}"' in described["html"]
    page = await client.get(f"/embed/{status['id']}")
    assert "x-frame-options" not in page.headers
    assert "frame-ancestors *" in page.headers["content-security-policy"]
    assert status["media_attachments"][0]["url"] in page.text
    assert "<b>" not in page.text
    for url in ("http://evil.test/@bob/1", "http://moot.test.evil.test/@bob/1", f"{status['url']}/x", "x"):
        assert (await client.get("/api/oembed", params={"url": url})).status_code == 404
    private = await post_clip(hall, bob, await hall.ended(alice), visibility="private")
    assert (await client.get("/api/oembed", params={"url": private["url"]})).status_code == 404
    assert (await client.get(f"/embed/{private['id']}", headers=bob.headers)).status_code == 404
    await hall.people.put(bob.id, Standing.SUSPENDED)
    assert (await client.get(f"/embed/{status['id']}")).status_code == 404
