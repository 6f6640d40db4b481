"""Conversations over HTTP: direct posts as each who takes part sees them."""

from typing import Any

import httpx
from tests.support.people import People
from tests.surfaces.conftest import Person
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
