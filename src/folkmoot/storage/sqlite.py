"""SQLite behind SQLAlchemy's asyncio: the connection that its aiosqlite dialect drives, with fewer thread switches.

A connection has a thread, because a statement may wait for another writer, or take long. The dialect makes four
calls for one statement (cursor, execute, fetchall, close); in aiosqlite each goes to the thread and back. Here one
does: `execute` brings all rows with it. The first statement of a transaction brings its BEGIN, and nobody waits for
a ROLLBACK, because whatever is asked of the connection next stands behind it in the queue. The thread is a daemon:
aiosqlite's keeps a process from ending when a connection was left open.

A statement that only reads is tried at once, in the event loop, and begun anew in the thread where it takes longer
than AT_ONCE_S: most are done sooner than the way to the thread and back is, and a thread that steps through rows
wants the interpreter's lock for each of them. What cannot be interrupted, or lately took too long, is not tried.
"""

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, cast

BUSY_TIMEOUT_MS = 5000
AT_ONCE_S = 0.004
"""Of the processor's time. By the clock it may be STALLED_S, in which a file is read or others have the processor:
one that was kept waiting isn't slow, and in the thread it would wait as well."""
STALLED_S = 0.01
TURN_S = 0.01
"""What one transaction may take of it before others have their turn, longer than a page does: one that stops in its
middle keeps a connection from the next."""
_LOOK_EVERY = 1000  # instructions of SQLite's machine: some 25 us
_READS = ("SELECT", "WITH")
# FTS5 goes through whole lists of posts in one instruction, SQLite counts a whole table in one, and none is asked
# to stop in between.
_ONE_INSTRUCTION = re.compile(r" MATCH |\bcount\(\*\)(?: AS \w+)?\s+FROM \w+\s*(?:\)|$)")
SLOW_FOR_S = 1.0
_SLOW_STATEMENTS_MAX = 200
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
    "secure_delete=ON",  # what was deleted is in no free page of the file either
)
_Job = tuple[asyncio.Future[Any] | None, Callable[[], Any]]
_Settle = Callable[[asyncio.Future[Any], Any, BaseException | None], None]


def open_file(path: str) -> sqlite3.Connection:
    """Open a database file as Folkmoot uses it; transactions begin only where `BEGIN` is said."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=512, check_same_thread=False)
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
        self._turn_ends_s: float | None = None  # None: others have just had theirs
        self._in_thread = 0  # what was asked of it and is not done
        self._busy_timeout_ms = BUSY_TIMEOUT_MS
        self._slow: dict[str, float] = {}  # statements that took too long at once, and until when that counts
        self._thread = Thread(target=_serve, args=(self._queue, self._settle), name="sqlite", daemon=True)

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

    async def fetch(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows of a statement that only reads."""
        outcome = await self.run(statement, lambda cursor: cursor.execute(statement, parameters), only_reads=True)
        return outcome.rows

    async def run(self, statement: str, work: Callable[[sqlite3.Cursor], Any], *, only_reads: bool) -> "_Outcome":
        """Do `work`, which is the statement, with a cursor in a transaction. It may be begun twice if it only
        reads."""
        connection, begin = self._opened(), self._begin

        def done() -> _Outcome:
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

        def done_in_thread() -> _Outcome:
            self._wait_for_others(connection, BUSY_TIMEOUT_MS)
            return done()

        outcome = self._at_once(connection, statement, done) if only_reads and begin == "BEGIN" else None
        if outcome is None:
            self._turn_ends_s = None
            return cast(_Outcome, await self._call(done_in_thread))
        if self._turn_ends_s is None:
            self._turn_ends_s = time.monotonic() + TURN_S
        elif time.monotonic() > self._turn_ends_s:
            self._turn_ends_s = None
            await asyncio.sleep(0)
        return outcome

    def _at_once(
        self, connection: sqlite3.Connection, statement: str, done: Callable[[], "_Outcome"]
    ) -> "_Outcome | None":
        """None where the thread is busy, or it would take too long or wait for another."""
        began_s = time.monotonic()
        if self._in_thread or _is_one_instruction(statement) or self._slow.get(statement, 0) > began_s:
            return None
        stalled_at, used_at = began_s + STALLED_S, time.thread_time() + AT_ONCE_S
        self._wait_for_others(connection, 0)
        connection.set_progress_handler(
            lambda: time.thread_time() > used_at or time.monotonic() > stalled_at, _LOOK_EVERY
        )
        try:
            return done()
        except sqlite3.OperationalError as error:
            if _primary_code(error) not in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY):
                raise
            return None
        finally:
            connection.set_progress_handler(None, 0)
            if time.thread_time() > used_at or time.monotonic() > stalled_at:
                self._took_long(statement)

    def _took_long(self, statement: str) -> None:
        """It counts from the second time on: at its first a statement is compiled, and its pages are read."""
        again = self._slow.pop(statement, None) is not None
        self._slow[statement] = time.monotonic() + SLOW_FOR_S if again else 0.0
        if len(self._slow) > _SLOW_STATEMENTS_MAX:
            del self._slow[next(iter(self._slow))]

    def _wait_for_others(self, connection: sqlite3.Connection, at_most_ms: int) -> None:
        """How long a statement waits for who has locked the file: in C, so never in the event loop."""
        if self._busy_timeout_ms != at_most_ms:
            connection.execute(f"PRAGMA busy_timeout={at_most_ms}")
            self._busy_timeout_ms = at_most_ms

    async def commit(self) -> None:
        await self._call(self._opened().commit)
        self._begin = "BEGIN"

    async def rollback(self) -> None:
        connection = self._opened()
        if self._begin == "BEGIN" and not self._in_thread:
            connection.rollback()
        else:
            self._ask(connection.rollback).add_done_callback(_heard)
        self._begin = "BEGIN"
        self._turn_ends_s = None

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
        return await self._ask(function)

    def _ask(self, function: Callable[[], Any]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._in_thread += 1
        self._queue.put((future, function))
        return future

    def _settle(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        """Called when the thread has done it, whether or not somebody still waits."""
        self._in_thread -= 1
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


@lru_cache(maxsize=2_000)
def _is_one_instruction(statement: str) -> bool:
    return _ONE_INSTRUCTION.search(statement) is not None


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
                if _primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                    raise
    finally:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def _primary_code(error: sqlite3.Error) -> int:
    """Of SQLite's error; 0 for one of Python's module, which has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


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
        only_reads = statement.startswith(_READS)
        self._outcome = await self._connection.run(
            statement, lambda cursor: cursor.execute(statement, parameters), only_reads=only_reads
        )
        return self

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> "Cursor":
        self._outcome = await self._connection.run(
            statement, lambda cursor: cursor.executemany(statement, parameters), only_reads=False
        )
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


def _serve(queue: SimpleQueue[_Job], settle: _Settle) -> None:
    while True:
        future, function = queue.get()
        try:
            result = function()
        except _End:
            return
        except BaseException as error:
            # Whatever it was, it belongs to the one who asked.
            _answer(settle, future, None, error)
        else:
            _answer(settle, future, result, None)


def _answer(settle: _Settle, future: asyncio.Future[Any] | None, result: Any, error: BaseException | None) -> None:
    if future is None:
        return
    try:
        future.get_loop().call_soon_threadsafe(settle, future, result, error)
    except RuntimeError:
        return  # The event loop is closed: nobody waits any more.


def _heard(future: asyncio.Future[Any]) -> None:
    """Nobody waits for it: whoever uses the connection next will hear of what is wrong with it."""
    if not future.cancelled():
        future.exception()
