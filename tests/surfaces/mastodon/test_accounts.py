"""Accounts as Mastodon clients see and change them."""

import re
from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.gate import Standing

ACCOUNTS = "/api/v1/accounts"
# https://docs.joinmastodon.org/entities/Account/
FIELDS = {
    "id", "username", "acct", "display_name", "locked", "bot", "discoverable", "indexable", "group", "created_at",
    "note", "url", "uri", "avatar", "avatar_static", "header", "header_static", "followers_count",
    "following_count", "statuses_count", "last_status_at", "emojis", "fields", "roles", "hide_collections",
}  # fmt: skip


async def headers_of(people: People, account_id: int, scopes: str = "read write") -> dict[str, str]:
    return {"Authorization": f"Bearer {await people.token(account_id, scopes)}"}


@pytest.fixture
async def ids(people: People) -> dict[str, int]:
    return {name: await people.create(name) for name in ("alice", "Bob", "carol")}


async def test_everybody_sees_an_account(client: httpx.AsyncClient, ids: dict[str, int]) -> None:
    answer = await client.get(f"{ACCOUNTS}/{ids['Bob']}")
    assert answer.status_code == 200
    shown = answer.json()
    assert shown.keys() == FIELDS
    assert (shown["id"], shown["username"], shown["acct"]) == (str(ids["Bob"]), "Bob", "Bob")
    assert shown["url"] == "http://moot.test/@Bob"
    assert shown["created_at"] == "2027-01-15T08:00:00.000Z"
    assert shown["last_status_at"] is None
    for picture in ("avatar", "avatar_static", "header", "header_static"):
        file = await client.get(shown[picture])
        assert (file.status_code, file.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize("id_", ["0", "-1", "x", "99", "9" * 30, "1e3", "٣"])
async def test_what_is_no_account_does_not_exist(client: httpx.AsyncClient, id_: str) -> None:
    answer = await client.get(f"{ACCOUNTS}/{id_}")
    assert answer.status_code == 404
    assert answer.json()["error"] == "Record not found."


@pytest.mark.parametrize("acct", ["bob", "BOB", "@bob", "bob@moot.test", "bob@MOOT.test"])
async def test_looking_up(client: httpx.AsyncClient, ids: dict[str, int], acct: str) -> None:
    answer = await client.get(f"{ACCOUNTS}/lookup", params={"acct": acct})
    assert answer.json()["id"] == str(ids["Bob"])


@pytest.mark.parametrize("acct", ["", "bob@elsewhere.test", "nobody", "b\x00b", "é"])
async def test_looking_up_in_vain(client: httpx.AsyncClient, ids: dict[str, int], acct: str) -> None:
    assert (await client.get(f"{ACCOUNTS}/lookup", params={"acct": acct})).status_code == 404


async def test_who_is_suspended_is_gone(client: httpx.AsyncClient, people: People, ids: dict[str, int]) -> None:
    await people.follow(ids["alice"], ids["Bob"])
    await people.put(ids["Bob"], Standing.SUSPENDED)
    assert (await client.get(f"{ACCOUNTS}/{ids['Bob']}")).status_code == 404
    assert (await client.get(f"{ACCOUNTS}/lookup?acct=bob")).status_code == 404
    assert (await client.get(f"{ACCOUNTS}/{ids['alice']}/following")).json() == []
    alice = await headers_of(people, ids["alice"])
    assert (await client.post(f"{ACCOUNTS}/{ids['Bob']}/follow", headers=alice)).status_code == 404


async def test_ones_own_account(client: httpx.AsyncClient, people: People, ids: dict[str, int]) -> None:
    for scopes in ("read", "read:accounts", "profile"):
        headers = await headers_of(people, ids["alice"], scopes)
        own = (await client.get(f"{ACCOUNTS}/verify_credentials", headers=headers)).json()
        assert own.keys() == FIELDS | {"source", "role"}
        assert own["source"]["privacy"] == "public"
        assert own["role"]["permissions"] == "0"
    headers = await headers_of(people, ids["alice"], "write push")
    refused = await client.get(f"{ACCOUNTS}/verify_credentials", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert (await client.get(f"{ACCOUNTS}/verify_credentials")).status_code == 401


@pytest.mark.parametrize("kind", ["json", "form", "multipart", "query"])
async def test_a_profile_changes(client: httpx.AsyncClient, people: People, ids: dict[str, int], kind: str) -> None:
    headers = await headers_of(people, ids["alice"])
    rows = {"7": {"name": "Web", "value": "https://a.test"}, "0": {"name": "", "value": ""}}
    source = {"privacy": "unlisted", "sensitive": True, "language": "de", "quote_policy": "followers"}
    body = {"display_name": " Alice A. ", "note": "Hi <b>\nhttps://a.test", "bot": True, "locked": True}
    body |= {"discoverable": False, "indexable": True, "hide_collections": True}
    answer = await client.patch(
        f"{ACCOUNTS}/update_credentials",
        headers=headers,
        **sent_as(kind, body | {"fields_attributes": rows, "source": source}),
    )
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["display_name"] == "Alice A."
    assert shown["note"].startswith("<p>Hi &lt;b&gt;<br><a href=")
    assert {name: shown[name] for name in body if isinstance(body[name], bool)} == {
        name: value for name, value in body.items() if isinstance(value, bool)
    }
    (field,) = shown["fields"]
    assert (field["name"], field["verified_at"]) == ("Web", None)
    assert 'href="https://a.test" target="_blank" rel="me nofollow noopener noreferrer"' in field["value"]
    own = shown["source"]
    assert own["note"] == "Hi <b>\nhttps://a.test"
    assert own["fields"] == [{"name": "Web", "value": "https://a.test", "verified_at": None}]
    assert own["follow_requests_count"] == 0
    assert {name: own[name] for name in source} == source
    preferences = (await client.get("/api/v1/preferences", headers=headers)).json()
    assert preferences["posting:default:visibility"] == "unlisted"
    assert preferences["posting:default:sensitive"] is True
    assert preferences["posting:default:language"] == "de"
    assert preferences["posting:default:quote_policy"] == "followers"
    named = (
        await client.patch(f"{ACCOUNTS}/update_credentials", headers=headers, json={"note": "of @BOB @x"})
    ).json()
    assert re.findall(r'href="[^"]*(/@\w+)"', named["note"]) == ["/@Bob"]
    kept = (await client.patch(f"{ACCOUNTS}/update_credentials", headers=headers, json={"note": ""})).json()
    assert (kept["display_name"], kept["note"], len(kept["fields"])) == ("Alice A.", "", 1)
    assert kept["source"]["privacy"] == "unlisted"


def sent_as(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """A body as programs send it: `a[b][c]=d` where it is not JSON."""
    if kind == "json":
        return {"json": body}
    flat = {}
    for name, value in body.items():
        for inner, one in value.items() if isinstance(value, dict) else [("", value)]:
            for last, text in one.items() if isinstance(one, dict) else [("", one)]:
                path = name + (f"[{inner}]" if inner else "") + (f"[{last}]" if last else "")
                flat[path] = str(text).lower() if isinstance(text, bool) else text
    if kind == "multipart":
        return {"files": {name: (None, value) for name, value in flat.items()}}
    return {"params": flat} if kind == "query" else {"data": flat}


@pytest.mark.parametrize(
    "body",
    [
        {"display_name": "x" * 51},
        {"display_name": "a\nb"},
        {"note": "x" * 501},
        {"note": "a\x00"},
        {"note": ["x"]},
        {"source": {"privacy": "direct"}},
        {"source": {"language": "x"}},
        {"source": "public"},
        {"fields_attributes": [{"name": "a", "value": "b"}] * 5},
        {"fields_attributes": {"0": "a"}},
        {"locked": "perhaps"},
    ],
)
async def test_profiles_that_cannot_be(
    client: httpx.AsyncClient, people: People, ids: dict[str, int], body: dict[str, object]
) -> None:
    headers = await headers_of(people, ids["alice"])
    answer = await client.patch(f"{ACCOUNTS}/update_credentials", headers=headers, json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]


async def test_a_picture_is_refused_rather_than_lost(
    client: httpx.AsyncClient, people: People, ids: dict[str, int]
) -> None:
    headers = await headers_of(people, ids["alice"])
    files = {"avatar": ("a.png", b"x", "image/png")}
    answer = await client.patch(f"{ACCOUNTS}/update_credentials", headers=headers, files=files)
    assert answer.status_code == 422


async def test_following_and_no_longer(client: httpx.AsyncClient, people: People, ids: dict[str, int]) -> None:
    headers = await headers_of(people, ids["alice"])
    bob = f"{ACCOUNTS}/{ids['Bob']}"
    for _ in range(2):
        answer = await client.post(f"{bob}/follow", headers=headers, data={"reblogs": "true"})
        assert (answer.status_code, answer.json()["following"]) == (200, True)
    shown = (await client.get(bob)).json()
    assert (shown["followers_count"], shown["following_count"]) == (1, 0)
    followers = (await client.get(f"{bob}/followers")).json()
    assert [account["username"] for account in followers] == ["alice"]
    answer = await client.post(f"{bob}/unfollow", headers=headers)
    assert answer.json()["following"] is False
    assert (await client.get(f"{bob}/followers")).json() == []


async def test_a_block_ends_follows_both_ways_and_hides(
    client: httpx.AsyncClient, people: People, ids: dict[str, int]
) -> None:
    alice, bob = await headers_of(people, ids["alice"]), await headers_of(people, ids["Bob"])
    await people.follow(ids["alice"], ids["Bob"])
    await people.follow(ids["Bob"], ids["alice"])
    answer = (await client.post(f"{ACCOUNTS}/{ids['Bob']}/block", headers=alice)).json()
    assert (answer["blocking"], answer["following"], answer["followed_by"]) == (True, False, False)
    assert (await client.get(f"{ACCOUNTS}/{ids['alice']}", headers=bob)).status_code == 404
    assert (await client.post(f"{ACCOUNTS}/{ids['alice']}/follow", headers=bob)).status_code == 404
    back = (await client.post(f"{ACCOUNTS}/{ids['alice']}/block", headers=bob)).json()
    assert (back["blocking"], back["blocked_by"]) == (True, True)
    for headers, target in ((alice, "Bob"), (bob, "alice")):
        answer = (await client.post(f"{ACCOUNTS}/{ids[target]}/unblock", headers=headers)).json()
        assert (answer["blocking"], answer["following"]) == (False, False)
    assert (await client.post(f"{ACCOUNTS}/{ids['alice']}/follow", headers=bob)).status_code == 200


@pytest.mark.parametrize("verb", ["follow", "block"])
async def test_not_oneself(client: httpx.AsyncClient, people: People, ids: dict[str, int], verb: str) -> None:
    headers = await headers_of(people, ids["alice"])
    answer = await client.post(f"{ACCOUNTS}/{ids['alice']}/{verb}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "own_account")


@pytest.mark.parametrize("verb", ["follow", "unfollow", "block", "unblock"])
async def test_who_may_not(client: httpx.AsyncClient, people: People, ids: dict[str, int], verb: str) -> None:
    address = f"{ACCOUNTS}/{ids['Bob']}/{verb}"
    assert (await client.post(address)).status_code == 401
    assert (await client.post(address, headers=await headers_of(people, ids["alice"], "read"))).status_code == 403
    headers = await headers_of(people, ids["alice"])
    assert (await client.post(f"{ACCOUNTS}/12345/{verb}", headers=headers)).status_code == 404
    await people.put(ids["alice"], Standing.SUSPENDED)
    assert (await client.post(address, headers=headers)).status_code == 401
    anew = await headers_of(people, ids["alice"])
    refused = await client.post(address, headers=anew)
    assert (refused.status_code, refused.json()["code"]) == (403, "suspended")


async def test_relationships(client: httpx.AsyncClient, people: People, ids: dict[str, int]) -> None:
    headers = await headers_of(people, ids["alice"])
    await people.follow(ids["alice"], ids["Bob"])
    await people.follow(ids["carol"], ids["alice"])
    asked = [str(ids["carol"]), "77", "x", str(ids["Bob"]), str(ids["carol"])]
    answer = await client.get(f"{ACCOUNTS}/relationships", headers=headers, params={"id[]": asked})
    found = answer.json()
    assert [item["id"] for item in found] == [str(ids["carol"]), str(ids["Bob"])]
    assert [(item["following"], item["followed_by"]) for item in found] == [(False, True), (True, False)]
    assert (await client.get(f"{ACCOUNTS}/relationships", headers=headers)).json() == []
    assert (await client.get(f"{ACCOUNTS}/relationships?id[]={'9' * 30}", headers=headers)).json() == []


async def test_pages_lead_through_all_followers_once(client: httpx.AsyncClient, people: People) -> None:
    star = await people.create("star")
    fans = [await people.create(f"fan{number}") for number in range(7)]
    for fan in fans:
        await people.follow(fan, star)
    await people.put(fans[3], Standing.SUSPENDED)  # left out, and the cursors go on behind it
    seen: list[str] = []
    answer = await client.get(f"{ACCOUNTS}/{star}/followers?limit=2")
    pages = 1
    while True:
        seen += [account["id"] for account in answer.json()]
        if "next" not in answer.links:
            break
        answer = await client.get(answer.links["next"]["url"])
        pages += 1
    assert seen == [str(fan) for fan in reversed(fans) if fan != fans[3]]
    assert pages == 4
    newer = await client.get(answer.links["prev"]["url"])
    assert [account["id"] for account in newer.json()] == [str(fans[2]), str(fans[1])]
    newest = await client.get(f"{ACCOUNTS}/{star}/followers?since_id={fans[0]}&limit=1")
    assert [account["id"] for account in newest.json()] == [str(fans[6])]


@pytest.mark.parametrize("query", ["limit=x", "max_id=-1", "min_id=" + "9" * 30, "since_id=1.5"])
async def test_pages_that_are_none(client: httpx.AsyncClient, ids: dict[str, int], query: str) -> None:
    assert (await client.get(f"{ACCOUNTS}/{ids['Bob']}/followers?{query}")).status_code == 422


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_the_server_says_what_it_is(
    client: httpx.AsyncClient, people: People, ids: dict[str, int], clock: FakeClock, version: str
) -> None:
    clock.advance_ms(30 * 24 * 3600 * 1000 + 1)
    await people.token(ids["alice"])
    shown = (await client.get(f"/api/{version}/instance")).json()
    assert shown["title"] == "Moot"
    assert shown["version"] == "4.5.0+folkmoot.0.0.1"
    assert shown["configuration"]["statuses"]["max_characters"] == 500
    assert shown["configuration"]["accounts"]["max_note_length"] == 500
    assert shown["configuration"]["polls"] == {
        "max_options": 4,
        "max_characters_per_option": 50,
        "min_expiration": 300,
        "max_expiration": 2_629_746,
    }
    if version == "v2":
        assert shown["usage"]["users"]["active_month"] == 1
        assert shown["registrations"]["enabled"] is True
        assert shown["api_versions"]["mastodon"] == 7  # that of 4.5
    else:
        assert shown["stats"] == {"user_count": 3, "status_count": 0, "domain_count": 0}
