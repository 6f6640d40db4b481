"""Polls over HTTP: what Mastodon's clients send and read."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import Person

from folkmoot.gate import Standing
from folkmoot.posts import polls
from folkmoot.storage.jobs import Job
from folkmoot.storage.tables.bus import events, jobs
from folkmoot.storage.tables.posts import poll_votes

STATUSES = "/api/v1/statuses"
# What is the same on both databases is tried on one: the SQL behind it is in the others.
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
POLL = {"options": ["tea", "coffee", "water"], "expires_in": 3600}


async def ask(client: httpx.AsyncClient, who: Person, **poll: Any) -> dict[str, Any]:
    body = {"status": "What will you have?", "poll": {**POLL, **poll}}
    answer = await client.post(STATUSES, json=body, headers=who.headers)
    assert answer.status_code == 200, answer.text
    status: dict[str, Any] = answer.json()
    return status


async def vote(client: httpx.AsyncClient, who: Person, status: dict[str, Any], *choices: int) -> httpx.Response:
    return await client.post(
        f"/api/v1/polls/{status['poll']['id']}/votes", json={"choices": choices}, headers=who.headers
    )


async def test_a_poll_is_asked_answered_and_counted(
    client: httpx.AsyncClient, alice: Person, bob: Person, clock: FakeClock
) -> None:
    status = await ask(client, alice)
    asked = status["poll"]
    assert [option["title"] for option in asked["options"]] == POLL["options"]
    assert (asked["multiple"], asked["expired"], asked["voted"], asked["own_votes"]) == (False, False, True, [])
    assert asked["expires_at"] == "2027-01-15T09:00:00.000Z"
    voted = (await vote(client, bob, status, 1)).json()
    assert [option["votes_count"] for option in voted["options"]] == [0, 1, 0]
    assert (voted["voted"], voted["own_votes"], voted["votes_count"], voted["voters_count"]) == (True, [1], 1, 1)
    shown = (await client.get(f"/api/v1/polls/{asked['id']}")).json()
    assert shown == {**voted, "voted": False, "own_votes": []}
    in_post = (await client.get(f"{STATUSES}/{status['id']}", headers=bob.headers)).json()["poll"]
    assert in_post == voted
    clock.advance_ms(3_600_000)
    assert (await client.get(f"/api/v1/polls/{asked['id']}")).json()["expired"] is True


@ON_ONE
async def test_forms_ask_and_vote_too(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    form = {
        "status": "What?",
        "poll[options][]": ["tea", "coffee"],
        "poll[expires_in]": "300",
        "poll[multiple]": "true",
        "poll[hide_totals]": "1",
    }
    asked = await client.post(STATUSES, data=form, headers=alice.headers)
    assert asked.status_code == 200, asked.text
    poll = asked.json()["poll"]
    assert poll["multiple"] is True
    path = f"/api/v1/polls/{poll['id']}"
    voted = (await client.post(f"{path}/votes", data={"choices[]": ["0", "1"]}, headers=bob.headers)).json()
    assert (voted["own_votes"], voted["votes_count"], voted["voters_count"]) == ([0, 1], 2, 1)
    assert [option["votes_count"] for option in voted["options"]] == [None, None]
    parts = [("status", (None, "And?")), ("poll[options][]", (None, "a")), ("poll[options][]", (None, "b"))]
    parts.append(("poll[expires_in]", (None, "300")))
    many = await client.post(STATUSES, files=parts, headers=alice.headers)
    assert [option["title"] for option in many.json()["poll"]["options"]] == ["a", "b"]


NO_POLLS: list[dict[str, Any]] = [
    {"options": ["one"]},
    {"options": []},
    {"options": ["a", "a "]},
    {"options": ["a", " "]},
    {"options": ["a", "b" * 51]},
    {"options": ["a", "b\x00"]},
    {"options": list("abcde")},
    {"expires_in": 299},
    {"expires_in": 10**12},
]


@ON_ONE
async def test_what_is_no_poll_is_refused(client: httpx.AsyncClient, alice: Person) -> None:
    for poll in NO_POLLS:
        body = {"status": "What?", "poll": {**POLL, **poll}}
        answer = await client.post(STATUSES, json=body, headers=alice.headers)
        assert (answer.status_code, bool(answer.json()["error"])) == (422, True), poll


@ON_ONE
async def test_a_vote_counts_once_and_only_where_it_can(
    client: httpx.AsyncClient, alice: Person, bob: Person, clock: FakeClock
) -> None:
    status = await ask(client, alice)
    for who, choices in ((alice, [0]), (bob, []), (bob, [3]), (bob, [-1]), (bob, [0, 1])):
        assert (await vote(client, who, status, *choices)).status_code == 422, choices
    assert (await vote(client, bob, status, 0)).status_code == 200
    assert (await vote(client, bob, status, 1)).status_code == 422
    other = await ask(client, alice)
    clock.advance_ms(3_600_000)
    late = await vote(client, bob, other, 0)
    assert (late.status_code, late.json()["error"]) == (422, "Validation failed: The poll has already ended")
    assert (
        await client.post("/api/v1/polls/1/votes", json={"choices": [0]}, headers=bob.headers)
    ).status_code == 404


@ON_ONE
async def test_a_poll_is_seen_where_its_post_is(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    body = {"status": "What?", "visibility": "private", "poll": POLL}
    private = (await client.post(STATUSES, json=body, headers=alice.headers)).json()
    path = f"/api/v1/polls/{private['poll']['id']}"
    assert (await client.get(path, headers=bob.headers)).status_code == 404
    assert (await vote(client, bob, private, 0)).status_code == 404
    status = await ask(client, alice)
    path = f"/api/v1/polls/{status['poll']['id']}"
    await people.put(alice.id, Standing.SUSPENDED)
    assert (await client.get(path)).status_code == 404
    await people.put(alice.id, Standing.LIMITED)
    assert (await client.get(path)).status_code == 404
    await people.follow(bob.id, alice.id)
    assert (await client.get(path, headers=bob.headers)).status_code == 200
    await people.put(alice.id, Standing.ACTIVE)
    await people.block(alice.id, bob.id)
    assert (await client.get(path, headers=bob.headers)).status_code == 404


async def test_the_end_is_told_once_and_not_where_it_was_moved(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, clock: FakeClock
) -> None:
    status = await ask(client, alice)
    await vote(client, bob, status, 2)
    later = {"status": "What will you have?", "poll": {**POLL, "expires_in": 7200}}
    moved = await client.put(f"{STATUSES}/{status['id']}", json=later, headers=alice.headers)
    assert (moved.json()["poll"]["votes_count"], moved.json()["edited_at"]) == (1, None)
    database = people.gate.database
    async with database.read() as read:
        (job,) = (await read.connection.execute(select(jobs).where(jobs.c.kind == polls.CLOSE))).all()
    assert job.run_at_ms - clock.now_ms == 7_200_000
    close = polls.closer(people.gate)
    for at_ms in (job.run_at_ms - 3_600_000, job.run_at_ms):  # also one that was under way when the end was moved
        clock.now_ms = at_ms
        for _ in range(2):
            await close(Job(job.id, job.queue, job.kind, job.payload, 1))
    async with database.read() as read:
        told = select(events.c.payload).where(events.c.kind == polls.POLL_ENDED)
        assert list((await read.connection.execute(told)).scalars()) == [{"post": status["id"]}]


async def test_other_options_begin_a_poll_anew_and_none_ends_it(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    status = await ask(client, alice)
    await vote(client, bob, status, 2)
    body = {"status": "What will you have?", "poll": {**POLL, "options": ["tea", "wine"]}}
    path = f"{STATUSES}/{status['id']}"
    edited = (await client.put(path, json=body, headers=alice.headers)).json()
    assert [option["votes_count"] for option in edited["poll"]["options"]] == [0, 0]
    assert edited["poll"]["id"] == status["poll"]["id"]
    assert edited["edited_at"] is not None
    assert (await vote(client, bob, edited, 1)).status_code == 200
    gone = (await client.put(path, json={"status": "No more questions."}, headers=alice.headers)).json()
    assert gone["poll"] is None
    assert (await client.get(f"/api/v1/polls/{status['poll']['id']}")).status_code == 404
    said = (await client.get(f"{path}/history")).json()
    assert [one["poll"] and [option["title"] for option in one["poll"]["options"]] for one in said] == [
        POLL["options"],
        ["tea", "wine"],
        None,
    ]
    async with people.gate.database.read() as read:
        assert (await read.connection.execute(select(poll_votes.c.id))).all() == []


@ON_ONE
async def test_a_deleted_post_gives_its_poll_back_for_another_draft(
    client: httpx.AsyncClient, alice: Person, bob: Person
) -> None:
    status = await ask(client, alice, multiple=True)
    deleted = (await client.delete(f"{STATUSES}/{status['id']}", headers=alice.headers)).json()
    assert (deleted["text"], deleted["poll"]) == ("What will you have?", status["poll"])
    assert (await client.get(f"/api/v1/polls/{status['poll']['id']}")).status_code == 404
    assert (await vote(client, bob, status, 0)).status_code == 404


async def test_however_often_its_end_is_moved_it_is_one_job(
    client: httpx.AsyncClient, people: People, alice: Person, clock: FakeClock
) -> None:
    status = await ask(client, alice)
    path = f"{STATUSES}/{status['id']}"

    async def waiting() -> int:
        async with people.gate.database.read() as read:
            rows = await read.connection.execute(select(jobs).where(jobs.c.kind == polls.CLOSE))
            return len(rows.all())

    for _ in range(3):
        clock.now_ms += 1_000
        edited = await client.put(path, json={"status": "What will you have?", "poll": POLL}, headers=alice.headers)
        assert (edited.status_code, await waiting()) == (200, 1)
    assert (await client.delete(path, headers=alice.headers)).status_code == 200
    assert await waiting() == 0
