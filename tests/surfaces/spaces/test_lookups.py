"""Looking Spaces up, and what a host may pin to one."""

from typing import Any

import httpx
import pytest
from sqlalchemy import event
from tests.surfaces.spaces.conftest import SPACES, Hall

STATUSES = "/api/v1/statuses"


async def test_a_creators_spaces_of_one_state(client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any) -> None:
    ended = await hall.ended(alice)
    scheduled = (await client.post(SPACES, json={"title": "Later"}, headers=alice.headers)).json()["id"]
    await client.post(SPACES, json={"title": "His"}, headers=bob.headers)

    async def found(**query: str) -> list[str]:
        return [one["id"] for one in (await client.get(SPACES, params=query)).json()]

    assert await found(creator=str(alice.id)) == [scheduled, ended]
    assert await found(creator=str(alice.id), state="ended") == [ended]
    assert await found(creator=str(alice.id), state="scheduled") == [scheduled]
    assert await found(creator=str(alice.id), state="live") == []


async def test_what_is_pinned_is_a_post_that_the_host_may_see(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any
) -> None:
    space_id = await hall.live(alice)

    async def pin(post_id: str) -> httpx.Response:
        body = {"do": "pin", "post": post_id}
        return await client.post(f"{SPACES}/{space_id}/commands", json=body, headers=alice.headers)

    async def say(visibility: str) -> str:
        body = {"status": "words", "visibility": visibility}
        posted = await client.post(STATUSES, json=body, headers=bob.headers)
        return str(posted.json()["id"])

    assert (await pin("12345")).status_code == 404
    assert (await pin(await say("private"))).status_code == 404
    shown = await say("public")
    assert (await pin(shown)).json()["pinned_post_id"] == shown


async def test_a_space_says_how_people_reacted(client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any) -> None:
    space_id = await hall.live(alice)
    assert (await client.get(f"{SPACES}/{space_id}")).json()["reactions"] == {}
    for who, emoji in ((alice, "👏"), (bob, "👏"), (bob, "🔥")):
        path = f"{SPACES}/{space_id}/reactions"
        assert (await client.post(path, json={"emoji": emoji}, headers=who.headers)).status_code == 202
    assert (await client.get(f"{SPACES}/{space_id}")).json()["reactions"] == {"👏": 2, "🔥": 1}


@pytest.mark.parametrize("guests", [0, 3])
async def test_a_look_and_a_join_cost_so_many_statements_whoever_is_there(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any, guests: int
) -> None:
    space_id = await hall.live(alice)
    for number in range(guests):
        order = {"do": "invite", "account": str(await hall.people.create(f"guest{number}"))}
        await client.post(f"{SPACES}/{space_id}/commands", json=order, headers=alice.headers)
    counted: list[str] = []
    engine = hall.services.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *arguments: counted.append(arguments[2]))
    await client.get(f"{SPACES}/{space_id}", headers=bob.headers)
    assert len(counted) <= 13
    counted.clear()
    await client.post(f"{SPACES}/{space_id}/join", headers=bob.headers)
    assert len(counted) <= 6
