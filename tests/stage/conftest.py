"""Fixtures for peers on the loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable

import aioice.ice
import pytest
from tests.stage.peers import Client


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines differ in their interfaces; the loopback is the same on all."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


@pytest.fixture
async def clients() -> AsyncIterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(frequency: float, amplitude: float = 0.25) -> Client:
        made.append(Client(frequency, amplitude))
        return made[-1]

    yield make
    await asyncio.gather(*(one.close() for one in made))
