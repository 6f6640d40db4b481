"""The database: SQLite (WAL) by default, PostgreSQL by URL; one way to read and one way to write.

A write transaction begins with `BEGIN IMMEDIATE` on SQLite: one that reads first and writes later would fail at
once with SQLITE_BUSY_SNAPSHOT, whatever the busy timeout. It awaits nothing but the database, so it is short, and
it is run again a bounded number of times when the database says that two collided.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from folkmoot.storage.ids import IdMaker

Result = TypeVar("Result")
WRITE_ATTEMPTS_MAX = 8
BUSY_TIMEOUT_MS = 5000
# PostgreSQL's serialization_failure and deadlock_detected: run the whole transaction again.
_PG_RETRY_STATES = frozenset({"40001", "40P01"})


class DatabaseBusy(Exception):
    """A write transaction collided with others more often than we are ready to wait for."""


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


class Write(Read):
    """A write transaction. What it `emit`s and `enqueue`s becomes true together with what it wrote."""

    def __init__(self, connection: AsyncConnection, now_ms: int, ids: IdMaker) -> None:
        super().__init__(connection, now_ms)
        self._ids = ids
        self.has_events = False

    def new_id(self) -> int:
        return self._ids.next()


class Database:
    """Opens connections; `read()` and `write()` are the only two ways to one."""

    def __init__(
        self,
        url: str,
        *,
        slot: int = 0,
        clock_ms: Callable[[], int] = unix_ms,
        on_events: Callable[[], None] = lambda: None,
    ) -> None:
        self.url = url
        self.clock_ms = clock_ms
        self.ids = IdMaker(slot, clock_ms)
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        # Called after a commit that emitted events: rings the local doorbell (storage/events.py).
        self._on_events = on_events
        self.engine = _engine(url, self.is_sqlite)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Read]:
        async with self.engine.connect() as connection:
            if self.is_sqlite:
                await connection.exec_driver_sql("BEGIN")
            yield Read(connection, self.clock_ms())

    async def write(self, work: Callable[[Write], Awaitable[Result]]) -> Result:
        """Run `work` in one write transaction and commit. It may run several times: no effects outside."""
        for attempt in range(WRITE_ATTEMPTS_MAX):
            try:
                return await self._write_once(work)
            except DBAPIError as error:
                if not _collided(error) or attempt == WRITE_ATTEMPTS_MAX - 1:
                    raise
            await asyncio.sleep(0.005 * 2**attempt)
        raise DatabaseBusy("The database is busy; try again in a moment.")

    async def _write_once(self, work: Callable[[Write], Awaitable[Result]]) -> Result:
        async with self.engine.connect() as connection:
            if self.is_sqlite:
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            transaction = Write(connection, self.clock_ms(), self.ids)
            result = await work(transaction)
            await connection.commit()
        if transaction.has_events:
            self._on_events()
        return result

    async def close(self) -> None:
        await self.engine.dispose()


def _engine(url: str, is_sqlite: bool) -> AsyncEngine:
    if not is_sqlite:
        return create_async_engine(
            url,
            pool_size=10,
            max_overflow=10,
            json_serializer=_to_json,
            json_deserializer=msgspec.json.decode,
        )
    engine = create_async_engine(
        url,
        pool_size=5,
        max_overflow=10,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
        # The driver must not begin transactions by itself: `write()` says BEGIN IMMEDIATE.
        connect_args={"isolation_level": None},
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "cache_size=-8000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _collided(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _PG_RETRY_STATES
    return isinstance(error, OperationalError) and "locked" in str(error.orig)
