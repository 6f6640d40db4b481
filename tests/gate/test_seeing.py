"""Seeing: a batch decided at once is what one item at a time, by the rules as people say them, gives."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert
from tests.support.people import People

from folkmoot.gate import ANONYMOUS, Facts, Gate, Reach, Refused, Standing, Viewer, Visible
from folkmoot.gate.standings import TABLE
from folkmoot.storage.database import Database, Write
from folkmoot.storage.tables.people import accounts, blocks, follows, sanctions

CROWD = 4
NUMBERS = st.integers(0, CROWD - 1)
PAIRS = st.frozensets(st.tuples(NUMBERS, NUMBERS).filter(lambda pair: pair[0] != pair[1]), max_size=6)


class Item(msgspec.Struct, frozen=True):
    """Something published; people are numbered within their world."""

    owners: tuple[int, ...]
    reach: Reach
    named: frozenset[int]
    barred: frozenset[int] = frozenset()
    ids: tuple[int, ...] = ()

    def gate_facts(self) -> Facts:
        return Facts(
            tuple(self.ids[owner] for owner in self.owners),
            self.reach,
            frozenset(self.ids[number] for number in self.named),
            frozenset(self.ids[number] for number in self.barred),
        )


class World(msgspec.Struct, frozen=True):
    """Who stands how, who follows and who blocks whom, and what was published."""

    standings: tuple[Standing, ...]
    follows: frozenset[tuple[int, int]]
    blocks: frozenset[tuple[int, int]]
    items: list[Item]


ITEMS = st.builds(
    Item,
    st.lists(NUMBERS, min_size=1, max_size=2, unique=True).map(tuple),
    st.sampled_from(Reach),
    st.frozensets(NUMBERS, max_size=2),
    st.frozensets(NUMBERS, max_size=2),
)
WORLDS = st.builds(
    World,
    st.tuples(*[st.sampled_from([Standing.ACTIVE, *TABLE])] * CROWD),
    PAIRS,
    PAIRS,
    st.lists(ITEMS, min_size=1, max_size=6),
)


def sees(world: World, viewer: int | None, item: Item) -> bool:
    """The rules, one item, one viewer, said as plainly as possible."""
    if viewer is not None and world.standings[viewer] not in (Standing.ACTIVE, Standing.LIMITED):
        return False
    if viewer in item.barred:
        return False
    return all(is_shown(world, viewer, owner) for owner in item.owners) and is_for(world, viewer, item)


def is_shown(world: World, viewer: int | None, owner: int) -> bool:
    if owner == viewer:
        return True
    if (viewer, owner) in world.blocks or (owner, viewer) in world.blocks:
        return False
    if world.standings[owner] is Standing.LIMITED:
        return (viewer, owner) in world.follows
    return world.standings[owner] is Standing.ACTIVE


def is_for(world: World, viewer: int | None, item: Item) -> bool:
    author = item.owners[0]
    if item.reach in (Reach.PUBLIC, Reach.UNLISTED):
        return True
    if viewer == author or viewer in item.named:
        return True
    if item.reach is Reach.FOLLOWERS:
        return (viewer, author) in world.follows
    if item.reach is Reach.FOLLOWED:
        return (author, viewer) in world.follows
    return False


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=WORLDS)
async def test_a_batch_is_what_one_item_at_a_time_would_give(world: World, database: Database) -> None:
    gate = Gate(database)
    ids = await _settle(world, database)
    items = [msgspec.structs.replace(item, ids=ids) for item in world.items]
    async with database.read() as read:
        for number in (None, *range(CROWD)):
            viewer = ANONYMOUS if number is None else await gate.as_account(read, ids[number])
            expected = [item for item in items if sees(world, number, item)]
            admitted = await gate.admit(read, viewer, items)
            assert [visible.item for visible in admitted] == expected
            assert all(visible.viewer is viewer for visible in admitted)


async def _settle(world: World, database: Database) -> tuple[int, ...]:
    async def work(tx: Write) -> tuple[int, ...]:
        ids = tuple(tx.new_id() for _ in range(CROWD))
        execute, now = tx.connection.execute, {"created_at_ms": 0}
        await execute(
            insert(accounts), [{"id": i, "username": f"u{i}", "username_folded": f"u{i}", **now} for i in ids]
        )
        rows = [
            {"id": account_id, "account_id": account_id, "standing": standing.value, "decided_at_ms": 0}
            for account_id, standing in zip(ids, world.standings, strict=True)
            if standing is not Standing.ACTIVE
        ]
        if rows:
            await execute(insert(sanctions), rows)
        if world.follows:
            pairs = [{"follower_id": ids[a], "followee_id": ids[b], **now} for a, b in world.follows]
            await execute(insert(follows), pairs)
        if world.blocks:
            pairs = [{"account_id": ids[a], "blocked_id": ids[b], **now} for a, b in world.blocks]
            await execute(insert(blocks), pairs)
        return ids

    return await database.write(work)


@pytest.mark.parametrize("size", [1, 40])
async def test_a_batch_takes_two_statements_whatever_its_size(
    people: People, gate: Gate, database: Database, size: int
) -> None:
    ids = tuple([await people.create(f"u{number}") for number in range(size)])
    viewer = await people.viewer(ids[0])
    items = [Item((number,), Reach.FOLLOWERS, frozenset(), ids=ids) for number in range(size)]
    async with database.read() as read:
        counted = _counting(database)
        await gate.admit(read, viewer, items)
    assert len(counted) == 2


def _counting(database: Database) -> Sequence[str]:
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", count)
    return statements


async def test_who_is_only_quoted_is_no_reader_by_that(people: People, gate: Gate, database: Database) -> None:
    author, quoted = await people.create("author"), await people.create("quoted")
    viewer = await people.viewer(quoted)
    letter = Item((0, 1), Reach.NAMED, frozenset(), ids=(author, quoted))
    async with database.read() as read:
        assert await gate.admit(read, viewer, [letter]) == []


async def test_what_may_not_be_seen_does_not_exist(people: People, gate: Gate, database: Database) -> None:
    account_id = await people.create("someone")
    await people.put(account_id, Standing.SUSPENDED)
    async with database.read() as read:
        for item in (Item((0,), Reach.PUBLIC, frozenset(), ids=(account_id,)), None):
            with pytest.raises(Refused, match="Post not found") as refusal:
                await gate.admit_one(read, ANONYMOUS, item, "Post")
            assert refusal.value.status == 404


async def test_an_account_that_never_was_shows_nothing(gate: Gate, database: Database) -> None:
    async with database.read() as read:
        assert await gate.admit(read, ANONYMOUS, [Item((0,), Reach.PUBLIC, frozenset(), ids=(404,))]) == []


def test_a_thing_without_an_owner_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="owner"):
        Facts(())


def test_nobody_else_makes_what_the_gate_makes() -> None:
    with pytest.raises(TypeError, match="only the gate"):
        Visible("canary", Viewer(), object())
