"""Trends over HTTP: what several people take up, and nothing of whom not everybody sees."""

from typing import Any

import httpx
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import Person, person
from tests.surfaces.mastodon.test_marks import say
from tests.surfaces.walking import links

from folkmoot.gate import Standing
from folkmoot.surfaces.mastodon.trending import GOOD_FOR_MS

TRENDS = "/api/v1/trends"
LINK = "https://news.test/a?b=1&c=2"


async def trends(client: httpx.AsyncClient, what: str, who: Person | None = None, **asked: Any) -> list[Any]:
    answer = await client.get(f"{TRENDS}/{what}", params=asked, headers=who.headers if who else {})
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()
    return found


async def test_what_two_people_use_is_a_trend(
    client: httpx.AsyncClient, clock: FakeClock, alice: Person, bob: Person
) -> None:
    for _ in range(3):
        await say(client, alice, f"#alone https://alone.test and #birds {LINK}")
    assert await trends(client, "tags") == await trends(client, "links") == []
    await say(client, bob, f"#Birds {LINK}")
    assert await trends(client, "tags") == []  # as it was looked up
    clock.advance_ms(GOOD_FOR_MS)
    (tag,) = await trends(client, "tags", alice)
    assert (tag["name"], tag["history"][0]["uses"], tag["following"]) == ("birds", "4", False)
    assert (await client.get(TRENDS)).json() == await trends(client, "tags")
    (link,) = await trends(client, "links")
    assert (link["url"], link["title"], link["provider_name"]) == (LINK, "news.test/a?b=1&c=2", "news.test")
    assert (link["type"], link["history"][0]["accounts"]) == ("link", "2")


async def test_nothing_of_whom_not_everybody_sees(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    said = await say(client, bob, f"#birds {LINK}")
    own = await say(client, alice, f"#birds {LINK}")
    for who, post in ((alice, said), (bob, own)):
        for verb in ("favourite", "reblog"):
            await client.post(f"/api/v1/statuses/{post['id']}/{verb}", headers=who.headers)
    assert [len(await trends(client, what)) for what in ("tags", "links", "statuses")] == [1, 1, 2]
    for standing in (Standing.LIMITED, Standing.SUSPENDED):
        await people.put(bob.id, standing)
        assert await trends(client, "tags") == await trends(client, "links") == []
        assert [one["id"] for one in await trends(client, "statuses")] == [own["id"]]
    await people.put(bob.id, Standing.ACTIVE)
    await client.post(f"/api/v1/accounts/{bob.id}/mute", headers=alice.headers)
    assert [one["id"] for one in await trends(client, "statuses", alice)] == [own["id"]]
    await client.delete(f"/api/v1/statuses/{own['id']}", headers=alice.headers)
    assert [len(await trends(client, what)) for what in ("tags", "links", "statuses")] == [0, 0, 1]


async def test_only_what_is_public_counts(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    for visibility in ("unlisted", "private", "direct"):
        for who in (alice, bob):
            said = await say(client, who, f"#birds {LINK} @alice @bob", visibility=visibility)
            for marking in (alice, bob):
                await client.post(f"/api/v1/statuses/{said['id']}/favourite", headers=marking.headers)
    for what in ("tags", "links", "statuses"):
        assert await trends(client, what) == []


async def test_pages_go_by_number(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    for number in range(5):
        for who in (alice, bob):
            await say(client, who, f"#tag{number}")
    seen: list[str] = []
    address = f"{TRENDS}/tags?limit=2"
    while address:
        answer = await client.get(address)
        seen += [one["name"] for one in answer.json()]
        address = links(answer).get("next", "")
    assert sorted(seen) == [f"tag{number}" for number in range(5)]
    first = await client.get(links(answer)["prev"])
    assert [one["name"] for one in first.json()] == seen[2:4]
    assert (await client.get(f"{TRENDS}/tags", params={"offset": "x"})).status_code == 422
    assert await trends(client, "tags", offset=10**18) == []


async def test_the_timeline_of_a_link_that_is_a_trend(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, clock: FakeClock
) -> None:
    carol = await person(people, "carol")
    said = [(await say(client, who, f"look {LINK}"))["id"] for who in (alice, bob, alice, carol)]

    async def seen(who: Person | None = None, **asked: Any) -> list[str]:
        headers = who.headers if who is not None else {}
        answer = await client.get("/api/v1/timelines/link", params={"url": LINK, **asked}, headers=headers)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()]

    assert await seen() == [said[3], said[2], said[1]]
    assert await seen(limit=1) == [said[3]]
    assert await seen(max_id=said[3], limit=1) == [said[2]]
    assert await seen(min_id=said[1], limit=1) == [said[2]]
    await client.post(f"/api/v1/accounts/{bob.id}/mute", headers=alice.headers)
    assert await seen(alice) == [said[3], said[2]]
    await people.put(carol.id, Standing.LIMITED)
    assert await seen() == [said[2], said[1]]
    for url in ("https://alone.test", ""):
        answer = await client.get("/api/v1/timelines/link", params={"url": url})
        assert answer.status_code == 404
    await people.put(bob.id, Standing.SUSPENDED)
    clock.advance_ms(GOOD_FOR_MS)
    assert (await client.get("/api/v1/timelines/link", params={"url": LINK})).status_code == 404
