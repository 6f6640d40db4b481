"""Raised counters for a process without an event loop of ours: audience workers and stages.

A thread with a connection of its own asks the database ten times a second and wakes the process through a
descriptor. It depends on no other process: a listener's stream ends with the web process dead and the event lost.
"""

import os
import sqlite3
from collections.abc import Callable, Collection
from queue import Empty, SimpleQueue
from threading import Event, Thread
from urllib.parse import quote

import structlog
from sqlalchemy import Connection, Engine, QueuePool, Select, create_engine
from sqlalchemy.engine import make_url

from folkmoot.gate.queries import batches, select_counters, select_raised_since
from folkmoot.gate.window import Told, Window
from folkmoot.storage.database import unix_ms

log = structlog.get_logger(__name__)
ASK_EVERY_S = 0.1
_BUSY_TIMEOUT_S = 1.0


class RevocationSource:
    """Made after the fork. `poll` and `fileno` never block and never fail, whatever the state of the database."""

    def __init__(
        self, database_url: str, *, clock_ms: Callable[[], int] = unix_ms, ask_every_s: float = ASK_EVERY_S
    ) -> None:
        self._engine = _engine(database_url)
        self._clock_ms = clock_ms
        self._ask_every_s = ask_every_s
        self._window = Window()
        self._told = Told()
        self._answers: SimpleQueue[dict[str, int]] = SimpleQueue()
        self._to_compare: SimpleQueue[list[str]] = SimpleQueue()
        self._comparing: set[str] = set()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = Event()
        self._is_failing = False
        self._thread = Thread(target=self._run, name="revocations", daemon=True)
        self._thread.start()

    def poll(self) -> dict[str, int]:
        """The subjects whose counter was raised since the last call, with their counters.

        The first answer holds what was raised during the last minute: a listener may have been admitted before.
        """
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            return {}
        raised: dict[str, int] = {}
        while True:
            try:
                answer = self._answers.get_nowait()
            except Empty:
                return raised
            for subject, counter in answer.items():
                raised[subject] = max(counter, raised.get(subject, 0))

    def fileno(self) -> int:
        """Readable when `poll` has something to give."""
        return self._wake

    def compare(self, subjects: Collection[str]) -> None:
        """Have these compared too, whenever they were raised; `poll` gives those that ever were. Now and then."""
        self._to_compare.put(list(subjects))

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._engine.dispose()
        os.close(self._wake)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                raised = self._ask()
            except Exception as error:
                # Whatever it was: with this thread every lease of the process would stop ending.
                self._failed(error)
            else:
                self._is_failing = False
                if raised:
                    self._answers.put(raised)
                    os.eventfd_write(self._wake, 1)
            self._stopping.wait(self._ask_every_s)

    def _ask(self) -> dict[str, int]:
        now_ms = self._clock_ms()
        while not self._to_compare.empty():
            self._comparing.update(self._to_compare.get_nowait())
        with self._engine.connect() as connection:
            raised = _read(connection, select_raised_since(self._window.since_ms(now_ms)))
            compared: dict[str, int] = {}
            for batch in batches(list(self._comparing)):
                compared |= _read(connection, select_counters(batch))
        # Only now that everything was answered: what failed is asked again.
        self._window.answered(now_ms)
        self._comparing.clear()
        return self._told.news(raised) | compared

    def _failed(self, error: Exception) -> None:
        if not self._is_failing:
            log.warning("revocations.database_failed", exc_info=error)
        self._is_failing = True


def _read(connection: Connection, statement: Select[str, int]) -> dict[str, int]:
    return {row.subject: row.counter for row in connection.execute(statement)}


def _engine(database_url: str) -> Engine:
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        return create_engine(
            url.set(drivername="postgresql+psycopg"), pool_size=1, pool_pre_ping=True, isolation_level="AUTOCOMMIT"
        )
    # `mode=rw`: a database that isn't there (yet) is an error, not a new empty one.
    address = f"file:{quote(url.database or '')}?mode=rw"
    return create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT_S),
        poolclass=QueuePool,
        pool_size=1,
    )
