"""The two ways to the database: what is read is one snapshot, what is written is as if nobody else wrote."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from tests.support.waiting import PATIENCE_S

from folkmoot.storage import database as database_module
from folkmoot.storage import sqlite
from folkmoot.storage.database import Database, DatabaseBusy, Read, Write
from folkmoot.storage.facts import read_fact, write_fact
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.bus import server_facts
from folkmoot.storage.tables.people import blocks


async def add(database: Database, name: str) -> None:
    await database.write(lambda tx: write_fact(tx, name, None))


async def count(tx: Read) -> int:
    return int((await tx.connection.execute(select(func.count()).select_from(server_facts))).scalar_one())


async def test_what_was_written_is_read(database: Database) -> None:
    value = {"text": "ä", "ids": [2**63 - 1, None], "nested": {"yes": True}}
    await database.write(lambda tx: write_fact(tx, "a", value))
    async with database.read() as tx:
        assert await read_fact(tx, "a") == value
        assert await read_fact(tx, "b") is None


async def test_a_read_is_one_snapshot(database: Database) -> None:
    async with database.read() as tx:
        assert await count(tx) == 0
        await add(database, "a")
        assert await count(tx) == 0
    async with database.read() as tx:
        assert await count(tx) == 1


async def test_what_is_written_in_a_read_is_not_kept(database: Database) -> None:
    with contextlib.suppress(DBAPIError):  # PostgreSQL refuses, SQLite forgets
        async with database.read() as tx:
            await tx.connection.execute(insert(server_facts).values(name="a", value=1))
    async with database.read() as tx:
        assert await count(tx) == 0


async def test_foreign_keys_hold(database: Database) -> None:
    async def work(tx: Write) -> None:
        await tx.connection.execute(insert(blocks).values(account_id=1, blocked_id=2, created_at_ms=0))

    with pytest.raises(IntegrityError):
        await database.write(work)


async def test_writes_that_depend_on_what_they_read_do_not_cross(database: Database) -> None:
    """Each takes a place if fewer than three are taken; twelve try at once."""
    tries = 0

    async def take(number: int) -> None:
        async def work(tx: Write) -> None:
            nonlocal tries
            tries += 1
            if await count(tx) < 3:
                await write_fact(tx, str(number), None)

        await database.write(work)

    await asyncio.gather(*(take(number) for number in range(12)))
    async with database.read() as tx:
        assert await count(tx) == 3
    assert tries >= 12


async def test_what_work_raises_comes_out_and_nothing_stays(database: Database) -> None:
    async def work(tx: Write) -> None:
        await write_fact(tx, "a", None)
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(work)
    async with database.read() as tx:
        assert await count(tx) == 0


@pytest.mark.parametrize("at", ["before", "within"])
async def test_a_cancelled_write_leaves_no_lock_and_nothing_behind(database: Database, at: str) -> None:
    reached = asyncio.Event()

    async def work(tx: Write) -> None:
        if at == "within":
            await write_fact(tx, "a", None)
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(database.write(work))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(PATIENCE_S):
        await add(database, "b")
    async with database.read() as tx:
        assert await count(tx) == 1


async def test_cancelling_at_any_moment_does_no_harm(database: Database) -> None:
    for turns in range(40):
        task = asyncio.create_task(add(database, f"maybe {turns}"))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(add(database, str(number)) for number in range(20)))
    async with database.read() as tx:
        names = (await tx.connection.execute(select(server_facts.c.name))).scalars()
        assert {str(number) for number in range(20)} <= set(names)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_writer_that_does_not_end_makes_others_busy(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(database, "before")
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 20)
    monkeypatch.setattr(database_module, "WRITE_RETRIES_END_S", 0.05)
    other = sqlite3.connect(database.url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy, match="try again"):
        await add(database, "a")
    async with database.read() as tx:
        assert await count(tx) == 1
    other.rollback()
    other.close()
    await add(database, "a")


async def test_more_readers_than_connections_become_busy_not_stuck(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = database.engine.sync_engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.05)
    may_end = asyncio.Event()
    inside = 0

    async def read() -> None:
        nonlocal inside
        async with database.read() as tx:
            await count(tx)
            inside += 1
            await may_end.wait()

    readers = [asyncio.create_task(read()) for _ in range(30)]
    results = asyncio.gather(*readers, return_exceptions=True)
    while not any(reader.done() for reader in readers):
        await asyncio.sleep(0.01)
    may_end.set()
    busy = [result for result in await results if result is not None]
    assert busy
    assert all(isinstance(result, DatabaseBusy) for result in busy)
    assert inside + len(busy) == 30


def test_a_process_that_left_a_database_open_can_end(database_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from folkmoot.storage.database import Database\n"
        "from folkmoot.storage.facts import read_fact\n"
        "async def main():\n"
        "    async with Database(sys.argv[1]).read() as tx:\n"
        "        await read_fact(tx, 'a')\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program, database_url], check=True, timeout=20)


async def test_postgresql_keeps_the_plans_of_what_is_read_often(database: Database) -> None:
    if database.is_sqlite:
        return
    for _ in range(10):
        async with database.read() as tx:
            await count(tx)
    async with database.read() as tx:
        prepared = await tx.connection.execute(text("SELECT count(*) FROM pg_prepared_statements"))
        assert prepared.scalar_one() > 0


@pytest.mark.parametrize("is_prepared", [False, True])
async def test_a_read_that_is_cut_off_before_its_end_says_so_as_any_other(
    database: Database, *, is_prepared: bool
) -> None:
    """As when PostgreSQL is restarted: who waits for a database that is away must know it by this, too."""
    if database.is_sqlite:
        return
    own_id = select(func.pg_backend_pid().label("id"))

    async def cut_off() -> None:
        async with database.read() as tx:
            ours = await Prepared(own_id).rows(tx) if is_prepared else (await tx.connection.execute(own_id)).all()
            ends = select(func.pg_terminate_backend(ours[0].id, int(PATIENCE_S * 1000)))
            await database.write(lambda other: other.connection.execute(ends))

    with pytest.raises(OperationalError):
        await cut_off()
    await add(database, "a")
    async with database.read() as tx:
        assert await count(tx) == 1
