"""A server has room for so many live Spaces."""

from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from tests.surfaces.spaces.conftest import SPACES, Hall


@pytest.fixture
def room_for_one(app: Litestar) -> None:
    equipment = app.state.equipment

    def why_no_room(live: int) -> str | None:
        return "There is room for one. Try again later." if live else None

    equipment.use(msgspec.structs.replace(equipment.services, why_no_room=why_no_room), equipment.passwords)


@pytest.mark.usefixtures("room_for_one")
async def test_one_space_too_many_is_told_so(client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any) -> None:
    space_id = await hall.live(alice)
    refused = await client.post(SPACES, json={"title": "At once", "start": True}, headers=bob.headers)
    assert (refused.status_code, refused.json()["code"]) == (503, "server_full")
    assert refused.json()["error"] == "There is room for one. Try again later."
    assert int(refused.headers["Retry-After"]) > 0
    assert (await client.get(SPACES, params={"creator": str(bob.id)})).json() == []

    later = (await client.post(SPACES, json={"title": "Later"}, headers=bob.headers)).json()["id"]

    async def started() -> int:
        order = await client.post(f"{SPACES}/{later}/commands", json={"do": "start"}, headers=bob.headers)
        return order.status_code

    assert await started() == 503
    await client.post(f"{SPACES}/{space_id}/commands", json={"do": "end"}, headers=alice.headers)
    assert await started() == 200
