"""Boosts, favourites, bookmarks and pins over HTTP: what Mastodon's clients send and read."""

from typing import Any

import httpx
import pytest
from tests.support.people import People
from tests.surfaces.conftest import Person, person
from tests.surfaces.walking import walked

from folkmoot.gate import Standing

STATUSES = "/api/v1/statuses"


async def say(client: httpx.AsyncClient, who: Person, status: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post(STATUSES, json={"status": status, **fields}, headers=who.headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def do(client: httpx.AsyncClient, who: Person, verb: str, status_id: str, **body: Any) -> httpx.Response:
    return await client.post(f"{STATUSES}/{status_id}/{verb}", json=body, headers=who.headers)


async def test_a_boost_shows_the_post_to_followers(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    said = await say(client, alice, "hear, hear")
    boost = (await do(client, bob, "reblog", said["id"])).json()
    assert boost["id"] > said["id"]
    assert (boost["account"]["acct"], boost["reblog"]["account"]["acct"]) == ("bob", "alice")
    assert (boost["content"], boost["reblog"]["id"]) == (said["content"], said["id"])
    assert (boost["reblogged"], boost["reblog"]["reblogged"], boost["reblog"]["reblogs_count"]) == (True, True, 1)
    home = (await client.get("/api/v1/timelines/home", headers=bob.headers)).json()
    assert [one["id"] for one in home] == [boost["id"]]
    assert (await client.get("/api/v1/timelines/public", headers=alice.headers)).json() == [
        {**said, "reblogs_count": 1}  # boosts are no news to everybody
    ]
    people = (await client.get(f"{STATUSES}/{said['id']}/reblogged_by")).json()
    assert [one["acct"] for one in people] == ["bob"]
    back = (await do(client, bob, "unreblog", boost["id"])).json()
    assert (back["id"], back["reblogged"], back["reblogs_count"], back["reblog"]) == (said["id"], False, 0, None)


async def test_who_may_not_see_the_author_sees_no_boost(
    client: httpx.AsyncClient, alice: Person, bob: Person
) -> None:
    said = await say(client, alice, "hear, hear")
    boost = (await do(client, bob, "reblog", said["id"])).json()
    await client.post(f"/api/v1/accounts/{bob.id}/block", headers=alice.headers)
    for path in (f"{STATUSES}/{boost['id']}", f"{STATUSES}/{said['id']}"):
        assert (await client.get(path, headers=bob.headers)).status_code == 404
    for path in ("/api/v1/timelines/home", f"/api/v1/accounts/{bob.id}/statuses"):
        assert (await client.get(path, headers=bob.headers)).json() == []


@pytest.mark.parametrize(
    ("verb", "back", "flag", "path"),
    [
        ("favourite", "unfavourite", "favourited", "/api/v1/favourites"),
        ("bookmark", "unbookmark", "bookmarked", "/api/v1/bookmarks"),
    ],
)
async def test_marks_are_listed_in_the_order_in_which_they_were_made(
    client: httpx.AsyncClient, alice: Person, bob: Person, verb: str, back: str, flag: str, path: str
) -> None:
    said = [await say(client, alice, f"{number}") for number in range(3)]
    for number in (2, 0, 1):
        assert (await do(client, bob, verb, said[number]["id"])).json()[flag] is True
    first = await client.get(path, params={"limit": 2}, headers=bob.headers)
    assert [one["id"] for one in first.json()] == [said[1]["id"], said[0]["id"]]
    rest = await client.get(first.links["next"]["url"], headers=bob.headers)
    assert [one["id"] for one in rest.json()] == [said[2]["id"]]
    newer = await client.get(rest.links["prev"]["url"], headers=bob.headers)
    assert [one["id"] for one in newer.json()] == [said[1]["id"], said[0]["id"]]
    assert (await client.get(path, headers=alice.headers)).json() == []
    assert (await do(client, bob, back, said[1]["id"])).json()[flag] is False
    assert (await client.get(f"{STATUSES}/{said[0]['id']}", headers=alice.headers)).json()[flag] is False


async def test_who_favourited(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    said = await say(client, alice, "hear, hear")
    assert (await do(client, bob, "favourite", said["id"])).json()["favourites_count"] == 1
    people = (await client.get(f"{STATUSES}/{said['id']}/favourited_by")).json()
    assert [one["acct"] for one in people] == ["bob"]
    private = await say(client, alice, "for few", visibility="direct")
    assert (await client.get(f"{STATUSES}/{private['id']}/favourited_by")).status_code == 404


async def test_pins_are_what_a_profile_begins_with(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    said = await say(client, alice, "read this first")
    await say(client, alice, "then this")
    assert (await do(client, alice, "pin", said["id"])).json()["pinned"] is True
    path = f"/api/v1/accounts/{alice.id}/statuses"
    pinned = await client.get(path, params={"pinned": "true"}, headers=bob.headers)
    assert [one["id"] for one in pinned.json()] == [said["id"]]
    refused = await do(client, bob, "pin", said["id"])
    sentence = "Validation failed: Someone else's post cannot be pinned"
    assert (refused.status_code, refused.json()["error"]) == (422, sentence)


async def test_a_profile_without_boosts(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    said = await say(client, alice, "hear, hear")
    await do(client, bob, "reblog", said["id"])
    path = f"/api/v1/accounts/{bob.id}/statuses"
    assert len((await client.get(path)).json()) == 1
    assert (await client.get(path, params={"exclude_reblogs": "1"})).json() == []
    shown = (await client.get(f"/api/v1/accounts/{bob.id}")).json()
    assert (shown["statuses_count"], shown["last_status_at"]) == (1, said["created_at"][:10])


async def test_what_is_refused(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    said = await say(client, alice, "for few", visibility="direct")
    for verb in ("reblog", "unreblog", "favourite", "unfavourite", "bookmark", "mute", "pin"):
        assert (await do(client, bob, verb, said["id"])).status_code == 404
        assert (await do(client, bob, verb, "one")).status_code == 404
    assert (await do(client, alice, "reblog", said["id"])).status_code == 403
    assert (await do(client, alice, "reblog", said["id"], visibility="all")).status_code == 422
    assert (await client.post(f"{STATUSES}/{said['id']}/favourite")).status_code == 401


async def test_a_muted_conversation(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    said = await say(client, alice, "one")
    reply = await say(client, bob, "two", in_reply_to_id=said["id"])
    assert (await do(client, alice, "mute", said["id"])).json()["muted"] is True
    shown = await client.get(f"{STATUSES}/{reply['id']}", headers=alice.headers)
    assert shown.json()["muted"] is True
    assert (await do(client, alice, "unmute", reply["id"])).json()["muted"] is False


async def test_what_one_did_is_taken_back_of_whoever_blocked_one(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    said = await say(client, alice, "of bob")
    hidden = await say(client, alice, "@bob between us", visibility="direct")
    path, verbs = f"/api/v1/statuses/{said['id']}", ("reblog", "favourite", "bookmark", "mute")
    for verb in verbs:
        assert (await client.post(f"{path}/{verb}", headers=bob.headers)).status_code == 200
    await client.post(f"/api/v1/accounts/{bob.id}/block", headers=alice.headers)
    for verb in verbs:
        assert (await client.post(f"{path}/{verb}", headers=bob.headers)).status_code == 404
        answer = await client.post(f"{path}/un{verb}", headers=bob.headers)
        assert (answer.status_code, answer.json()["id"]) == (200, said["id"])
    left = (await client.get(path, headers=alice.headers)).json()
    assert (left["reblogs_count"], left["favourites_count"]) == (0, 0)
    await client.post(f"/api/v1/accounts/{bob.id}/unblock", headers=alice.headers)
    seen = (await client.get(path, headers=bob.headers)).json()
    assert [seen[name] for name in ("reblogged", "favourited", "bookmarked", "muted")] == [False] * 4
    stranger = await person(people, "carol")
    answer = await client.post(f"/api/v1/statuses/{hidden['id']}/unfavourite", headers=stranger.headers)
    assert (answer.status_code, "between" in answer.text) == (404, False)


async def test_a_boost_is_for_those_for_whom_ones_posts_are(
    client: httpx.AsyncClient, alice: Person, bob: Person
) -> None:
    said = await say(client, alice, "hear, hear")
    chosen = {"source": {"privacy": "private"}}
    await client.patch("/api/v1/accounts/update_credentials", json=chosen, headers=bob.headers)
    boost = (await do(client, bob, "reblog", said["id"])).json()
    assert (boost["visibility"], boost["reblog"]["visibility"]) == ("private", "public")
    assert (await client.get(f"/api/v1/accounts/{bob.id}/statuses")).json() == []
    await do(client, bob, "unreblog", said["id"])
    asked = (await do(client, bob, "reblog", said["id"], visibility="public")).json()
    assert asked["visibility"] == "public"


async def test_marks_of_who_is_suspended_do_not_look_like_the_end(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    carol = await person(people, "carol")
    direct = {"visibility": "direct"}
    for who, texts in ((carol, "ab"), (alice, "cdefg")):
        for text in texts:
            said = await say(client, who, text)
            assert (await do(client, bob, "bookmark", said["id"])).status_code == 200
            await say(client, who, f"@bob {text}", **direct)
    await people.put(alice.id, Standing.SUSPENDED)
    for path in ("/api/v1/bookmarks", "/api/v1/conversations"):
        answer = await client.get(path, params={"limit": 2}, headers=bob.headers)
        assert len(answer.json()) == 2, path
        assert len(await walked(client, path, bob.headers)) == 2, path
