"""Lists over HTTP: who is in them, what is read in them, and what home then leaves out."""

from typing import Any

import httpx
import pytest
from tests.support.people import People
from tests.surfaces.conftest import Person, person
from tests.surfaces.mastodon.test_marks import say
from tests.surfaces.walking import walked

LISTS = "/api/v1/lists"


async def make(client: httpx.AsyncClient, who: Person, title: str, **fields: Any) -> str:
    answer = await client.post(LISTS, json={"title": title, **fields}, headers=who.headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def add(client: httpx.AsyncClient, who: Person, list_id: str, *members: Person) -> httpx.Response:
    body = {"account_ids": [str(member.id) for member in members]}
    return await client.post(f"{LISTS}/{list_id}/accounts", json=body, headers=who.headers)


async def read(client: httpx.AsyncClient, who: Person, timeline: str) -> list[str]:
    answer = await client.get(f"/api/v1/timelines/{timeline}", headers=who.headers)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()]


@pytest.fixture
async def carol(people: People) -> Person:
    return await person(people, "carol")


async def test_made_changed_and_deleted(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    form = {"title": "Friends", "exclusive": "true"}
    made = (await client.post(LISTS, data=form, headers=alice.headers)).json()
    assert made == {"id": made["id"], "title": "Friends", "replies_policy": "list", "exclusive": True}
    path = f"{LISTS}/{made['id']}"
    changed = await client.put(path, json={"replies_policy": "none", "exclusive": False}, headers=alice.headers)
    assert changed.json() == {**made, "replies_policy": "none", "exclusive": False}
    assert (await client.get(LISTS, headers=alice.headers)).json() == [changed.json()]
    for body in ({"title": ""}, {"title": " \n"}, {"title": "x", "replies_policy": "some"}, {"title": "x" * 999}):
        assert (await client.post(LISTS, json=body, headers=alice.headers)).status_code == 422
    for method in ("GET", "PUT", "DELETE"):
        assert (await client.request(method, path, headers=bob.headers)).status_code == 404
    assert (await client.delete(path, headers=alice.headers)).json() == {}
    assert (await client.get(path, headers=alice.headers)).status_code == 404
    assert (await client.get(f"/api/v1/timelines/list/{made['id']}", headers=alice.headers)).status_code == 404


async def test_who_is_in_a_list(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, carol: Person
) -> None:
    list_id = await make(client, alice, "Friends")
    assert (await add(client, alice, list_id, bob)).status_code == 404  # followed first
    for other in (bob, carol):
        await people.follow(alice.id, other.id)
    assert (await add(client, alice, list_id, bob, carol)).json() == {}
    again = await add(client, alice, list_id, bob)
    assert (again.status_code, again.json()["error"]) == (422, "Validation failed: Account has already been taken")
    assert (await add(client, bob, list_id, carol)).status_code == 404
    members = await walked(client, f"{LISTS}/{list_id}/accounts", alice.headers, 1)
    assert [one["acct"] for one in members] == ["carol", "bob"]
    everybody = await client.get(f"{LISTS}/{list_id}/accounts", params={"limit": "0"}, headers=alice.headers)
    assert everybody.json() == members
    lists = await client.get(f"/api/v1/accounts/{bob.id}/lists", headers=alice.headers)
    assert [one["title"] for one in lists.json()] == ["Friends"]
    assert (await client.get(f"/api/v1/accounts/{alice.id}/lists", headers=bob.headers)).json() == []
    gone = {"account_ids": [str(bob.id)]}
    await client.request("DELETE", f"{LISTS}/{list_id}/accounts", json=gone, headers=alice.headers)
    await client.post(f"/api/v1/accounts/{carol.id}/unfollow", headers=alice.headers)
    assert (await client.get(f"{LISTS}/{list_id}/accounts", headers=alice.headers)).json() == []


async def test_replies_are_those_that_the_list_is_for(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, carol: Person
) -> None:
    dave = await person(people, "dave")
    for other in (bob, carol):
        await people.follow(alice.id, other.id)
    list_id = await make(client, alice, "Bob")
    await add(client, alice, list_id, bob)
    said = (await say(client, bob, "hello"))["id"]
    answered = {who.username: (await say(client, who, "a question"))["id"] for who in (alice, bob, carol, dave)}
    replies = {
        name: (await say(client, bob, f"an answer to {name}", in_reply_to_id=id_))["id"]
        for name, id_ in answered.items()
    }
    own = [said, answered["bob"], replies["alice"], replies["bob"]]
    for policy, more in (("none", []), ("list", []), ("followed", [replies["carol"]])):
        await client.put(f"{LISTS}/{list_id}", json={"replies_policy": policy}, headers=alice.headers)
        assert sorted(await read(client, alice, f"list/{list_id}")) == sorted(own + more), policy
    await add(client, alice, list_id, carol)
    await client.put(f"{LISTS}/{list_id}", json={"replies_policy": "list"}, headers=alice.headers)
    assert replies["carol"] in await read(client, alice, f"list/{list_id}")


async def test_who_is_in_an_exclusive_list_is_not_in_home(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    await people.follow(alice.id, bob.id)
    said = (await say(client, bob, "hello #birds"))["id"]
    await client.post("/api/v1/tags/birds/follow", headers=alice.headers)
    list_id = await make(client, alice, "Bob", exclusive=True)
    assert await read(client, alice, "home") == [said]
    await add(client, alice, list_id, bob)
    assert await read(client, alice, "home") == []
    assert await read(client, alice, f"list/{list_id}") == [said]
    assert (await client.get(f"/api/v1/timelines/list/{list_id}", headers=bob.headers)).status_code == 404


async def test_what_one_chose_of_somebody_holds_in_home_and_lists(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, carol: Person
) -> None:
    await people.follow(alice.id, bob.id)
    list_id = await make(client, alice, "Bob")
    await add(client, alice, list_id, bob)
    english = (await say(client, bob, "hello", language="en"))["id"]
    german = (await say(client, bob, "hallo", language="de"))["id"]
    boosted = (await say(client, carol, "carol's"))["id"]
    boost = (await client.post(f"/api/v1/statuses/{boosted}/reblog", headers=bob.headers)).json()["id"]
    follow, carols = f"/api/v1/accounts/{bob.id}/follow", f"/api/v1/accounts/{carol.id}"
    for path, body, expected in (
        (follow, {"reblogs": True}, [boost, german, english]),
        (follow, {"reblogs": False}, [german, english]),
        (follow, {"reblogs": True, "languages": ["en"]}, [boost, english]),
        (f"{carols}/mute", {}, [english]),
        (f"/api/v1/accounts/{bob.id}/mute", {}, []),
    ):
        assert (await client.post(path, json=body, headers=alice.headers)).status_code == 200
        for timeline in ("home", f"list/{list_id}"):
            assert await read(client, alice, timeline) == expected, (path, body, timeline)
    assert await read(client, alice, "public") == []  # both are muted
