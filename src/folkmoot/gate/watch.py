"""Keeps a process's `LeaseBook` true: the event ends a lease at once, the sweep ends it if the event was lost."""

import asyncio
import contextlib
from collections.abc import Mapping

from folkmoot.gate import queries
from folkmoot.gate.actions import REVOKED
from folkmoot.gate.leases import LeaseBook
from folkmoot.storage.database import Database
from folkmoot.storage.events import Event

SWEEP_EVERY_S = 1.0


def on_event(book: LeaseBook, event: Event) -> None:
    """Handle one event of the bus: a raised counter ends what was granted under a lower one."""
    if event.kind == REVOKED:
        book.raised(str(event.payload["subject"]), int(event.payload["counter"]))


async def sweep(book: LeaseBook, database: Database) -> None:
    """Compare every held subject with the database, once."""
    subjects = book.subjects()
    if not subjects:
        return
    async with database.read() as read:
        counters: Mapping[str, int] = await queries.counters(read, subjects)
    book.compare(counters)


async def keep_sweeping(book: LeaseBook, database: Database, every_s: float = SWEEP_EVERY_S) -> None:
    """Sweep until cancelled. A database that does not answer is asked again: leases are not ended blindly."""
    while True:
        with contextlib.suppress(OSError):
            await sweep(book, database)
        await asyncio.sleep(every_s)
