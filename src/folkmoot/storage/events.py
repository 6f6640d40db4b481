"""The bus for what must not be lost: an event is a row, written in the transaction that made it true.

Order. SQLite has one writer at a time, so ids are given in the order of commits. PostgreSQL gives ids (and
transaction ids) before the commit, and a transaction that took an early one may commit late. A follower therefore
reads only what transactions older than every open one have written, and walks in the order of
(transaction, id): whatever becomes readable later stands behind its position. On SQLite the transaction is 0.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

import msgspec
import structlog
from sqlalchemy import BigInteger, Text, cast, delete, func, insert, select, tuple_
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from folkmoot.storage.database import Database, DatabaseBusy, Read, Write
from folkmoot.storage.doorbell import CHANNEL, Doorbell, heard
from folkmoot.storage.facts import read_fact, write_fact
from folkmoot.storage.tables.bus import events
from folkmoot.storage.upserts import batches

log = structlog.get_logger(__name__)
POLL_EVERY_S = 0.25
HANDLER_ATTEMPTS_MAX = 3
_BATCH_MAX = 200
_PRUNED = "events.pruned"


class Position(msgspec.Struct, frozen=True, order=True, array_like=True):
    """How far a follower has come: everything up to this event is behind it."""

    transaction_id: int
    id: int


class Event(msgspec.Struct, frozen=True):
    """One row of the bus. `payload` is the JSON that was emitted."""

    id: int
    kind: str
    payload: Any
    at_ms: int
    transaction_id: int

    @property
    def position(self) -> Position:
        return Position(self.transaction_id, self.id)


class FollowerTooLate(Exception):
    """Events after the follower's position have been pruned: its state must be loaded anew."""


async def emit(tx: Write, kind: str, payload: Any) -> None:
    """Tell every follower, if and when this transaction commits. `payload`: anything msgspec makes JSON of."""
    await _insert(tx, _row(tx, kind, payload))


async def emit_each(tx: Write, kind: str, payloads: Sequence[Any]) -> None:
    """The same for many events of a kind. A statement for each few hundred."""
    for some in batches(payloads):
        await _insert(tx, [_row(tx, kind, payload) for payload in some])


def _row(tx: Write, kind: str, payload: Any) -> dict[str, Any]:
    row = {"kind": kind, "payload": payload, "at_ms": tx.now_ms}
    return row if tx.is_sqlite else row | {"transaction_id": _big_integer(func.pg_current_xact_id())}


async def _insert(tx: Write, values: dict[str, Any] | list[dict[str, Any]]) -> None:
    tx.has_news = True
    statement = insert(events).values(values)
    # RETURNING spares the second round trip; PostgreSQL delivers the notification at the commit, once.
    await tx.connection.execute(statement if tx.is_sqlite else statement.returning(func.pg_notify(CHANNEL, "")))


async def newest_position(tx: Read) -> Position:
    """A position behind which nothing is that this transaction cannot see."""
    if not tx.is_sqlite:
        return Position((await tx.connection.execute(select(_OLDEST_OPEN))).scalar_one(), 0)
    newest_id = (await tx.connection.execute(select(func.max(events.c.id)))).scalar_one()
    return max(Position(0, newest_id or 0), await _pruned(tx))


async def keep_position(tx: Write, follower: str, event: Event) -> None:
    """Remember, in a handler's own transaction, that a follower of a "stored" start has handled an event: what the
    handler writes is then written once, whenever its process dies."""
    await write_fact(tx, _stored_name(follower), event.position)


async def prune(database: Database, older_than_ms: int) -> int:
    """Delete events older than a Unix time; return how many. A follower that had not read them reloads."""

    async def work(tx: Write) -> int:
        too_old = events.c.at_ms < older_than_ms
        last = (
            select(events.c.transaction_id, events.c.id).where(too_old).order_by(*map(_descending, _KEY)).limit(1)
        )
        row = (await tx.connection.execute(last)).first()
        if row is None:
            return 0
        await write_fact(tx, _PRUNED, max(Position(*row), await _pruned(tx)))
        return (await tx.connection.execute(delete(events).where(too_old))).rowcount

    return await database.write(work)


class Follower:
    """Hands every event to a handler, in order, at least once; the handler is idempotent.

    `start` is a position; or "now", which calls `reload` first; or "stored": where this name had come to (it is
    kept in the database after each batch), and from the oldest event the first time. `reload` loads the state
    that the handler maintains; without one a follower that comes too late raises `FollowerTooLate`. An event whose
    handler keeps failing is logged and passed after 3 attempts: it must not hold up a revocation
    behind it. It waits for a database that doesn't answer, in the handler too.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        handler: Callable[[Event], Awaitable[None]],
        *,
        doorbell: Doorbell,
        start: Position | Literal["now", "stored"],
        reload: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._database = database
        self._name = name
        self._handler = handler
        self._doorbell = doorbell
        self._start = start
        self._reload = reload
        self._position = start if isinstance(start, Position) else None

    async def run(self) -> None:
        """Follow until cancelled."""
        wake = asyncio.Event()
        with self._doorbell.heard_by(wake):
            while True:
                wake.clear()
                try:
                    delivered = await self.step()
                except (DatabaseBusy, DBAPIError, OSError):
                    log.exception("follower.database_failed", follower=self._name)
                    delivered = 0
                if delivered < _BATCH_MAX:
                    await heard(wake, POLL_EVERY_S)

    async def step(self) -> int:
        """Deliver what is there now, at most one batch; return how many events that was."""
        position = self._position if self._position is not None else await self._begin()
        try:
            batch = await self._read(position)
        except FollowerTooLate:
            if self._reload is None:
                raise
            log.warning("follower.too_late", follower=self._name)
            await self._from_now()
            return 0
        for event in batch:
            await self._deliver(event)
            self._position = event.position
        if batch and self._start == "stored":
            await self._store(batch[-1].position)
        return len(batch)

    async def _begin(self) -> Position:
        if self._start == "stored":
            async with self._database.read() as tx:
                stored = await read_fact(tx, _stored_name(self._name))
                # Whoever follows for the first time has missed nothing by what was pruned before.
                position = await _pruned(tx) if stored is None else msgspec.convert(stored, Position)
            self._position = position
            return position
        return await self._from_now()

    async def _from_now(self) -> Position:
        # The position first: what happens while the state is loaded is delivered again, not lost.
        async with self._database.read() as tx:
            position = await newest_position(tx)
        if self._reload is not None:
            await self._reload()
        if self._start == "stored":
            await self._store(position)
        self._position = position
        return position

    async def _read(self, position: Position) -> list[Event]:
        async with self._database.read() as tx:
            rows = (await tx.connection.execute(_after(tx, position))).all()
            if await _is_too_late(tx, position):
                raise FollowerTooLate(f"The follower {self._name} missed events that are no longer kept.")
        return [Event(*row) for row in rows]

    async def _deliver(self, event: Event) -> None:
        for attempt in range(1, HANDLER_ATTEMPTS_MAX + 1):
            try:
                await self._handler(event)
                return
            except (DatabaseBusy, InterfaceError, OperationalError):
                # Not the event's fault: the follower stays where it is until the database answers again.
                raise
            except Exception:
                log.exception(
                    "follower.handler_failed",
                    follower=self._name,
                    event_id=event.id,
                    kind=event.kind,
                    attempt=attempt,
                )
            if attempt < HANDLER_ATTEMPTS_MAX:
                await asyncio.sleep(0.01 * 4**attempt)

    async def _store(self, position: Position) -> None:
        async def work(tx: Write) -> None:
            await write_fact(tx, _stored_name(self._name), position)

        await self._database.write(work)


def _stored_name(follower: str) -> str:
    return f"follower.{follower}"


def _big_integer(value: Any) -> Any:
    # PostgreSQL casts its 64-bit transaction ids (xid8) to integers by way of text only.
    return cast(cast(value, Text), BigInteger)


def _descending(column: Any) -> Any:
    return column.desc()


_KEY = (events.c.transaction_id, events.c.id)
_SNAPSHOT = func.pg_current_snapshot()
_OLDEST_OPEN = _big_integer(func.pg_snapshot_xmin(_SNAPSHOT))
_NEXT = _big_integer(func.pg_snapshot_xmax(_SNAPSHOT))


def _after(tx: Read, position: Position) -> Any:
    columns = (events.c.id, events.c.kind, events.c.payload, events.c.at_ms, events.c.transaction_id)
    behind = tuple_(*_KEY) > tuple_(position.transaction_id, position.id)
    statement = select(*columns).where(behind).order_by(*_KEY).limit(_BATCH_MAX)
    return statement if tx.is_sqlite else statement.where(events.c.transaction_id < _OLDEST_OPEN)


async def _is_too_late(tx: Read, position: Position) -> bool:
    if position < await _pruned(tx):
        return True
    if tx.is_sqlite:
        return False
    # A database restored into another cluster counts transactions from there: the position means nothing in it.
    return position.transaction_id > int((await tx.connection.execute(select(_NEXT))).scalar_one())


async def _pruned(tx: Read) -> Position:
    stored = await read_fact(tx, _PRUNED)
    return Position(0, 0) if stored is None else msgspec.convert(stored, Position)
