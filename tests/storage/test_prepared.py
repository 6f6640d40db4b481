"""Statements that are compiled once: the same rows, errors and counts as by way of SQLAlchemy."""

import asyncio
from functools import partial
from typing import Any

import pytest
from sqlalchemy import BigInteger, bindparam, cast, func, insert, literal, null, select, text, union_all
from sqlalchemy.exc import DBAPIError
from tests.support.statements import statements

from folkmoot.storage.among import among_given
from folkmoot.storage.database import Database, Unstorable, Write
from folkmoot.storage.facts import write_fact
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.bus import server_facts

_LIMIT = bindparam("limit", type_=BigInteger)
NAMED = Prepared(
    select(server_facts, literal(True).label("known"), literal("fact"))
    .where(among_given(server_facts.c.name, "names"), server_facts.c.name.in_(["a", "b", "c"]))
    .order_by(server_facts.c.name)
    .limit(_LIMIT)
)
COUNT = Prepared(select(func.count().label("count")).select_from(server_facts))


@pytest.fixture
async def facts(database: Database) -> None:
    for name, value in (("a", {"some": ["é", 1.5]}), ("b", None), ("c", True), ("d", 0)):
        await database.write(partial(write_fact, name=name, value=value))


@pytest.mark.usefixtures("facts")
async def test_rows_have_names_and_what_columns_say(database: Database) -> None:
    async with database.read() as read:
        rows = await NAMED.rows(read, names=["d", "c", "a"], limit=9)
        assert [(row.name, row.value, row.known, row[-1]) for row in rows] == [
            ("a", {"some": ["é", 1.5]}, True, "fact"),
            ("c", True, True, "fact"),
        ]
        assert [row.name for row in await NAMED.rows(read, names={"b", "c"}, limit=1)] == ["b"], "and again"


async def test_several_selects_are_one(database: Database) -> None:
    one: Any = select(literal(1).label("id"), cast(null(), BigInteger).label("other"))
    both = Prepared(union_all(one, select(_LIMIT, literal(7))))
    async with database.read() as read:
        assert sorted((row.id, row.other or 0) for row in await both.rows(read, limit=3)) == [(1, 0), (3, 7)]


async def test_they_are_counted(database: Database) -> None:
    async with database.read() as read:
        with statements(database) as counted:
            await COUNT.rows(read)
    assert len(counted) == 1


async def test_a_write_reads_what_it_wrote(database: Database) -> None:
    async def work(tx: Write) -> list[int]:
        before = await COUNT.rows(tx)
        await tx.connection.execute(insert(server_facts).values(name="a", value=1))
        return [row.count for row in [*before, *(await COUNT.rows(tx))]]

    assert await database.write(work) == [0, 1]
    async with database.read() as read:
        assert (await COUNT.rows(read))[0].count == 1


async def test_a_read_is_one_snapshot(database: Database) -> None:
    async with database.read() as read:
        assert (await COUNT.rows(read))[0].count == 0
        await database.write(partial(write_fact, name="a", value=1))
        assert (await COUNT.rows(read))[0].count == 0


async def test_what_fails_says_what_sqlalchemy_says(database: Database) -> None:
    with pytest.raises(Unstorable):
        async with database.read() as read:
            await NAMED.rows(read, names=[], limit=2**70)
    with pytest.raises(DBAPIError):
        async with database.read() as read:
            await Prepared(select(text("1")).select_from(text("nowhere"))).rows(read)
    async with database.read() as read:
        assert (await COUNT.rows(read))[0].count == 0, "the connection can be used again"


async def test_who_is_cancelled_hears_that_and_nothing_else(database: Database) -> None:
    numbers = select(literal(1).label("number")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.number + 1).where(numbers.c.number < 300_000))
    slow = Prepared(select(func.max(numbers.c.number)))

    async def ask() -> None:
        async with database.read() as read:
            await slow.rows(read)

    for turns in range(0, 12, 3):
        asking = asyncio.create_task(ask())
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    async with database.read() as read:
        assert (await COUNT.rows(read))[0].count == 0


async def test_a_missing_parameter_is_a_mistake(database: Database) -> None:
    asked: dict[str, Any] = {"names": []}
    async with database.read() as read:
        with pytest.raises(KeyError):
            await NAMED.rows(read, **asked)


async def test_postgresql_keeps_their_plans(database: Database) -> None:
    if database.is_sqlite:
        return
    for _ in range(10):
        async with database.read() as read:
            await COUNT.rows(read)
    kept = Prepared(select(func.count().label("count")).select_from(text("pg_prepared_statements")))
    async with database.read() as read:
        assert (await kept.rows(read))[0].count > 0
