"""A body that never ends: who reads it stops waiting, and says so."""

import asyncio
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from tests.surfaces.conftest import Person

from folkmoot.surfaces.patience import Patience

# On the default database alone: what it asks PostgreSQL, others ask it too, statement by statement.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

URL = "http://moot.test/api/v1/statuses"


class Slow(httpx.AsyncByteStream):
    """Pieces with a pause after each."""

    def __init__(self, pieces: list[bytes], pause_s: float) -> None:
        self._pieces = pieces
        self._pause_s = pause_s

    async def __aiter__(self) -> Any:
        for piece in self._pieces:
            yield piece
            await asyncio.sleep(self._pause_s)


async def sent(app: Litestar, who: Person, body: Slow, **patience: float) -> httpx.Response:
    transport = httpx.ASGITransport(cast(Any, Patience(cast(Any, app), **patience)))
    headers = {**who.headers, "content-type": "application/json"}
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.post(URL, headers=headers, content=cast(Any, body))


@pytest.mark.parametrize("patience", [{"pause_max_s": 0.05}, {"body_max_s": 0.3}])
async def test_a_body_that_does_not_come(app: Litestar, alice: Person, patience: dict[str, float]) -> None:
    pause_s = 60.0 if "pause_max_s" in patience else 0.05
    answer = await sent(app, alice, Slow([b"{"] * 100, pause_s), **patience)
    assert answer.status_code == 408
    assert answer.json()["code"] == "body_too_slow"
    assert answer.headers["connection"] == "close"


async def test_a_body_of_which_much_comes_takes_longer(app: Litestar, alice: Person) -> None:
    pieces = [b" " * 20_000] * 10  # each is worth 0.4 s
    answer = await sent(app, alice, Slow([*pieces, b'{"status":"Hello"}'], 0.05), body_max_s=0.3)
    assert answer.status_code == 200, answer.text


async def test_a_body_that_comes_in_pieces(app: Litestar, alice: Person) -> None:
    answer = await sent(app, alice, Slow([b'{"status"', b':"Hello"}'], 0.01), pause_max_s=5)
    assert answer.status_code == 200, answer.text
