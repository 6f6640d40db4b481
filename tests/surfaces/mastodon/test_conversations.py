"""Conversations over HTTP: direct posts as each who takes part sees them."""

from typing import Any

import httpx
from tests.support.people import People
from tests.surfaces.conftest import Person, person
from tests.surfaces.mastodon.test_marks import say
from tests.surfaces.walking import walked

from folkmoot.gate import Standing

CONVERSATIONS = "/api/v1/conversations"


async def of(client: httpx.AsyncClient, who: Person) -> list[Any]:
    answer = await client.get(CONVERSATIONS, headers=who.headers)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()
    return found


async def tell(client: httpx.AsyncClient, who: Person, status: str, **fields: Any) -> dict[str, Any]:
    return await say(client, who, status, visibility="direct", **fields)


async def test_each_has_a_side_of_it(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    said = await tell(client, alice, "@bob hello")
    (own,), (others,) = await of(client, alice), await of(client, bob)
    assert (own["unread"], others["unread"]) == (False, True)
    assert [one["acct"] for one in own["accounts"] + others["accounts"]] == ["bob", "alice"]
    assert own["last_status"]["id"] == others["last_status"]["id"] == said["id"]
    reply = await tell(client, bob, "@alice hello", in_reply_to_id=said["id"])
    (own,), (others,) = await of(client, alice), await of(client, bob)
    assert (own["unread"], others["unread"], own["last_status"]["id"]) == (True, False, reply["id"])
    assert (await client.post(f"{CONVERSATIONS}/{others['id']}/read", headers=alice.headers)).status_code == 404
    for verb, unread in (("read", False), ("unread", True)):
        marked = (await client.post(f"{CONVERSATIONS}/{own['id']}/{verb}", headers=alice.headers)).json()
        assert marked == {**own, "unread": unread}
    assert (await client.delete(f"{CONVERSATIONS}/{own['id']}", headers=bob.headers)).status_code == 404
    assert (await client.delete(f"{CONVERSATIONS}/{own['id']}", headers=alice.headers)).json() == {}
    assert (await of(client, alice), len(await of(client, bob))) == ([], 1)
    await tell(client, bob, "@alice are you there?", in_reply_to_id=reply["id"])
    assert [one["unread"] for one in await of(client, alice)] == [True]


async def test_only_direct_posts_are_in_it(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    said = await tell(client, alice, "a note to myself")
    (own,) = await of(client, alice)
    assert ([one["acct"] for one in own["accounts"]], own["unread"]) == (["alice"], False)
    for visibility in ("public", "unlisted", "private"):
        await say(client, alice, "@bob hello", visibility=visibility, in_reply_to_id=said["id"])
    assert [one["last_status"]["id"] for one in await of(client, alice)] == [said["id"]]
    assert await of(client, bob) == []


async def test_deleted_and_edited(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    first = await tell(client, alice, "@bob one")
    second = await tell(client, alice, "@bob two", in_reply_to_id=first["id"])
    await client.delete(f"/api/v1/statuses/{second['id']}", headers=alice.headers)
    assert [one["last_status"]["id"] for who in (alice, bob) for one in await of(client, who)] == [first["id"]] * 2
    note = await tell(client, alice, "to myself")
    body = {"status": "@bob after all"}
    assert (await client.put(f"/api/v1/statuses/{note['id']}", json=body, headers=alice.headers)).status_code == 200
    assert [one["last_status"]["id"] for one in await of(client, bob)] == [note["id"], first["id"]]
    for post in (first, note):
        await client.delete(f"/api/v1/statuses/{post['id']}", headers=alice.headers)
    assert await of(client, alice) == await of(client, bob) == []


async def test_walked_by_its_links(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    said = [(await tell(client, alice, f"@bob {number}"))["id"] for number in range(5)]
    found = await walked(client, CONVERSATIONS, bob.headers)
    assert [one["last_status"]["id"] for one in found] == said[::-1]


async def test_who_is_suspended_is_not_in_it(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    await tell(client, alice, "@bob hello")
    await people.put(alice.id, Standing.SUSPENDED)
    assert await of(client, bob) == []
    await people.put(alice.id, Standing.ACTIVE)
    assert len(await of(client, bob)) == 1


async def test_whom_an_edit_leaves_out_learns_nothing_of_it(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    carol = await person(people, "carol")
    first = await tell(client, alice, "@bob hello")
    said = await tell(client, alice, "@bob only for you", in_reply_to_id=first["id"])
    path = f"/api/v1/statuses/{said['id']}"
    (own,) = await of(client, alice)
    assert (await client.delete(f"{CONVERSATIONS}/{own['id']}", headers=alice.headers)).status_code == 200
    assert (await client.put(path, json={"status": "@carol of bob"}, headers=alice.headers)).status_code == 200
    assert (await client.put(path, json={"status": "@carol of Bob"}, headers=alice.headers)).status_code == 200
    (before,) = await of(client, bob)
    assert ([one["acct"] for one in before["accounts"]], before["last_status"]["id"]) == (["alice"], first["id"])
    assert [one["last_status"]["id"] for one in await of(client, carol)] == [said["id"]]
    assert await of(client, alice) == []  # nobody said more: what she took off her list stays off it

    async def history(who: Person) -> list[str]:
        answer = await client.get(f"{path}/history", headers=who.headers)
        return [version["content"].rpartition(" ")[2] for version in answer.json()] if answer.is_success else []

    assert await history(alice) == ["you</p>", "bob</p>", "Bob</p>"]
    assert await history(carol) == ["bob</p>", "Bob</p>"]
    assert await history(bob) == []


async def test_whom_the_only_post_is_for_no_more_has_no_conversation(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    carol = await person(people, "carol")
    said = await tell(client, alice, "@bob hello")
    await client.put(f"/api/v1/statuses/{said['id']}", json={"status": "@carol"}, headers=alice.headers)
    assert (await of(client, bob), len(await of(client, carol))) == ([], 1)
    (own,) = await of(client, carol)
    await client.delete(f"{CONVERSATIONS}/{own['id']}", headers=carol.headers)
    await client.put(f"/api/v1/statuses/{said['id']}", json={"status": "@carol hey"}, headers=alice.headers)
    assert await of(client, carol) == []
