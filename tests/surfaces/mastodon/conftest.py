"""Streams without a worker: what has happened is said in them when a test says so."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.support.telling import tell

from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.events import Follower
from folkmoot.surfaces.mastodon.streams.broadcast import Broadcast
from folkmoot.surfaces.services import Services

Happened = Callable[[], Awaitable[None]]


@pytest.fixture
async def happened(services: Services, database: Database, tmp_path: Path) -> Happened:
    """Says in the streams what has happened since it was asked last."""
    broadcast = Broadcast(services, services.streams, later_every_s=0.0)
    follower = Follower(
        database,
        "streams",
        broadcast.on_event,
        doorbell=Doorbell(tmp_path),
        start="now",
        reload=broadcast.missed,
    )
    await follower.step()

    async def say() -> None:
        await tell(database, tmp_path)
        while await follower.step():
            pass
        later = [one for one in asyncio.all_tasks() if one.get_name().startswith("streams.later.")]
        await asyncio.gather(*later)

    return say
