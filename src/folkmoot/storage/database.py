"""The database: SQLite (WAL) by default, PostgreSQL by URL; one way to read and one way to write.

On both, a write transaction is as if it were alone. On SQLite it begins with `BEGIN IMMEDIATE`: one that reads
first and writes later would fail at once with SQLITE_BUSY_SNAPSHOT, whatever the busy timeout. On PostgreSQL it is
SERIALIZABLE, so that what an action has read in it (a standing, a free seat) still holds when it commits. It awaits
nothing but the database, so it is short, and it is run again a bounded number of times when two collided.
"""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, NoReturn, TypeVar, cast

import msgspec
import psycopg
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from folkmoot.storage import sqlite
from folkmoot.storage.ids import IdMaker

Result = TypeVar("Result")
_Driver = sqlite.Connection | psycopg.AsyncConnection[Any]
WRITE_ATTEMPTS_MAX = 100
WRITE_RETRIES_END_S = 10.0
_RETRY_DELAY_S_MAX = 0.1
_CONNECTION_WAIT_S = 10.0
_SQLITE_CONNECTIONS_MAX = 15
_PG_CONNECTIONS_MAX = 20
_PG_CONNECTION_LASTS_S = 1800  # what lies between closes idle ones, and a server's process grows with what it saw
# PostgreSQL's serialization_failure, deadlock_detected, lock_not_available: run the whole transaction again.
_PG_RETRY_STATES = frozenset({"40001", "40P01", "55P03"})
_PG_DISK_FULL = "53100"
_SQLITE_FULL = 13
_SQLITE_RETRY_CODES = frozenset({5, 6})  # SQLITE_BUSY, SQLITE_LOCKED


class DatabaseBusy(Exception):
    """The database is used more than we are ready to wait for. Nothing was written; it can be tried again."""


class DatabaseFull(DatabaseBusy):
    """The disk has no room for what was to be written."""


DatabaseError = DBAPIError
"""What else the database or its driver says: mostly that it is away."""


class Unstorable(Exception):
    """A value that no column holds: a number beyond 64 bits or, on PostgreSQL, a text with a NUL in it."""


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


def digest(secret: str) -> bytes:
    """What is stored of a token, code or link: secrets of 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


class Read:
    """A read transaction: one snapshot."""

    def __init__(self, connection: AsyncConnection, now_ms: int) -> None:
        self.connection = connection
        self.now_ms = now_ms
        self.is_sqlite = connection.dialect.name == "sqlite"
        assert connection.sync_connection is not None
        self.driver: _Driver = cast(_Driver, connection.sync_connection.connection.driver_connection)

    async def fetch(self, sql: str, parameters: Any) -> Sequence[Sequence[Any]]:
        """The rows of a statement in the driver's own words (storage/prepared.py). Raises what SQLAlchemy would."""
        through = self.connection.sync_connection
        assert through is not None
        for hear in through.dispatch.before_cursor_execute:
            hear(through, None, sql, parameters, None, False)
        return await _asked(self.connection, _rows(self.driver, sql, parameters), sql)


async def _rows(driver: _Driver, sql: str, parameters: Any) -> Sequence[Sequence[Any]]:
    if isinstance(driver, sqlite.Connection):
        return await driver.fetch(sql, parameters)
    return await (await driver.execute(sql, parameters)).fetchall()


async def _next_transactions(
    driver: psycopg.AsyncConnection[Any], isolation: psycopg.IsolationLevel, *, read_only: bool
) -> None:
    """How they begin on this connection. Most often they do already."""
    if driver.isolation_level is not isolation:
        await driver.set_isolation_level(isolation)
    if driver.read_only is not read_only:
        await driver.set_read_only(read_only)


async def _asked(connection: AsyncConnection, of_driver: Awaitable[Result], sql: str | None = None) -> Result:
    """What is asked of the driver itself. Raises what SQLAlchemy would."""
    try:
        return await of_driver
    except BaseException as error:
        return await connection.run_sync(_failed, error, sql)


def _failed(through: Connection, error: BaseException, sql: str | None) -> NoReturn:
    """What SQLAlchemy does when a statement of its own fails or is cancelled: it says so in its words, and doesn't
    use a connection again that broke."""
    try:
        raise error  # it looks for the one that is being handled, and in its greenlet there is none
    except BaseException:
        through._handle_dbapi_exception(error, sql, None, None, None)


class Write(Read):
    """A write transaction. What it `emit`s and `enqueue`s becomes true together with what it wrote."""

    def __init__(self, connection: AsyncConnection, now_ms: int, ids: IdMaker) -> None:
        super().__init__(connection, now_ms)
        self._ids = ids
        # Set by `emit` and `enqueue`: the doorbell rings after the commit.
        self.has_news = False

    def new_id(self) -> int:
        return self._ids.next()


class Database:
    """Opens connections; `read()` and `write()` are the only two ways to one.

    `ring` is called after each commit that emitted events or enqueued jobs (storage/doorbell.py). Opened after the
    fork, never before: connections and threads don't survive one.
    """

    def __init__(
        self,
        url: str,
        *,
        slot: int = 0,
        clock_ms: Callable[[], int] = unix_ms,
        ring: Callable[[], None] = lambda: None,
        connections_max: int | None = None,
    ) -> None:
        self.url = url
        self.clock_ms = clock_ms
        self.ids = IdMaker(slot, clock_ms)
        self._ring = ring
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.engine = _engine(parsed, connections_max)
        # SQLite has one writer at a time. Those of one process queue here in their order, instead of sleeping and
        # asking again in SQLite's busy handler, which is as slow as it is unfair.
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if self.is_sqlite else nullcontext()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Read]:
        """One snapshot. Raises DatabaseBusy if no connection becomes free in time, and Unstorable."""
        async with self._connected() as connection:
            read = Read(connection, self.clock_ms())
            if isinstance(read.driver, psycopg.AsyncConnection):
                isolation = psycopg.IsolationLevel.REPEATABLE_READ
                await _asked(connection, _next_transactions(read.driver, isolation, read_only=True))
            yield read
            if isinstance(read.driver, psycopg.AsyncConnection):
                # It forgets at a ROLLBACK what it prepared, and plans take longest.
                await _asked(connection, read.driver.commit())

    async def write(self, work: Callable[[Write], Awaitable[Result]], *, locks_rows: bool = False) -> Result:
        """Run `work` in one write transaction and commit. It may run several times: no effects outside.

        Raises DatabaseBusy when it collided with others too often, and Unstorable; whatever `work` raises rolls it
        back.
        `locks_rows`: it locks the rows that it depends on by itself, so PostgreSQL need not guard the others.
        """
        give_up_at = time.monotonic() + WRITE_RETRIES_END_S
        for attempt in range(1, WRITE_ATTEMPTS_MAX + 1):
            try:
                return await self._write_once(work, locks_rows)
            except DBAPIError as error:
                if not _collided(error):
                    raise
                if attempt == WRITE_ATTEMPTS_MAX or time.monotonic() > give_up_at:
                    raise DatabaseBusy("The database is busy; try again in a moment.") from error
            # At random, so that those that collided don't meet again.
            await asyncio.sleep(random.uniform(0, min(0.002 * 2**attempt, _RETRY_DELAY_S_MAX)))  # noqa: S311
        raise AssertionError("unreachable")

    async def _write_once(self, work: Callable[[Write], Awaitable[Result]], locks_rows: bool) -> Result:
        async with self._turn, self._connected() as connection:
            transaction = Write(connection, self.clock_ms(), self.ids)
            if isinstance(transaction.driver, sqlite.Connection):
                transaction.driver.begin_immediate()
            else:
                levels = psycopg.IsolationLevel
                isolation = levels.READ_COMMITTED if locks_rows else levels.SERIALIZABLE
                await _asked(connection, _next_transactions(transaction.driver, isolation, read_only=False))
            result = await work(transaction)
            await connection.commit()
        if transaction.has_news:
            self._ring()
        return result

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        if self.is_sqlite:
            await asyncio.sleep(0)  # what is read at once gives nobody else a turn, and here it keeps no connection
        connection = self.engine.connect()
        try:
            await connection.start()
        except PoolTimeoutError as error:
            raise DatabaseBusy("The database is busy; try again in a moment.") from error
        try:
            yield connection
        except DataError as error:
            raise Unstorable("a value is out of the range that can be stored") from error
        except OperationalError as error:
            if _has_no_room(error):
                raise DatabaseFull("The server's disk is full.") from error
            raise
        finally:
            await connection.close()

    async def close(self) -> None:
        await self.engine.dispose()


def _engine(url: URL, connections_max: int | None) -> AsyncEngine:
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, connections_max or _SQLITE_CONNECTIONS_MAX)
    return _postgres_engine(url, connections_max or _PG_CONNECTIONS_MAX)


def _postgres_engine(url: URL, connections_max: int) -> AsyncEngine:
    engine = create_async_engine(
        url.set(drivername="postgresql+psycopg"),
        **_pool(connections_max),
        pool_recycle=_PG_CONNECTION_LASTS_S,
        # What is bound is passwords' hashes and people's words: no error may show it.
        hide_parameters=True,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
    )
    event.listen(engine.sync_engine, "connect", _plan_for_pages)
    return engine


def _pool(connections_max: int) -> dict[str, Any]:
    """What was opened for a crowd stays, for a new one knows no statement yet; the one that was used last is taken
    first, so that a few serve who come one after the other."""
    return {
        "pool_size": connections_max,
        "max_overflow": 0,
        "pool_use_lifo": True,
        "pool_timeout": _CONNECTION_WAIT_S,
    }


def _plan_for_pages(connection: Any, _record: Any) -> None:
    """A page is a few rows of many indexes: to compile such a statement takes longer than to run it, and an index
    in its order is cheaper than all of somebody's posts sorted. Said here, since poolers refuse it in the
    address."""
    cursor = connection.cursor()
    cursor.execute("SET jit = off")
    cursor.execute("SET random_page_cost = 1.1")
    cursor.close()
    connection.commit()


def _sqlite_engine(url: URL, connections_max: int) -> AsyncEngine:
    path = url.database
    assert path, "SQLite databases are files: readers and the writer have connections of their own"
    return create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        async_creator=lambda: sqlite.connect(path),
        **_pool(connections_max),
        # What is bound is passwords' hashes and people's words: no error may show it.
        hide_parameters=True,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
    )


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _has_no_room(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) == _PG_DISK_FULL:
        return True
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == _SQLITE_FULL


def _collided(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _PG_RETRY_STATES
    # The low byte is the primary code: SQLITE_BUSY_SNAPSHOT and the like are kinds of SQLITE_BUSY.
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_RETRY_CODES
