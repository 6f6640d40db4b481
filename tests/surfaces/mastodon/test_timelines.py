"""Timelines over HTTP: pages, their links, and what a page costs."""

import re
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from sqlalchemy import event
from tests.support.people import People
from tests.support.square import Square

from folkmoot.gate import Standing
from folkmoot.posts.model import Visibility
from folkmoot.surfaces.services import Services

HOME, PUBLIC = "/api/v1/timelines/home", "/api/v1/timelines/public"
STATEMENTS_MAX = 12


@pytest.fixture
def square(services: Services) -> Square:
    return Square(services.database)


def links(answer: httpx.Response) -> dict[str, str]:
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers.get("link", ""))
    return {relation: address for address, relation in found}


def texts(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [re.sub("<[^>]*>", "", status["content"]) for status in answer.json()]


async def test_walking_down_and_up_sees_every_post_once(
    client: httpx.AsyncClient, square: Square, alice: Any
) -> None:
    said = [str(number) for number in range(10)]
    for text in said:
        await square.say(alice.id, text)
    answer = await client.get(HOME, params={"limit": 4}, headers=alice.headers)
    seen, top = texts(answer), links(answer)["prev"]
    while "next" in links(answer):
        answer = await client.get(links(answer)["next"], headers=alice.headers)
        seen += texts(answer)
    assert seen == said[::-1]
    assert texts(await client.get(top, headers=alice.headers)) == []
    await square.say(alice.id, "10")
    assert texts(await client.get(top, headers=alice.headers)) == ["10"]
    up = await client.get(links(answer)["prev"], headers=alice.headers)
    while links(up):
        seen = texts(up) + seen
        up = await client.get(links(up)["prev"], headers=alice.headers)
    assert seen[0] == "10"


async def test_links_keep_what_was_asked_for(client: httpx.AsyncClient, square: Square, alice: Any) -> None:
    for number in range(3):
        await square.say(alice.id, str(number))
    answer = await client.get(PUBLIC, params={"limit": 2, "local": "true"})
    address, _, query = links(answer)["next"].partition("?")
    assert address == "http://moot.test/api/v1/timelines/public"
    # Litestar gives the parameters in no particular order.
    assert dict(parse_qsl(query)) == {"limit": "2", "local": "true", "max_id": answer.json()[-1]["id"]}
    assert "link" not in (await client.get(PUBLIC, params={"remote": "true"})).headers


async def test_an_accounts_posts(client: httpx.AsyncClient, square: Square, alice: Any, bob: Any) -> None:
    post = await square.say(bob.id, "bob's")
    await square.say(alice.id, "hello")
    await square.say(alice.id, "reply", answering=post)
    await square.say(alice.id, "secret", Visibility.FOLLOWERS)
    path = f"/api/v1/accounts/{alice.id}/statuses"
    assert texts(await client.get(path)) == ["reply", "hello"]
    assert texts(await client.get(path, headers=alice.headers)) == ["secret", "reply", "hello"]
    assert texts(await client.get(path, params={"exclude_replies": "true"})) == ["hello"]
    assert texts(await client.get(path, params={"pinned": "true"})) == []
    assert (await client.get("/api/v1/accounts/7/statuses")).status_code == 404


async def test_home_needs_an_account_and_public_does_not(client: httpx.AsyncClient) -> None:
    assert (await client.get(HOME)).status_code == 401
    assert (await client.get(PUBLIC)).status_code == 200
    assert (await client.get(PUBLIC, params={"limit": "many"})).status_code == 422


async def test_a_suspended_flood_does_not_look_like_the_end(
    client: httpx.AsyncClient, square: Square, people: People, alice: Any, bob: Any
) -> None:
    for number in range(4):
        await square.say(alice.id, f"calm {number}")
    for number in range(12):
        await square.say(bob.id, f"flood {number}")
    await people.put(bob.id, Standing.SUSPENDED)
    answer = await client.get(PUBLIC, params={"limit": 2})
    assert texts(answer) == ["calm 3", "calm 2"]
    assert texts(await client.get(links(answer)["next"])) == ["calm 1", "calm 0"]


async def test_a_page_costs_the_same_whatever_is_in_it(
    client: httpx.AsyncClient, square: Square, services: Services, people: People, alice: Any, bob: Any
) -> None:
    counted: list[str] = []
    event.listen(
        services.database.engine.sync_engine,
        "before_cursor_execute",
        lambda *arguments: counted.append(arguments[2]),
    )
    await people.follow(alice.id, bob.id)
    made = (await client.post("/api/v1/lists", json={"title": "Bob"}, headers=alice.headers)).json()["id"]
    for path, body in (
        (f"/api/v1/lists/{made}/accounts", {"account_ids": [str(bob.id)]}),
        ("/api/v1/tags/birds/follow", {}),
        ("/api/v2/filters", {"title": "f", "context": ["home"], "keywords_attributes": [{"keyword": "1"}]}),
    ):
        assert (await client.post(path, json=body, headers=alice.headers)).status_code == 200
    await services.networks.require_let_in("127.0.0.1")  # a process reads once what is stopped
    # A list is looked up; in a public one the gate asks of each author whether everybody sees them.
    most = {HOME: 0, f"/api/v1/timelines/list/{made}": 1, "/api/v1/timelines/tag/birds": 1}

    async def cost(path: str, limit: int) -> int:
        counted.clear()
        answer = await client.get(path, params={"limit": limit}, headers=alice.headers)
        assert len(answer.json()) == limit
        return len(counted)

    post = await square.say(bob.id, "one #birds")
    first = {path: await cost(path, 1) for path in most}
    for number in range(19):
        await square.say(bob.id, f"@alice {number} #birds", answering=post)
    for path, more in most.items():
        assert await cost(path, 20) == first[path] <= STATEMENTS_MAX + more, path


async def test_who_is_muted_or_blocked_is_not_spoken_of_at_home_and_says_nothing_in_threads(
    client: httpx.AsyncClient, square: Square, people: People, alice: Any, bob: Any
) -> None:
    carol, dave, erin = [await people.create(name) for name in ("carol", "dave", "erin")]
    for followed in (bob.id, carol):
        await people.follow(alice.id, followed)
    made = (await client.post("/api/v1/lists", json={"title": "Bob"}, headers=alice.headers)).json()["id"]
    members = {"account_ids": [str(bob.id)]}
    await client.post(f"/api/v1/lists/{made}/accounts", json=members, headers=alice.headers)
    said = await square.say(bob.id, "to everybody")
    muted = await square.say(carol, "muted", answering=said)
    await square.say(carol, "below", answering=muted)
    await square.say(bob.id, "answered", answering=muted)
    for name in ("carol", "dave", "erin"):
        await square.say(bob.id, f"of @{name}")
    own = await square.say(alice.id, "own, of @dave")
    assert (await client.post(f"/api/v1/accounts/{carol}/mute", headers=alice.headers)).status_code == 200
    assert (await client.post(f"/api/v1/accounts/{dave}/block", headers=alice.headers)).status_code == 200
    await people.block(erin, alice.id)  # her decision, which hides what others say from nobody
    assert texts(await client.get(HOME, headers=alice.headers)) == ["own, of @dave", "of @erin", "to everybody"]
    listed = f"/api/v1/timelines/list/{made}"
    assert texts(await client.get(listed, headers=alice.headers)) == ["of @erin", "to everybody"]
    context = (await client.get(f"/api/v1/statuses/{said.id}/context", headers=alice.headers)).json()
    assert [re.sub("<[^>]*>", "", one["content"]) for one in context["descendants"]] == ["answered"]
    assert own.id  # what is public stays so for whoever looks elsewhere
    assert "of @dave" in texts(await client.get(PUBLIC, headers=alice.headers))


async def test_home_has_all_that_one_says(client: httpx.AsyncClient, square: Square, alice: Any, bob: Any) -> None:
    said = await square.say(bob.id, "hello")
    await square.say(alice.id, "answered", answering=said)
    boost = await client.post(f"/api/v1/statuses/{said.id}/reblog", headers=alice.headers)
    await client.post(f"/api/v1/accounts/{bob.id}/mute", headers=alice.headers)
    home = (await client.get(HOME, headers=alice.headers)).json()
    assert [one["id"] for one in home][:1] == [boost.json()["id"]]
    assert "answered" in home[1]["content"]
