"""SQLite behind SQLAlchemy's asyncio: the connection that its aiosqlite dialect drives, with fewer thread switches.

A connection has a thread, because a statement may wait for the disk or for another writer. The dialect makes four
calls for one statement (cursor, execute, fetchall, close); in aiosqlite each goes to the thread and back. Here one
does: `execute` brings all rows with it. The first statement of a transaction brings its BEGIN, and nobody waits for
a ROLLBACK, because whatever is asked of the connection next stands behind it in the queue. That makes a read of one
row several times cheaper. The thread is a daemon: aiosqlite's keeps a process from ending when a connection was
left open.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any

BUSY_TIMEOUT_MS = 5000
# SQLite's busy handler sleeps up to 100 ms between two tries; given up and begun anew, never more than 5 ms.
_WRITE_TRY_MS = 10
_PRAGMAS = (
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "journal_mode=WAL",
    # Survives a kill of the process; a power failure may take the last commits, never the file's consistency.
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "cache_size=-8000",
    "temp_store=MEMORY",
)
_Job = tuple[asyncio.Future[Any] | None, Callable[[], Any]]


def open_file(path: str) -> sqlite3.Connection:
    """Open a database file as Folkmoot uses it; transactions begin only where `BEGIN` is said."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


async def connect(path: str) -> "Connection":
    """What `create_async_engine(async_creator=…)` wants: a connection in the shape of aiosqlite's."""
    connection = Connection()
    await connection.open(path)
    return connection


class Connection:
    """The part of aiosqlite's Connection that SQLAlchemy's dialect calls."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[_Job] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._begin = "BEGIN"
        self._thread = Thread(target=_serve, args=(self._queue,), name="sqlite", daemon=True)

    async def open(self, path: str) -> None:
        self._thread.start()
        try:
            self._connection = await self._call(lambda: open_file(path))
        except BaseException:
            self.stop()
            raise

    def cursor(self) -> "Cursor":
        return Cursor(self)

    def begin_immediate(self) -> None:
        """Let the next transaction be one that writes: its first statement waits for the turn to write."""
        self._begin = "BEGIN IMMEDIATE"

    async def run(self, work: Callable[[sqlite3.Cursor], Any]) -> "_Outcome":
        """Do `work` with a cursor in the connection's thread, in a transaction."""
        connection, begin = self._opened(), self._begin

        def in_thread() -> _Outcome:
            if not connection.in_transaction:
                _begin(connection, begin)
            cursor = connection.cursor()
            try:
                work(cursor)
            except OverflowError as error:
                # Python's own word for a number that no column holds; other databases have this one.
                raise sqlite3.DataError(str(error)) from error
            rows = cursor.fetchall() if cursor.description else []
            return _Outcome(rows, cursor.description, cursor.rowcount, cursor.lastrowid)

        outcome: _Outcome = await self._call(in_thread)
        return outcome

    async def commit(self) -> None:
        await self._call(self._opened().commit)
        self._begin = "BEGIN"

    async def rollback(self) -> None:
        self._queue.put((None, self._opened().rollback))
        self._begin = "BEGIN"

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        connection = self._opened()
        await self._call(lambda: connection.create_function(*arguments, **options))

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await self._call(connection.close)
            self.stop()

    def stop(self) -> None:
        """End the thread, once it has done what was asked of it before."""
        connection, self._connection = self._connection, None
        self._queue.put((None, _close_and_end(connection)))

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.OperationalError("The connection is closed.")
        return self._connection

    async def _call(self, function: Callable[[], Any]) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.put((future, function))
        return await future


def _begin(connection: sqlite3.Connection, statement: str) -> None:
    """Begin a transaction; one that writes waits for its turn. Raises OperationalError (SQLITE_BUSY) after 5 s."""
    if statement == "BEGIN":
        connection.execute(statement)
        return
    give_up_at = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    connection.execute(f"PRAGMA busy_timeout={_WRITE_TRY_MS}")
    try:
        while True:
            try:
                connection.execute(statement)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                    raise
    finally:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


class _Outcome:
    __slots__ = ("description", "last_row_id", "row_count", "rows")

    def __init__(self, rows: list[Any], description: Any, row_count: int, last_row_id: int | None) -> None:
        self.rows = rows
        self.description = description
        self.row_count = row_count
        self.last_row_id = last_row_id


_NOTHING = _Outcome([], None, -1, None)


class Cursor:
    """The part of aiosqlite's Cursor that SQLAlchemy's dialect calls; the names are the DB-API's."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._outcome = _NOTHING

    async def __aenter__(self) -> "Cursor":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def description(self) -> Any:
        return self._outcome.description

    @property
    def rowcount(self) -> int:
        return self._outcome.row_count

    @property
    def lastrowid(self) -> int | None:
        return self._outcome.last_row_id

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> "Cursor":
        self._outcome = await self._connection.run(lambda cursor: cursor.execute(statement, parameters))
        return self

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> "Cursor":
        self._outcome = await self._connection.run(lambda cursor: cursor.executemany(statement, parameters))
        return self

    async def fetchall(self) -> list[Any]:
        rows, self._outcome.rows = self._outcome.rows, []
        return rows

    async def close(self) -> None:
        """Nothing is open: the rows came with `execute`."""


class _End(BaseException):
    """Ends the thread of a connection."""


def _close_and_end(connection: sqlite3.Connection | None) -> Callable[[], None]:
    def end() -> None:
        if connection is not None:
            connection.close()
        raise _End

    return end


def _serve(queue: SimpleQueue[_Job]) -> None:
    while True:
        future, function = queue.get()
        try:
            result = function()
        except _End:
            return
        except BaseException as error:
            # Whatever it was, it belongs to the one who asked.
            _answer(future, None, error)
        else:
            _answer(future, result, None)


def _answer(future: asyncio.Future[Any] | None, result: Any, error: BaseException | None) -> None:
    if future is None:
        return
    try:
        future.get_loop().call_soon_threadsafe(_settle, future, result, error)
    except RuntimeError:
        return  # The event loop is closed: nobody waits any more.


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
