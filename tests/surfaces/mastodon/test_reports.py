"""Reporting over Mastodon's API: what one may see can be reported, and nobody is told by whom."""

from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import Person

from folkmoot.clips.actions import create_clip
from folkmoot.clips.cutting import CutSound
from folkmoot.gate import Action, Role, Standing
from folkmoot.spaces import queries as spaces

SPACES = "/api/folkmoot/v1/spaces"
REPORTS = "/api/v1/reports"
DAY_MS = 86_400_000


@pytest.fixture
async def keeper(people: People) -> dict[str, str]:
    account_id = await people.create("keeper", Role.MODERATOR)
    return {"Authorization": f"Bearer {await people.token(account_id)}"}


async def post_by(client: httpx.AsyncClient, person: Person, text: str, **fields: Any) -> str:
    answer = await client.post("/api/v1/statuses", json={"status": text, **fields}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def space_by(client: httpx.AsyncClient, person: Person, **fields: Any) -> str:
    made = await client.post(SPACES, json={"title": "The Moot", "start": True, **fields}, headers=person.headers)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def test_a_report_is_answered_in_mastodons_shape(
    client: httpx.AsyncClient, alice: Person, bob: Person
) -> None:
    post = await post_by(client, bob, "buy this")
    form = {
        "account_id": str(bob.id),
        "status_ids[]": post,
        "comment": "spam",
        "category": "spam",
        "forward": "1",
    }
    answer = await client.post(REPORTS, data=form, headers=alice.headers)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["target_account"]["username"] == "bob"
    del said["target_account"], said["id"], said["created_at"]
    assert said == {
        "action_taken": False,
        "action_taken_at": None,
        "category": "spam",
        "comment": "spam",
        "forwarded": False,
        "status_ids": [post],
        "rule_ids": [],
    }


async def test_a_moment_of_a_space_and_a_person_on_its_stage_can_be_reported(
    client: httpx.AsyncClient, keeper: dict[str, str], alice: Person, bob: Person
) -> None:
    space = await space_by(client, alice)
    for person in (alice, bob):
        body = {"account_id": person.id, "space_id": space, "at_ms": 61_000, "category": "violation"}
        by = bob if person is alice else alice
        assert (await client.post(REPORTS, json=body, headers=by.headers)).status_code == 200
    for one in (await client.get("/api/v1/admin/reports", headers=keeper)).json():
        about = one["folkmoot"]
        assert (about["space"]["id"], about["space"]["title"], about["at_ms"]) == (space, "The Moot", 61_000)


async def test_one_reports_what_one_may_see_and_nothing_else(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    private = await post_by(client, bob, "for my followers", visibility="private")
    others = await post_by(client, alice, "mine")
    closed = await space_by(client, bob, audience="invited", recorded=False)
    for body in (
        {"status_ids": [private]},
        {"status_ids": [others]},
        {"space_id": closed},
        {"media_id": "404"},
        {"account_id": "404"},
    ):
        answer = await client.post(REPORTS, json={"account_id": bob.id, **body}, headers=alice.headers)
        assert answer.status_code == 404, body
    await people.put(bob.id, Standing.SUSPENDED)
    assert (await client.post(REPORTS, json={"account_id": bob.id}, headers=alice.headers)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"account_id": None},
        {"category": "boring"},
        {"comment": "x" * 1_001},
        {"status_ids": [str(n) for n in range(1, 30)]},
        {"at_ms": -1},
        {"at_ms": 2**70},
    ],
    ids=str,
)
async def test_what_is_no_report_is_refused_with_a_sentence(
    client: httpx.AsyncClient, alice: Person, bob: Person, body: dict[str, Any]
) -> None:
    where = {"space_id": await space_by(client, bob)} if "at_ms" in body else {}
    answer = await client.post(REPORTS, json={"account_id": bob.id, **where, **body}, headers=alice.headers)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]


async def test_a_clip_is_reported_with_where_it_was_cut(
    client: httpx.AsyncClient, keeper: dict[str, str], clip_by_bob: dict[str, Any], alice: Person, bob: Person
) -> None:
    body = {"account_id": bob.id, "status_ids": [clip_by_bob["post"]], "media_id": clip_by_bob["media"]}
    answer = await client.post(REPORTS, json=body, headers=alice.headers)
    assert answer.status_code == 200, answer.text
    (one,) = (await client.get("/api/v1/admin/reports", headers=keeper)).json()
    assert one["folkmoot"]["clip"] == [1_000, 3_000]
    assert (one["folkmoot"]["at_ms"], one["folkmoot"]["space"]["id"]) == (1_000, clip_by_bob["space"])
    assert one["statuses"][0]["media_attachments"][0]["id"] == clip_by_bob["media"]


@pytest.fixture
async def clip_by_bob(client: httpx.AsyncClient, people: People, bob: Person) -> dict[str, Any]:
    """A post of bob's with a clip of his own Space; its sound does not matter here."""
    space = await space_by(client, bob)
    viewer = await people.viewer(bob.id)
    async with people.gate.database.read() as read:
        found = await spaces.by_id(read, int(space))
        visible = await people.gate.admit_one(read, viewer, found, "Space")
    sound = CutSound(b"sound", "audio/mp4", (), 100)
    _, media = await people.act(
        bob.id, Action.CLIP, lambda acting: create_clip(acting, visible, 1_000, 3_000, sound, "clips/a.m4a", 0)
    )
    return {"space": space, "media": str(media.id), "post": await post_by(client, bob, "!", media_ids=[media.id])}


async def test_the_one_it_is_about_finds_no_trace_of_it(
    client: httpx.AsyncClient, people: People, alice: Person
) -> None:
    moderator = await people.create("keeper", Role.MODERATOR)
    headers = {"Authorization": f"Bearer {await people.token(moderator)}"}
    made = await client.post(
        REPORTS, json={"account_id": moderator, "comment": "the keeper"}, headers=alice.headers
    )
    path = f"/api/v1/admin/reports/{made.json()['id']}"
    assert (await client.get(path, headers=headers)).status_code == 404
    for change in ("assign_to_self", "unassign", "resolve", "reopen"):
        assert (await client.post(f"{path}/{change}", headers=headers)).status_code == 404
    for closed in ("false", "true"):
        assert (await client.get(f"/api/v1/admin/reports?resolved={closed}", headers=headers)).json() == []
    own = (await client.get(f"/api/v1/admin/accounts/{moderator}", headers=headers)).json()
    assert own["folkmoot"]["details"]["reports_count"] == 0


async def test_what_was_reported_stays_as_it_was_for_who_decides(
    client: httpx.AsyncClient, keeper: dict[str, str], alice: Person, bob: Person, clock: FakeClock
) -> None:
    poll = {"options": ["yes", "no"], "expires_in": 3600}
    first = await post_by(client, bob, "buy this", spoiler_text="an offer", poll=poll)
    second = await post_by(client, bob, "and that")
    path = f"/api/v1/statuses/{first}"
    await client.put(
        path, json={"status": "buy this now", "spoiler_text": "an offer", "poll": poll}, headers=bob.headers
    )
    body = {"account_id": bob.id, "status_ids": [first, second]}
    made = (await client.post(REPORTS, json=body, headers=alice.headers)).json()
    assert "posts" not in str(made), "evidence is for those who decide"

    async def evidence() -> list[dict[str, Any]]:
        (one,) = (await client.get("/api/v1/admin/reports", headers=keeper)).json()
        return list(one["folkmoot"]["posts"])

    before = await evidence()
    assert [one["now"] for one in before] == ["as_reported", "as_reported"]
    assert (before[0]["text"], before[0]["spoiler_text"], before[0]["poll"]) == (
        "buy this now",
        "an offer",
        ["yes", "no"],
    )
    clock.advance_ms(1)
    await client.put(path, json={"status": "have a nice day"}, headers=bob.headers)
    assert (await client.delete(f"/api/v1/statuses/{second}", headers=bob.headers)).status_code == 200
    after = await evidence()
    assert [one["now"] for one in after] == ["changed", "deleted"]
    assert [one | {"now": "", "versions": []} for one in after] == [
        one | {"now": "", "versions": []} for one in before
    ]
    assert [one["text"] for one in after[0]["versions"]] == ["buy this"], "what it says now is shown beside it"
    (report,) = (await client.get("/api/v1/admin/reports", headers=keeper)).json()
    assert [one["id"] for one in report["statuses"]] == [first], "what is there is shown as it is, too"
    assert (await client.get(f"/api/v1/statuses/{second}", headers=keeper)).status_code == 404, "for all others"
    export = await client.get("/api/folkmoot/v1/export", headers=bob.headers)
    assert "and that" not in export.text


async def test_of_a_deleted_clip_stays_where_it_was_cut_and_what_its_file_was_called(
    client: httpx.AsyncClient, keeper: dict[str, str], clip_by_bob: dict[str, Any], alice: Person, bob: Person
) -> None:
    await client.put(f"/api/v1/media/{clip_by_bob['media']}", json={"description": "a shout"}, headers=bob.headers)
    body = {"account_id": bob.id, "status_ids": [clip_by_bob["post"]], "media_id": clip_by_bob["media"]}
    assert (await client.post(REPORTS, json=body, headers=alice.headers)).status_code == 200
    assert (await client.delete(f"/api/v1/statuses/{clip_by_bob['post']}", headers=bob.headers)).status_code == 200
    (one,) = (await client.get("/api/v1/admin/reports", headers=keeper)).json()
    kept = one["folkmoot"]
    assert (kept["clip"], kept["at_ms"], kept["space_title"]) == ([1_000, 3_000], 1_000, "The Moot")
    assert (kept["posts"][0]["now"], kept["posts"][0]["text"]) == ("deleted", "!")
    assert [file["id"] for file in kept["posts"][0]["media"]] == [clip_by_bob["media"]]


async def test_whoever_insults_and_then_blocks_is_reported(
    client: httpx.AsyncClient, alice: Person, bob: Person
) -> None:
    insult = await post_by(client, alice, "of bob")
    hidden = await post_by(client, alice, "for those who follow", visibility="private")
    await client.post(f"/api/v1/accounts/{bob.id}/block", headers=alice.headers)
    for about in ({}, {"status_ids": [insult]}):
        answer = await client.post(REPORTS, json={"account_id": alice.id, **about}, headers=bob.headers)
        assert answer.status_code == 200, answer.text
    unseen = {"account_id": alice.id, "status_ids": [hidden]}
    assert (await client.post(REPORTS, json=unseen, headers=bob.headers)).status_code == 404
