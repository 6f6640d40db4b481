"""What it takes to say what happened: however many boosts and quotes there are, and where some of it fails."""

import asyncio
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import event
from tests.support.people import People
from tests.support.sockets import socket
from tests.surfaces.conftest import Person, person
from tests.surfaces.mastodon.conftest import Happened
from tests.surfaces.mastodon.test_streams import ON_ONE, post, say, token

from folkmoot.gate import Viewer
from folkmoot.posts.actions import POST_DELETED
from folkmoot.posts.boosts import POST_BOOSTS_ENDED
from folkmoot.posts.edits import POST_EDITED
from folkmoot.posts.model import Post, Visibility
from folkmoot.posts.quotes import QUOTE_REVOKED
from folkmoot.storage.database import Database
from folkmoot.storage.events import Event
from folkmoot.surfaces.mastodon import load_statuses
from folkmoot.surfaces.mastodon.streams.broadcast import Broadcast
from folkmoot.surfaces.services import Services
from folkmoot.timelines import readers

pytestmark = ON_ONE


def happens(kind: str, **payload: Any) -> Event:
    return Event(1, kind, payload, 0, 1)


def later() -> set[asyncio.Task[Any]]:
    return {one for one in asyncio.all_tasks() if one.get_name().startswith("streams.later.")}


async def test_more_boosts_end_with_no_more_statements(
    app: Litestar, client: httpx.AsyncClient, services: Services, database: Database, people: People, alice: Person,
) -> None:  # fmt: skip
    boosters = [await person(people, f"booster{number}") for number in range(4)]
    for booster in boosters:
        await people.follow(alice.id, booster.id)
    facts = {"owner_ids": [alice.id], "reach": Visibility.PUBLIC.reach.value}
    statements: list[str] = []
    listening = database.engine.sync_engine, "before_cursor_execute", lambda *said: statements.append(said[2])
    async with socket(app, f"access_token={token(alice)}&stream=user") as alices:

        async def cost(some: list[Person]) -> int:
            boosts = [[str(one.id), str(number)] for number, one in enumerate(some, 10)]
            ended = happens(POST_BOOSTS_ENDED, post="7", facts=facts, boosts=boosts)
            statements.clear()
            event.listen(*listening)
            await Broadcast(services, services.streams).on_event(ended)
            event.remove(*listening)
            return len(statements)

        assert await cost(boosters) == await cost(boosters[:1])
        assert sorted(alices.payloads("delete")) == [7, 7, 10, 10, 11, 12, 13]


async def test_what_shows_a_post_is_told_once_of_many_edits(
    app: Litestar, client: httpx.AsyncClient, services: Services, alice: Person, bob: Person, happened: Happened
) -> None:
    said = await say(client, alice, "hear, hear")
    await post(client, bob, f"/api/v1/statuses/{said['id']}/reblog")
    quote = await say(client, bob, "look at that", quoted_status_id=said["id"])
    await happened()
    async with socket(app, f"access_token={token(bob)}&stream=user") as bobs:
        broadcast = Broadcast(services, services.streams, later_every_s=3600.0)
        await broadcast.on_event(happens(QUOTE_REVOKED, post=said["id"], quoted="1"))
        assert later() == set()
        for _ in range(3):
            await broadcast.on_event(happens(POST_EDITED, post=said["id"]))
        waiting = later()
        for one in waiting:
            one.cancel()
        assert len(waiting) == 2
        assert quote["id"] not in [one["id"] for one in bobs.payloads("status.update")]


async def test_what_cannot_be_told_of_one_is_told_of_the_others(
    app: Litestar, client: httpx.AsyncClient, alice: Person, bob: Person, happened: Happened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    said = await say(client, alice, "hear, hear")
    quotes = [(await say(client, bob, f"look {n}", quoted_status_id=said["id"]))["id"] for n in range(2)]
    await happened()
    whole = load_statuses.for_many

    def failing(read: Any, services: Services, viewers: list[Viewer], of: Post, *rest: Any, **options: Any) -> Any:
        if str(of.id) == quotes[1]:
            raise OSError("no more")
        return whole(read, services, viewers, of, *rest, **options)

    monkeypatch.setattr(load_statuses, "for_many", failing)
    async with socket(app, f"access_token={token(bob)}&stream=user") as bobs:
        await client.put(f"/api/v1/statuses/{said['id']}", json={"status": "now"}, headers=alice.headers)
        await happened()
        assert [one["id"] for one in bobs.payloads("status.update")] == quotes[:1]


async def test_a_deletion_is_told_to_everybody_whatever_fails_for_some(
    app: Litestar, services: Services, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: Any) -> Any:
        raise OSError("no more")

    monkeypatch.setattr(readers, "followers", failing)
    facts = {"owner_ids": [alice.id], "reach": Visibility.PUBLIC.reach.value}
    async with socket(app, f"access_token={token(bob)}&stream=public") as bobs:
        deleted = happens(POST_DELETED, post="7", account=str(alice.id), facts=facts)
        with pytest.raises(OSError, match="no more"):
            await Broadcast(services, services.streams).on_event(deleted)
        assert bobs.payloads("delete") == [7]
