"""Everybody who is signed in knows by a key of their own when the sound calls them, and nobody else's."""

from typing import Any

import httpx
from tests.surfaces.spaces.conftest import SPACES, Hall

from folkmoot.spaces import queries
from folkmoot.spaces.calls import Calls, call
from folkmoot.surfaces.services import Services


async def test_a_call_fits_the_key_of_who_is_invited_and_no_other(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any, bob: Any
) -> None:
    space_id = await hall.live(alice)
    calls = Calls(services.ticket_key)

    async def key_of(headers: dict[str, str]) -> str | None:
        answer = await client.get(f"{SPACES}/{space_id}", headers=headers)
        key: str | None = answer.json()["you"]["call_key"]
        return key

    async def told() -> list[str]:
        async with services.database.read() as read:
            space = await queries.by_id(read, int(space_id))
        assert space is not None
        return calls.after(space, read.now_ms)

    assert await told() == []
    alices, bobs = await key_of(alice.headers), await key_of(bob.headers)
    assert alices is not None
    assert bobs is not None
    order = {"do": "invite", "account": str(bob.id)}
    await client.post(f"{SPACES}/{space_id}/commands", json=order, headers=alice.headers)
    (one,) = await told()
    chance = bytes.fromhex(one[:8])
    assert call(bytes.fromhex(bobs), chance) == one
    assert call(bytes.fromhex(alices), chance) != one
    assert await key_of({}) is None
    await hall.end(alice, space_id)
    assert await key_of(bob.headers) is None
