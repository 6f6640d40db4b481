"""Posts that come later: over HTTP, and the job that publishes them."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.sounds import a_sound
from tests.support.telling import tell
from tests.surfaces.conftest import Person

from folkmoot.accounts.oauth import actions as oauth
from folkmoot.accounts.oauth.model import NewApplication
from folkmoot.gate import Action, Standing
from folkmoot.posts import scheduled
from folkmoot.posts.files import actions as files
from folkmoot.posts.model import Draft
from folkmoot.spaces import threads
from folkmoot.storage.jobs import Job
from folkmoot.storage.tables.bus import jobs
from folkmoot.storage.tables.posts import media

STATUSES = "/api/v1/statuses"
SCHEDULED = "/api/v1/scheduled_statuses"
IN_AN_HOUR = "2027-01-15T09:00:00.000Z"
HOUR_MS = 3_600_000
# What is the same on both databases is tried on one: the SQL behind it is in the others.
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def later(client: httpx.AsyncClient, who: Person, **body: Any) -> dict[str, Any]:
    sent = {"status": "see you", "scheduled_at": IN_AN_HOUR, **body}
    answer = await client.post(STATUSES, json=sent, headers=who.headers)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def run_due(people: People, clock: FakeClock) -> None:
    """Every job of posts that is due, as the worker would, twice."""
    publish = scheduled.publisher(people.gate, threads.admit)
    async with people.gate.database.read() as read:
        due = (jobs.c.kind == scheduled.PUBLISH) & (jobs.c.run_at_ms <= clock.now_ms)
        rows = (await read.connection.execute(select(jobs).where(due))).all()
    for row in [*rows, *rows]:
        await publish(Job(row.id, row.queue, row.kind, row.payload, 1))


async def posted(client: httpx.AsyncClient, who: Person) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = (
        await client.get(f"/api/v1/accounts/{who.id}/statuses", headers=who.headers)
    ).json()
    return shown


async def test_a_post_comes_at_its_time_with_all_that_it_says(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, clock: FakeClock
) -> None:
    answered = (await client.post(STATUSES, json={"status": "when?"}, headers=bob.headers)).json()
    sound = str(await a_sound(people, alice.id, "a lark"))
    body = {
        "status": "@bob then",
        "spoiler_text": "a date",
        "visibility": "unlisted",
        "language": "en",
        "in_reply_to_id": answered["id"],
        "media_ids": [sound],
    }
    made = await later(client, alice, **body)
    assert made["scheduled_at"] == IN_AN_HOUR
    expected = {"text": "@bob then", "spoiler_text": "a date", "visibility": "unlisted", "media_ids": [sound]}
    assert {name: made["params"][name] for name in expected} == expected
    assert [one["description"] for one in made["media_attachments"]] == ["a lark"]
    assert (await client.get(SCHEDULED, headers=alice.headers)).json() == [made]
    assert (await client.get(f"{SCHEDULED}/{made['id']}", headers=alice.headers)).json() == made
    clock.advance_ms(HOUR_MS - 1)
    await run_due(people, clock)
    assert await posted(client, alice) == []
    clock.advance_ms(1)
    await run_due(people, clock)
    (post,) = await posted(client, alice)
    assert (post["spoiler_text"], post["visibility"], post["language"]) == ("a date", "unlisted", "en")
    assert post["created_at"] == IN_AN_HOUR
    assert (post["in_reply_to_id"], [one["id"] for one in post["media_attachments"]]) == (answered["id"], [sound])
    assert (await client.get(SCHEDULED, headers=alice.headers)).json() == []


@ON_ONE
async def test_a_poll_begins_when_its_post_comes(
    client: httpx.AsyncClient, people: People, alice: Person, clock: FakeClock
) -> None:
    poll = {"options": ["a", "b"], "expires_in": 600, "multiple": True, "hide_totals": False}
    made = await later(client, alice, poll=poll)
    assert made["params"]["poll"] == poll
    clock.advance_ms(HOUR_MS + 5_000)
    await run_due(people, clock)
    (post,) = await posted(client, alice)
    assert post["poll"]["expires_at"] == "2027-01-15T09:10:05.000Z"


NOT_LATER: list[dict[str, Any]] = [
    {"scheduled_at": "2027-01-15T08:04:59.999Z"},
    {"scheduled_at": "2099-01-15T08:00:00Z"},
    {"scheduled_at": "soon"},
    {"status": ""},
    {"status": " ".join(f"@somebody{number}" for number in range(60))},
    {"media_ids": ["7"]},
    {"poll": {"options": ["a"], "expires_in": 600}},
]


@ON_ONE
async def test_what_cannot_come_later_is_refused(client: httpx.AsyncClient, alice: Person) -> None:
    for body in NOT_LATER:
        sent = {"status": "see you", "scheduled_at": IN_AN_HOUR, **body}
        answer = await client.post(STATUSES, json=sent, headers=alice.headers)
        assert (answer.status_code, bool(answer.json()["error"])) == (422, True), body
    assert (await client.get(SCHEDULED, headers=alice.headers)).json() == []


async def test_it_can_be_moved_and_deleted_by_its_author_only(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, clock: FakeClock
) -> None:
    made = await later(client, alice)
    path = f"{SCHEDULED}/{made['id']}"
    assert (await client.get(SCHEDULED, headers=bob.headers)).json() == []
    for answer in (
        await client.get(path, headers=bob.headers),
        await client.put(path, json={"scheduled_at": IN_AN_HOUR}, headers=bob.headers),
        await client.delete(path, headers=bob.headers),
    ):
        assert answer.status_code == 404
    soon = await client.put(path, json={"scheduled_at": "2027-01-15T08:01:00Z"}, headers=alice.headers)
    assert soon.status_code == 422
    moved = await client.put(path, data={"scheduled_at": "2027-01-15T10:00:00Z"}, headers=alice.headers)
    assert moved.json() == {**made, "scheduled_at": "2027-01-15T10:00:00.000Z"}
    clock.advance_ms(HOUR_MS)
    await run_due(people, clock)
    assert await posted(client, alice) == []
    assert (await client.delete(path, headers=alice.headers)).json() == {}
    clock.advance_ms(HOUR_MS)
    await run_due(people, clock)
    assert await posted(client, alice) == []


@ON_ONE
async def test_who_may_not_post_then_does_not_and_keeps_the_draft(
    client: httpx.AsyncClient, people: People, alice: Person, clock: FakeClock
) -> None:
    made = await later(client, alice)
    await people.put(alice.id, Standing.SUSPENDED)
    clock.advance_ms(HOUR_MS)
    await run_due(people, clock)
    await people.put(alice.id, Standing.ACTIVE)
    back = msgspec.structs.replace(alice, headers={"Authorization": f"Bearer {await people.token(alice.id)}"})
    assert await posted(client, back) == []
    (kept,) = (await client.get(SCHEDULED, headers=back.headers)).json()
    assert "suspended" in kept.pop("folkmoot")["refused"]
    assert kept == made
    body = {"scheduled_at": "2027-01-15T10:00:00Z"}
    moved = await client.put(f"{SCHEDULED}/{made['id']}", json=body, headers=back.headers)
    assert "folkmoot" not in moved.json()
    clock.advance_ms(HOUR_MS)
    await run_due(people, clock)
    assert [one["content"] for one in await posted(client, back)] == ["<p>see you</p>"]


@ON_ONE
async def test_what_a_stopped_program_left_does_not_come(
    client: httpx.AsyncClient, people: People, alice: Person, clock: FakeClock
) -> None:
    new = NewApplication("A program", None, ("https://client.example/back",), "write")
    program, _ = await people.system(lambda acting: oauth.register(acting, new))
    draft = Draft(source="buy this", application_id=program.id)
    at_ms = clock.now_ms + HOUR_MS
    await people.act(alice.id, Action.POST, lambda acting: scheduled.schedule(acting, draft, at_ms))
    await people.system(lambda acting: oauth.stop(acting, program.id, reason="a flood"))
    clock.advance_ms(HOUR_MS)
    await run_due(people, clock)
    assert await posted(client, alice) == []


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("in_reply_to_id", "The post that it answers is gone, or its author lets you see it no more."),
        ("quoted_status_id", "The post that it quotes is gone, or its author lets you see it no more."),
    ],
)
async def test_what_it_answers_or_quotes_is_gone_it_waits_and_its_author_is_told(
    client: httpx.AsyncClient,
    people: People,
    alice: Person,
    bob: Person,
    clock: FakeClock,
    tmp_path: Path,
    field: str,
    reason: str,
) -> None:
    async def told() -> list[dict[str, Any]]:
        await tell(people.gate.database, tmp_path)
        shown: list[dict[str, Any]] = (await client.get("/api/v1/notifications", headers=alice.headers)).json()
        return shown

    named = (await client.post(STATUSES, json={"status": "when?"}, headers=bob.headers)).json()
    made = await later(client, alice, **{field: named["id"]})
    await people.block(bob.id, alice.id)
    clock.advance_ms(HOUR_MS)
    await run_due(people, clock)
    assert await posted(client, alice) == []
    assert (await client.get(SCHEDULED, headers=alice.headers)).json() == [
        {**made, "folkmoot": {"refused": reason}}
    ]
    (news,) = await told()
    assert (news["type"], news["account"]["id"]) == ("scheduled.refused", str(alice.id))
    assert news["folkmoot"] == {"event": "refused", "scheduled_status_id": made["id"], "reason": reason}
    groups = (await client.get("/api/v2/notifications", headers=alice.headers)).json()["notification_groups"]
    assert [(one["type"], one["folkmoot"]) for one in groups] == [(news["type"], news["folkmoot"])]
    # With another time it is no news any more; then the same again.
    path = f"{SCHEDULED}/{made['id']}"
    await client.put(path, json={"scheduled_at": "2027-01-15T10:00:00Z"}, headers=alice.headers)
    assert await told() == []
    clock.advance_ms(HOUR_MS)
    await run_due(people, clock)
    assert [one["type"] for one in await told()] == ["scheduled.refused"]
    await client.delete(path, headers=alice.headers)
    assert await told() == []


async def test_what_may_not_be_quoted_any_more_is_said(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, clock: FakeClock
) -> None:
    named = (await client.post(STATUSES, json={"status": "when?"}, headers=bob.headers)).json()
    await later(client, alice, quoted_status_id=named["id"])
    policy = {"quote_approval_policy": "nobody"}
    path = f"{STATUSES}/{named['id']}/interaction_policy"
    assert (await client.put(path, json=policy, headers=bob.headers)).status_code == 200
    clock.advance_ms(HOUR_MS)
    await run_due(people, clock)
    (kept,) = (await client.get(SCHEDULED, headers=alice.headers)).json()
    assert "quote" in kept["folkmoot"]["refused"].lower()


@ON_ONE
async def test_sending_again_with_the_same_key_schedules_once(
    client: httpx.AsyncClient, people: People, alice: Person, clock: FakeClock
) -> None:
    headers = {**alice.headers, "Idempotency-Key": "abc"}
    body = {"status": "see you", "scheduled_at": "2027-01-15T08:30:00Z"}
    kinds = ({"json": body}, {"data": body}, {"files": [(name, (None, text)) for name, text in body.items()]})
    made = [(await client.post(STATUSES, headers=headers, **kind)).json() for kind in kinds]
    assert made[0] == made[1] == made[2]
    assert len((await client.get(SCHEDULED, headers=alice.headers)).json()) == 1
    clock.advance_ms(HOUR_MS // 2)
    await run_due(people, clock)
    again = await client.post(STATUSES, headers=headers, json=body)
    assert [one["id"] for one in await posted(client, alice)] == [again.json()["id"]]


@ON_ONE
async def test_there_is_a_most(client: httpx.AsyncClient, alice: Person) -> None:
    for _ in range(scheduled.OF_DAY_MAX):
        await later(client, alice)
    body = {"status": "see you", "scheduled_at": IN_AN_HOUR}
    assert (await client.post(STATUSES, json=body, headers=alice.headers)).status_code == 422
    await later(client, alice, scheduled_at="2027-01-16T09:00:00Z")
    first = await client.get(SCHEDULED, params={"limit": 2}, headers=alice.headers)
    rest = await client.get(first.links["next"]["url"], headers=alice.headers)
    assert [len(first.json()), rest.json()[0]["id"] < first.json()[-1]["id"]] == [2, True]


async def test_its_files_wait_with_it(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, clock: FakeClock
) -> None:
    sound = str(await a_sound(people, alice.id, "a lark"))
    made = await later(client, alice, media_ids=[sound], scheduled_at="2027-01-20T09:00:00Z")
    other = await client.post(STATUSES, json={"media_ids": [sound]}, headers=alice.headers)
    assert other.status_code == 422
    stolen = {"media_ids": [sound], "status": "mine", "scheduled_at": IN_AN_HOUR}
    assert (await client.post(STATUSES, json=stolen, headers=bob.headers)).status_code == 422
    clock.advance_ms(2 * files.UNATTACHED_LASTS_MS)
    await people.system(lambda acting: files.forget_unattached(acting, 100))
    assert (await client.get(SCHEDULED, headers=alice.headers)).json()[0]["media_attachments"] != []
    await client.delete(f"{SCHEDULED}/{made['id']}", headers=alice.headers)
    clock.advance_ms(2 * files.UNATTACHED_LASTS_MS)
    await people.system(lambda acting: files.forget_unattached(acting, 100))
    async with people.gate.database.read() as read:
        assert (await read.connection.execute(select(media.c.id))).all() == []


async def test_many_at_once_publish_it_once(
    client: httpx.AsyncClient, people: People, alice: Person, clock: FakeClock
) -> None:
    made = await later(client, alice)
    clock.advance_ms(HOUR_MS)
    publish = scheduled.publisher(people.gate, threads.admit)
    job = Job(1, "posts", scheduled.PUBLISH, {"scheduled": made["id"]}, 1)
    await asyncio.gather(*(publish(job) for _ in range(5)))
    assert len(await posted(client, alice)) == 1


async def test_however_often_it_is_put_off_it_is_one_job(
    client: httpx.AsyncClient, people: People, alice: Person
) -> None:
    first, other = await later(client, alice), await later(client, alice)

    async def waiting() -> int:
        async with people.gate.database.read() as read:
            rows = await read.connection.execute(select(jobs).where(jobs.c.kind == scheduled.PUBLISH))
            return len(rows.all())

    path = f"{SCHEDULED}/{first['id']}"
    for hour in (10, 11, 11):
        put_off = {"scheduled_at": f"2027-01-15T{hour}:00:00.000Z"}
        assert (await client.put(path, json=put_off, headers=alice.headers)).status_code == 200
        assert await waiting() == 2
    assert (await client.delete(path, headers=alice.headers)).status_code == 200
    assert await waiting() == 1
    assert (await client.delete(f"{SCHEDULED}/{other['id']}", headers=alice.headers)).status_code == 200
    assert await waiting() == 0


async def test_what_may_not_be_quoted_is_refused_at_once(
    client: httpx.AsyncClient, alice: Person, bob: Person
) -> None:
    body = {"status": "mine", "quote_approval_policy": "nobody"}
    own = (await client.post(STATUSES, json=body, headers=bob.headers)).json()
    sent = {"status": "look", "scheduled_at": IN_AN_HOUR, "quoted_status_id": own["id"]}
    assert (await client.post(STATUSES, json=sent, headers=alice.headers)).status_code == 422
    assert (await client.get(SCHEDULED, headers=alice.headers)).json() == []
    assert (await client.post(STATUSES, json=sent, headers=bob.headers)).status_code == 200
