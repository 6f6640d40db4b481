"""Who is found, suggested and listed, on both databases."""

import sqlite3
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, insert, update
from tests.support.square import Square

from folkmoot.accounts.discovery import actions, queries
from folkmoot.accounts.profiles.actions import update_profile
from folkmoot.accounts.profiles.model import Changes
from folkmoot.accounts.relations import actions as relations
from folkmoot.accounts.relations import following
from folkmoot.gate import Action
from folkmoot.storage.database import Write
from folkmoot.storage.tables.people import account_counts, accounts

Crowd = dict[str, int]


@pytest.fixture
async def crowd(square: Square) -> Crowd:
    """Six people with names; alice follows bob, bob and dora follow carla."""
    named = {
        "alice": "Alice Liddell",
        "bob": "Bob",
        "carla": "Karla Österreich",
        "carlos": "Carlos",
        "dora": "Dora",
        "eve": "carl",
    }
    who = {name: await square.person(name) for name in named}
    for name, shown in named.items():
        changes = Changes(display_name=shown)
        await square.act(who[name], Action.EDIT_PROFILE, partial(update_profile, changes=changes))
    for one, other in (("alice", "bob"), ("bob", "carla"), ("dora", "carla"), ("dora", "alice"), ("dora", "bob")):
        target = who[other]
        await square.act(who[one], Action.FOLLOW, partial(following.follow, account_id=target))
    return who


NAMED = {
    "carl": ["carla", "carlos", "eve"],  # by their followers; "carl" is nobody's username
    "CARLOS": ["carlos"],
    "@carlos": ["carlos"],
    "oster": ["carla"],
    "Österreich kar": ["carla"],
    "kar bob": [],
    "eve": ["eve"],
    "%": [],
    "": [],
}


async def test_by_name(square: Square, crowd: Crowd) -> None:
    async with square.database.read() as read:
        for text, found in NAMED.items():
            ids = await queries.search(read, text, viewer_id=crowd["alice"], limit=10)
            assert ids == [crowd[name] for name in found], text


async def test_whom_one_follows_comes_first_and_can_be_all(square: Square, crowd: Crowd) -> None:
    await square.act(crowd["alice"], Action.FOLLOW, lambda acting: following.follow(acting, crowd["eve"]))
    async with square.database.read() as read:
        alice = crowd["alice"]
        assert (await queries.search(read, "carl", viewer_id=alice, limit=10))[0] == crowd["eve"]
        assert await queries.search(read, "carl", viewer_id=alice, limit=10, following=True) == [crowd["eve"]]
        assert await queries.search(read, "carl", viewer_id=None, limit=1, offset=2) == [crowd["carlos"]]


@pytest.fixture(params=[queries.LISTED_FEW, 0], ids=["few", "many"])
def as_few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many want to be listed."""
    monkeypatch.setattr(queries, "LISTED_FEW", request.param)


@pytest.mark.usefixtures("as_few")
async def test_suggestions(square: Square, crowd: Crowd) -> None:
    alice = crowd["alice"]

    async def suggested() -> tuple[list[int], list[int]]:
        async with square.database.read() as read:
            near = await queries.friends_of_friends(read, alice, 10)
            return near, await queries.most_followed(read, alice, 10)

    assert await suggested() == ([crowd["carla"]], [crowd["carla"]])
    for work in (actions.dismiss_suggestion, relations.mute, relations.block):
        await square.act(alice, Action.BLOCK, partial(work, account_id=crowd["carla"]))
        assert await suggested() == ([], [])
    # Hidden by each of them alone as well; and by who doesn't want to be found.
    hidden = Changes(discoverable=False)
    await square.act(crowd["bob"], Action.EDIT_PROFILE, lambda acting: update_profile(acting, hidden))
    async with square.database.read() as read:
        assert await queries.most_followed(read, crowd["eve"], 1) == [crowd["carla"]]
        assert crowd["bob"] not in await queries.most_followed(read, crowd["eve"], 10)


@pytest.mark.usefixtures("as_few")
async def test_the_directory(square: Square, crowd: Crowd) -> None:
    async def posted(tx: Write) -> None:
        for number, name in enumerate(("eve", "dora"), 1):
            row = account_counts.c.account_id == crowd[name]
            changed = await tx.connection.execute(update(account_counts).where(row).values(last_post_id=number))
            if not changed.rowcount:
                await tx.connection.execute(
                    insert(account_counts).values(account_id=crowd[name], last_post_id=number)
                )
        await tx.connection.execute(
            update(accounts).where(accounts.c.id == crowd["bob"]).values(discoverable=False)
        )

    await square.database.write(posted)
    async with square.database.read() as read:
        active = await queries.directory(read, order="active", limit=5, offset=0, viewer_id=None)
        assert active == [crowd["dora"], crowd["eve"]]
        newest = await queries.directory(read, order="new", limit=3, offset=1, viewer_id=None)
    assert newest == [crowd["dora"], crowd["carlos"], crowd["carla"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_few_who_want_to_be_listed_are_found_without_looking_at_all(square: Square, crowd: Crowd) -> None:
    """Thousands don't, and have posts and followers: it takes few of SQLite's instructions."""

    async def come(tx: Write) -> None:
        many = [
            {"id": number, "username": f"m{number}", "username_folded": f"m{number}", "created_at_ms": 0}
            for number in range(1, 5_001)
        ]
        await tx.connection.execute(insert(accounts).values(discoverable=False), many)
        counted = [{"account_id": one["id"], "followers": 9, "last_post_id": one["id"]} for one in many]
        await tx.connection.execute(insert(account_counts), counted)

    await square.database.write(come)
    alice, engine = crowd["alice"], square.database.engine
    asked: list[tuple[str, Any]] = []
    listening = (engine.sync_engine, "before_cursor_execute", lambda *said: asked.append((said[2], said[3])))
    event.listen(*listening)
    async with square.database.read() as read:
        await queries.directory(read, order="new", limit=40, offset=0, viewer_id=alice)
        await queries.directory(read, order="active", limit=40, offset=0, viewer_id=alice)
        await queries.most_followed(read, alice, 40)
    event.remove(*listening)
    thousands = 0

    def count() -> None:
        nonlocal thousands
        thousands += 1

    with closing(sqlite3.connect(str(engine.url.database))) as connection:
        connection.set_progress_handler(count, 1_000)
        for statement, parameters in asked:
            connection.execute(statement, parameters).fetchall()
    assert thousands < 10, thousands


async def test_familiar_followers(square: Square, crowd: Crowd) -> None:
    alice = crowd["alice"]
    await square.act(alice, Action.FOLLOW, lambda acting: following.follow(acting, crowd["dora"]))
    asked = [crowd["carla"], crowd["eve"]]
    async with square.database.read() as read:
        found = await queries.familiar_follower_ids(read, alice, asked)
        assert found == {crowd["carla"]: [crowd["dora"], crowd["bob"]], crowd["eve"]: []}
        assert await queries.familiar_follower_ids(read, alice, []) == {}
    hidden = Changes(hide_collections=True)
    await square.act(crowd["dora"], Action.EDIT_PROFILE, lambda acting: update_profile(acting, hidden))
    async with square.database.read() as read:
        assert (await queries.familiar_follower_ids(read, alice, asked))[crowd["carla"]] == [crowd["bob"]]
    await square.act(crowd["carla"], Action.EDIT_PROFILE, lambda acting: update_profile(acting, hidden))
    async with square.database.read() as read:
        assert (await queries.familiar_follower_ids(read, alice, asked))[crowd["carla"]] == []
