"""Search over HTTP: https://docs.joinmastodon.org/methods/search/."""

from typing import Any

import httpx
import pytest
from tests.support.people import People
from tests.support.square import Square

from folkmoot.gate import Standing
from folkmoot.posts.model import Visibility
from folkmoot.surfaces.services import Services

SEARCH = "/api/v2/search"


@pytest.fixture
def square(services: Services) -> Square:
    return Square(services.database)


async def search(client: httpx.AsyncClient, who: Any, q: str, **options: str) -> dict[str, Any]:
    answer = await client.get(SEARCH, params={"q": q, **options}, headers=who.headers if who else {})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_accounts_posts_and_tags_are_found(client: httpx.AsyncClient, square: Square, alice: Any) -> None:
    first = await square.say(alice.id, "Alice likes #alicetea")
    second = await square.say(alice.id, "alice says more")
    found = await search(client, alice, "alice")
    assert [one["username"] for one in found["accounts"]] == ["alice"]
    assert [one["id"] for one in found["statuses"]] == [str(second.id), str(first.id)]
    assert [one["name"] for one in found["hashtags"]] == ["alicetea"]
    only = await search(client, alice, "alice", type="statuses", limit="1", offset="1")
    assert [one["id"] for one in only["statuses"]] == [str(first.id)]
    assert only["accounts"] == only["hashtags"] == []
    assert (await search(client, alice, "alice", account_id="1"))["statuses"] == []
    assert (await search(client, alice, "alice has:media from:me"))["statuses"] == []


async def test_strangers_find_people_and_tags_but_no_posts(
    client: httpx.AsyncClient, square: Square, alice: Any
) -> None:
    await square.say(alice.id, "alice #alicetea")
    found = await search(client, None, "alice")
    assert (len(found["accounts"]), len(found["hashtags"]), found["statuses"]) == (1, 1, [])
    for options in ({"resolve": "true"}, {"offset": "1"}):
        assert (await client.get(SEARCH, params={"q": "alice", **options})).status_code == 401


async def test_a_tag_is_found_while_somebody_who_used_it_stands_in_public_lists(
    client: httpx.AsyncClient, square: Square, alice: Any, bob: Any, people: People
) -> None:
    await square.say(alice.id, "#teasecret #tea")
    await square.say(bob.id, "#tea")

    async def names(**options: str) -> list[str]:
        return [one["name"] for one in (await search(client, bob, "te", type="hashtags", **options))["hashtags"]]

    assert await names() == ["tea", "teasecret"]
    assert await names(limit="1", offset="1") == ["teasecret"]
    for standing in (Standing.LIMITED, Standing.SUSPENDED):
        await people.put(alice.id, standing)
        assert await names() == ["tea"]
        assert await names(offset="1") == []


async def test_addresses_of_this_server_find_what_is_there(
    client: httpx.AsyncClient, square: Square, alice: Any, people: People
) -> None:
    public = await square.say(alice.id, "here")
    private = await square.say(alice.id, "not for all", Visibility.FOLLOWERS)
    for path in (f"@alice/{public.id}", f"users/alice/statuses/{public.id}", f"@alice/{public.id}?x#y"):
        found = await search(client, None, f"http://moot.test/{path}")
        assert [one["id"] for one in found["statuses"]] == [str(public.id)]
    assert (await search(client, None, f"http://moot.test/@alice/{private.id}"))["statuses"] == []
    assert [one["username"] for one in (await search(client, None, "http://moot.test/@alice"))["accounts"]] == [
        "alice"
    ]
    elsewhere = await search(client, alice, f"https://elsewhere.example/@alice/{public.id}", resolve="true")
    assert elsewhere == {"accounts": [], "statuses": [], "hashtags": []}


@pytest.mark.parametrize(
    "options", [{}, {"q": " "}, {"q": "a", "type": "spaces"}, {"q": "a", "offset": "-1"}, {"q": "a", "limit": "x"},
                {"q": "a", "offset": "999999999"}]
)  # fmt: skip
async def test_what_cannot_be_asked(client: httpx.AsyncClient, alice: Any, options: dict[str, str]) -> None:
    answer = await client.get(SEARCH, params=options, headers=alice.headers)
    assert answer.status_code == 422
    assert answer.json()["error"]
