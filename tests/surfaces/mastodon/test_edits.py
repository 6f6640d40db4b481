"""Editing posts over HTTP: what Mastodon's clients send and read, and who is shown what was said before."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.sounds import a_sound
from tests.support.telling import tell
from tests.surfaces.conftest import Person

from folkmoot.gate import Standing
from folkmoot.posts.edits import POST_EDITED
from folkmoot.storage.database import Database
from folkmoot.storage.tables.bus import events
from folkmoot.storage.tables.posts import post_edits

STATUSES = "/api/v1/statuses"
# What is the same on both databases is tried on one: the SQL behind it is in the others.
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def say(client: httpx.AsyncClient, who: Person, status: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post(STATUSES, json={"status": status, **fields}, headers=who.headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def edit(client: httpx.AsyncClient, who: Person, post: dict[str, Any], **body: Any) -> httpx.Response:
    return await client.put(f"{STATUSES}/{post['id']}", json=body, headers=who.headers)


async def history(client: httpx.AsyncClient, status: dict[str, Any]) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = (await client.get(f"{STATUSES}/{status['id']}/history")).json()
    return said


async def test_an_edit_says_it_anew_and_the_history_keeps_it(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, clock: FakeClock
) -> None:
    first = await say(client, alice, "Helo @bob #moot", language="en", spoiler_text="greeting")
    assert [one["content"] for one in await history(client, first)] == [first["content"]]
    clock.advance_ms(60_000)
    answer = await edit(client, alice, first, status="Hello #folkmoot", sensitive=True, language="de")
    second = answer.json()
    assert answer.status_code == 200, answer.text
    assert (second["id"], second["created_at"], second["edited_at"]) == (
        first["id"],
        first["created_at"],
        "2027-01-15T08:01:00.000Z",
    )
    assert (second["mentions"], [tag["name"] for tag in second["tags"]]) == ([], ["folkmoot"])
    assert (second["spoiler_text"], second["sensitive"], second["language"]) == ("", True, "de")
    said = await history(client, first)
    assert [(one["content"], one["spoiler_text"], one["created_at"]) for one in said] == [
        (first["content"], "greeting", first["created_at"]),
        (second["content"], "", second["edited_at"]),
    ]
    assert said[0]["account"]["acct"] == "alice"
    source = await client.get(f"{STATUSES}/{first['id']}/source", headers=alice.headers)
    assert source.json() == {"id": first["id"], "text": "Hello #folkmoot", "spoiler_text": ""}
    async with people.gate.database.read() as read:
        told = select(events.c.payload).where(events.c.kind == POST_EDITED)
        assert (await read.connection.execute(told)).scalars().all() == [
            {
                "post": first["id"],
                "account": str(alice.id),
                "named": [],
                "before": {
                    "mentions": [one["id"] for one in first["mentions"]],
                    "tags": [tag["name"] for tag in first["tags"]],
                    "language": first["language"],
                },
            }
        ]


@ON_ONE
async def test_what_changes_nothing_is_no_edit(client: httpx.AsyncClient, alice: Person) -> None:
    said = await say(client, alice, "hello")
    assert (await edit(client, alice, said, status="hello ")).json() == said
    assert len(await history(client, said)) == 1


@ON_ONE
async def test_whom_an_edit_mentions_newly_is_told(
    client: httpx.AsyncClient, database: Database, tmp_path: Path, alice: Person, bob: Person
) -> None:
    said = await say(client, alice, "hello")
    for text in ("hello @bob", "hello, @bob"):
        await edit(client, alice, said, status=text)
    await tell(database, tmp_path)
    told = (await client.get("/api/v1/notifications", headers=bob.headers)).json()
    assert [(one["type"], one["status"]["content"]) for one in told] == [
        ("mention", (await client.get(f"{STATUSES}/{said['id']}")).json()["content"])
    ]


@ON_ONE
async def test_forms_edit_too(client: httpx.AsyncClient, alice: Person) -> None:
    said = await say(client, alice, "helo")
    form = {"status": "hello", "spoiler_text": "hi"}
    answer = await client.put(f"{STATUSES}/{said['id']}/", data=form, headers=alice.headers)
    assert (answer.json()["content"], answer.json()["spoiler_text"]) == ("<p>hello</p>", "hi")


@ON_ONE
async def test_only_its_author_edits_and_only_what_can_be_said(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    said = await say(client, alice, "hello")
    assert (await edit(client, bob, said, status="mine")).status_code == 404
    assert (await client.put(f"{STATUSES}/{said['id']}", json={"status": "x"})).status_code == 401
    for body in ({"status": ""}, {"status": "x" * 501}, {"status": "hi", "media_ids": ["7"]}, {"status": [7]}):
        assert (await edit(client, alice, said, **body)).status_code == 422, body
    boost = (await client.post(f"{STATUSES}/{said['id']}/reblog", headers=alice.headers)).json()
    assert (await edit(client, alice, boost, status="hi")).status_code == 404
    await people.put(alice.id, Standing.SUSPENDED)
    assert (await edit(client, alice, said, status="hi")).status_code == 401
    await people.put(alice.id, Standing.ACTIVE)
    assert [one["content"] for one in await history(client, said)] == ["<p>hello</p>"]


@ON_ONE
async def test_what_was_said_is_shown_to_whom_the_post_is(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    said = await say(client, alice, "helo")
    await edit(client, alice, said, status="hello")
    paths = [f"{STATUSES}/{said['id']}/{what}" for what in ("history", "source")]
    for standing, status_code in ((Standing.LIMITED, 404), (Standing.SUSPENDED, 404), (Standing.ACTIVE, 200)):
        await people.put(alice.id, standing)
        assert [(await client.get(path, headers=bob.headers)).status_code for path in paths] == [status_code] * 2
    await people.block(alice.id, bob.id)
    assert [(await client.get(path, headers=bob.headers)).status_code for path in paths] == [404] * 2


async def test_deleting_takes_the_history_along(client: httpx.AsyncClient, people: People, alice: Person) -> None:
    said = await say(client, alice, "my secret")
    await edit(client, alice, said, status="nothing")
    deleted = await client.delete(f"{STATUSES}/{said['id']}", headers=alice.headers)
    assert deleted.json()["text"] == "nothing"
    assert (await client.get(f"{STATUSES}/{said['id']}/history")).status_code == 404
    async with people.gate.database.read() as read:
        assert (await read.connection.execute(select(post_edits.c.id))).all() == []


async def test_files_come_go_and_are_described(client: httpx.AsyncClient, people: People, alice: Person) -> None:
    sounds = [str(await a_sound(people, alice.id, f"sound {number}")) for number in range(2)]
    said = await say(client, alice, "listen", media_ids=sounds[:1])
    described = [{"id": sounds[0], "description": "a lark", "focus": "0.5,-2"}]
    body = {"status": "listen", "media_ids": sounds[:1], "media_attributes": described}
    (file,) = (await edit(client, alice, said, **body)).json()["media_attachments"]
    assert (file["description"], file["meta"]["focus"]) == ("a lark", {"x": 0.5, "y": -1.0})
    other = (await edit(client, alice, said, status="listen", media_ids=sounds[1:])).json()
    assert [one["id"] for one in other["media_attachments"]] == sounds[1:]
    versions = [
        [(file["id"], file["description"]) for file in one["media_attachments"]]
        for one in await history(client, said)
    ]
    assert versions == [[(sounds[0], "sound 0")], [(sounds[0], "a lark")], [(sounds[1], "sound 1")]]
    back = (await edit(client, alice, said, status="listen", media_ids=sounds[:1])).json()
    assert [one["id"] for one in back["media_attachments"]] == sounds[:1]
    elsewhere = await client.post(STATUSES, json={"media_ids": sounds[1:]}, headers=alice.headers)
    assert elsewhere.status_code == 422  # it hangs on the first one's history
    deleted = (await client.delete(f"{STATUSES}/{said['id']}", headers=alice.headers)).json()
    assert [one["id"] for one in deleted["media_attachments"]] == sounds[:1]
    anew = await say(client, alice, deleted["text"], media_ids=sounds[:1])
    assert anew["media_attachments"][0]["description"] == "a lark"


@ON_ONE
async def test_a_post_is_edited_a_bounded_number_of_times(
    client: httpx.AsyncClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folkmoot.posts.edits.EDITS_MAX", 2)
    said = await say(client, alice, "0")
    answers = [await edit(client, alice, said, status=str(number)) for number in range(1, 4)]
    assert [answer.status_code for answer in answers] == [200, 200, 422]
    assert len(await history(client, said)) == 3
