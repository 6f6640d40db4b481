"""SQLite's connection: which statements are done at once, and which in its thread."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from folkmoot.storage import sqlite

HERE = "SELECT here()"
LONG = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i), here() FROM n"
)


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[sqlite.Connection]:
    connection = await sqlite.connect(str(tmp_path / "some.db"))
    await connection.create_function("here", 0, threading.get_ident)
    yield connection
    await connection.close()


async def asked(connection: sqlite.Connection, statement: str) -> tuple[object, ...]:
    (row,) = await (await connection.cursor().execute(statement)).fetchall()
    return tuple(row)


async def test_what_is_read_quickly_is_read_at_once(connection: sqlite.Connection) -> None:
    assert await asked(connection, HERE) == (threading.get_ident(),)


async def test_what_takes_long_is_read_in_the_thread(connection: sqlite.Connection) -> None:
    number, where = await asked(connection, LONG)
    assert number == 300_000
    assert where != threading.get_ident()
    assert await asked(connection, HERE) == (threading.get_ident(),), "then it is free again"


async def test_a_read_that_moves_to_the_thread_stays_one_snapshot(
    connection: sqlite.Connection, tmp_path: Path
) -> None:
    other = sqlite.open_file(str(tmp_path / "some.db"))
    other.execute("CREATE TABLE said (word TEXT)")
    assert await asked(connection, "SELECT count(*) FROM said") == (0,)
    other.execute("INSERT INTO said VALUES ('later')")
    await asked(connection, LONG)
    assert await asked(connection, "SELECT count(*) FROM said") == (0,)
    await connection.rollback()
    assert await asked(connection, "SELECT count(*) FROM said") == (1,)
    other.close()


async def test_what_took_long_is_not_tried_at_once_again_for_a_while(
    connection: sqlite.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = "SELECT here(), 'slow'"
    monkeypatch.setattr(sqlite, "SLOW_FOR_S", 600.0)
    monkeypatch.setattr(sqlite, "AT_ONCE_S", 0.0)
    await asked(connection, statement)
    monkeypatch.setattr(sqlite, "AT_ONCE_S", 60.0)
    assert (await asked(connection, statement))[0] == threading.get_ident(), "once is its being compiled"
    monkeypatch.setattr(sqlite, "AT_ONCE_S", 0.0)
    await asked(connection, statement)
    monkeypatch.setattr(sqlite, "AT_ONCE_S", 60.0)
    assert (await asked(connection, statement))[0] != threading.get_ident()
    monkeypatch.setattr(sqlite, "SLOW_FOR_S", 0.0)
    connection._took_long(statement)
    assert (await asked(connection, statement))[0] == threading.get_ident()


async def test_who_was_kept_waiting_is_not_slow(
    connection: sqlite.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "STALLED_S", 60.0)
    monkeypatch.setattr(sqlite, "AT_ONCE_S", 0.05)
    await connection.create_function("wait", 0, lambda: time.sleep(0.1))
    waits = "SELECT here(), wait()"
    assert [(await asked(connection, waits))[0] for _ in range(2)] == [threading.get_ident()] * 2


async def test_a_whole_table_is_never_counted_in_the_event_loop(connection: sqlite.Connection) -> None:
    await connection.cursor().execute("CREATE TABLE said (word TEXT)")
    whole = "SELECT here(), (SELECT count(*) AS count_1 \nFROM said) AS anon_1"
    some = "SELECT here(), (SELECT count(*) AS count_1 \nFROM said \nWHERE word = '') AS anon_1"
    assert (await asked(connection, whole))[0] != threading.get_ident()
    assert (await asked(connection, some))[0] == threading.get_ident()


async def test_a_search_is_never_made_in_the_event_loop(connection: sqlite.Connection) -> None:
    await connection.cursor().execute("CREATE VIRTUAL TABLE words USING fts5(word)")
    await connection.cursor().execute("INSERT INTO words VALUES ('hello')")
    (where,) = await asked(connection, "SELECT here() FROM words WHERE words MATCH 'hello'")
    assert where != threading.get_ident()


async def test_who_has_locked_the_file_is_waited_for_in_the_thread(
    connection: sqlite.Connection, tmp_path: Path
) -> None:
    # Where whoever writes keeps readers waiting.
    connection._opened().execute("PRAGMA journal_mode=DELETE")
    other = sqlite3.connect(tmp_path / "some.db", isolation_level=None)
    connection._opened().execute("CREATE TABLE said (word TEXT)")
    other.execute("BEGIN EXCLUSIVE")
    reading = asyncio.create_task(asked(connection, "SELECT count(*), here() FROM said"))
    await asyncio.sleep(0)
    other.execute("INSERT INTO said VALUES ('hello')")
    other.execute("COMMIT")
    other.close()
    count, where = await reading
    assert count == 1
    assert where != threading.get_ident()


async def test_what_a_write_reads_is_read_in_the_thread(connection: sqlite.Connection) -> None:
    connection.begin_immediate()
    (where,) = await asked(connection, HERE)
    assert where != threading.get_ident(), "its first statement may wait for another writer"
    await connection.rollback()
    assert (await asked(connection, HERE))[0] in (where, threading.get_ident())
    assert await asked(connection, HERE) == (threading.get_ident(),)


async def test_who_reads_much_gives_others_their_turn(connection: sqlite.Connection) -> None:
    waiting = asyncio.create_task(asyncio.sleep(0))
    await asked(connection, HERE)
    assert not waiting.done(), "a page is read in one turn"
    while not waiting.done():
        await asked(connection, HERE)
