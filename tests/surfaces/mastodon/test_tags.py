"""Tags over HTTP: timelines, what one follows, what stands on a profile, how much a tag is used."""

from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import Person
from tests.surfaces.mastodon.test_lists import add, make, read
from tests.surfaces.mastodon.test_marks import say
from tests.surfaces.walking import walked

from folkmoot.gate import Standing


async def tagged(client: httpx.AsyncClient, tag: str, **asked: Any) -> list[str]:
    answer = await client.get(f"/api/v1/timelines/tag/{tag}", params=asked)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()]


async def test_a_tag_is_one_however_it_is_written(client: httpx.AsyncClient, alice: Person) -> None:
    said = [(await say(client, alice, f"#{tag}"))["id"] for tag in ("Größe", "GRÖSSE", "ｇröße", "größe2")]
    assert await tagged(client, "GRÖßE") == [said[2], said[0]]  # ß and SS are two
    reply = (await say(client, alice, "#größe", in_reply_to_id=said[0]))["id"]
    for visibility in ("unlisted", "private", "direct"):
        await say(client, alice, "#größe", visibility=visibility)
    assert await tagged(client, "größe") == [reply, said[2], said[0]]
    assert await tagged(client, "größe", remote="true") == await tagged(client, "größe", only_media="true") == []
    assert await tagged(client, "größe", local="true") == [reply, said[2], said[0]]


async def test_walked_by_its_links(client: httpx.AsyncClient, people: People, alice: Person, bob: Person) -> None:
    await people.follow(alice.id, bob.id)
    list_id = await make(client, alice, "Bob")
    await add(client, alice, list_id, bob)
    said = [(await say(client, bob, f"#a {number}"))["id"] for number in range(5)]
    for timeline in ("tag/a", f"list/{list_id}", "home"):
        found = await walked(client, f"/api/v1/timelines/{timeline}", alice.headers)
        assert [one["id"] for one in found] == said[::-1], timeline


async def test_any_all_none(client: httpx.AsyncClient, alice: Person) -> None:
    a, b, ab, abc = [(await say(client, alice, text))["id"] for text in ("#a", "#b", "#a #b", "#a #b #c")]
    assert await tagged(client, "a") == [abc, ab, a]
    assert await tagged(client, "a", **{"any[]": ["B"]}) == [abc, ab, b, a]
    assert await tagged(client, "a", **{"all[]": ["#b"]}) == [abc, ab]
    assert await tagged(client, "a", **{"any[]": ["b"], "none[]": ["c"]}) == [ab, b, a]
    assert await tagged(client, "a", **{"all[]": ["b"], "none[]": ["b"]}) == []
    both = {"any[]": ["b"], "limit": 1}
    assert await tagged(client, "a", **both, max_id=ab) == [b]
    assert await tagged(client, "a", **both, min_id=a) == [b]


async def test_edited_and_deleted_it_is_where_its_tags_are(client: httpx.AsyncClient, alice: Person) -> None:
    one, other = [(await say(client, alice, "#a"))["id"] for _ in range(2)]
    edited = await client.put(f"/api/v1/statuses/{one}", json={"status": "#b"}, headers=alice.headers)
    assert edited.status_code == 200
    await client.delete(f"/api/v1/statuses/{other}", headers=alice.headers)
    assert (await tagged(client, "a"), await tagged(client, "b")) == ([], [one])


async def test_who_is_sanctioned_stands_under_no_tag(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    said = (await say(client, alice, "#a"))["id"]
    await people.follow(bob.id, alice.id)
    await people.put(alice.id, Standing.LIMITED)
    assert await tagged(client, "a") == await read(client, bob, "tag/a") == []
    await people.put(alice.id, Standing.ACTIVE)
    assert await read(client, bob, "tag/a") == [said]


async def test_followed_tags_are_in_home(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    follow = await client.post("/api/v1/tags/%23Birds/follow", headers=alice.headers)
    assert (follow.json()["name"], follow.json()["following"]) == ("birds", True)
    said = [(await say(client, bob, f"{n} #birds #birds"))["id"] for n in range(3)]
    own = (await say(client, alice, "mine #birds"))["id"]
    await say(client, bob, "unlisted #birds", visibility="unlisted")
    await people.follow(alice.id, bob.id)  # once, whyever it is there
    await say(client, bob, "direct", visibility="direct")
    found = await walked(client, "/api/v1/timelines/home", alice.headers)
    assert [one["id"] for one in found][1:] == [own, *said[::-1]]
    await client.post(f"/api/v1/accounts/{bob.id}/mute", headers=alice.headers)
    assert await read(client, alice, "home") == [own]
    for tag in ("one", "two"):
        await client.post(f"/api/v1/tags/{tag}/follow", headers=alice.headers)
    tags = await walked(client, "/api/v1/followed_tags", alice.headers)
    assert [(one["name"], one["following"]) for one in tags] == [("two", True), ("one", True), ("birds", True)]
    gone = await client.post("/api/v1/tags/birds/unfollow", headers=alice.headers)
    assert gone.json()["following"] is False


async def test_a_tag_says_how_it_was_used(
    client: httpx.AsyncClient, clock: FakeClock, alice: Person, bob: Person
) -> None:
    for who in (alice, bob, bob):
        await say(client, who, "#birds")
    clock.advance_ms(3 * 86_400_000)
    await say(client, bob, "#birds")
    tag = (await client.get("/api/v1/tags/Birds")).json()
    assert set(tag) == {"name", "url", "history"}
    assert [(day["uses"], day["accounts"]) for day in tag["history"]] == [
        *[("1", "1"), ("0", "0"), ("0", "0"), ("3", "2")],
        *[("0", "0")] * 3,
    ]
    assert int(tag["history"][0]["day"]) == clock() // 86_400_000 * 86_400
    assert (await client.get("/api/v1/tags/none")).json()["history"][0]["uses"] == "0"
    for no_tag in ("a%20b", "%20", "1234", "x" * 600, "a%00b"):
        assert (await client.get(f"/api/v1/tags/{no_tag}")).status_code == 404, no_tag


async def test_tags_on_a_profile(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    path = "/api/v1/featured_tags"
    for text in ("#birds", "#birds", "#bees", "#birds and more"):
        await say(client, alice, text)
    suggested = (await client.get(f"{path}/suggestions", headers=alice.headers)).json()
    assert [one["name"] for one in suggested] == ["birds", "bees"]
    made = (await client.post(path, data={"name": "#Birds"}, headers=alice.headers)).json()
    assert (made["name"], made["statuses_count"], len(made["last_status_at"])) == ("birds", "3", 10)
    assert made["url"] == "http://moot.test/@alice/tagged/birds"
    assert (await client.get(f"/api/v1/accounts/{alice.id}/featured_tags")).json() == [made]
    assert (await client.get(path, headers=alice.headers)).json() == [made]
    assert (await client.post(path, json={"name": "no tag"}, headers=alice.headers)).status_code == 422
    under = await client.get(f"/api/v1/accounts/{alice.id}/statuses", params={"tagged": "BEES"})
    assert [one["tags"][0]["name"] for one in under.json()] == ["bees"]
    assert (await client.delete(f"{path}/{made['id']}", headers=bob.headers)).status_code == 404
    assert (await client.delete(f"{path}/{made['id']}", headers=alice.headers)).json() == {}
    featured = (await client.post("/api/v1/tags/bees/feature", headers=alice.headers)).json()
    assert featured["featuring"] is True
    for n in range(9):
        assert (await client.post(path, json={"name": f"t{n}"}, headers=alice.headers)).status_code == 200
    assert (await client.post(path, json={"name": "eleventh"}, headers=alice.headers)).status_code == 422


@pytest.mark.parametrize("tag", ["#", "%00", "🐦", "a/b"])
async def test_what_is_no_tag_has_an_empty_timeline(client: httpx.AsyncClient, tag: str) -> None:
    answer = await client.get(f"/api/v1/timelines/tag/{tag}")
    assert answer.status_code in (200, 404, 422)
