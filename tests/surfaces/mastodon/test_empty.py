"""What clients ask for when they start is answered, with nothing in it."""

import httpx
import pytest
from tests.support.people import People
from tests.surfaces.conftest import Person

LISTS = [
    "/api/v1/announcements",
]


@pytest.mark.parametrize("path", LISTS)
async def test_lists_are_empty(client: httpx.AsyncClient, alice: Person, path: str) -> None:
    answer = await client.get(path, headers=alice.headers)
    assert (answer.status_code, answer.json()) == (200, [])
    assert (await client.get(path)).status_code == 401


async def test_what_is_no_list(client: httpx.AsyncClient, alice: Person) -> None:
    assert (await client.get("/api/v1/custom_emojis")).json() == []
    query = {"timeline[]": ["home", "notifications"]}
    assert (await client.get("/api/v1/markers", params=query, headers=alice.headers)).json() == {}


async def test_a_token_needs_its_scope(client: httpx.AsyncClient, people: People, alice: Person) -> None:
    small = {"Authorization": f"Bearer {await people.token(alice.id, 'read:statuses')}"}
    for path, status in (("notifications", 403), ("markers", 200), ("preferences", 403)):
        assert (await client.get(f"/api/v1/{path}", headers=small)).status_code == status
