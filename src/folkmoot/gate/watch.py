"""Keeps a process's `LeaseBook` true: the event ends a lease at once, the sweep ends it if the event was lost."""

import asyncio

import structlog

from folkmoot.gate import queries
from folkmoot.gate.actions import REVOKED
from folkmoot.gate.leases import LeaseBook
from folkmoot.gate.window import Window
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.events import Event, Follower

log = structlog.get_logger(__name__)
SWEEP_EVERY_S = 0.2  # also without the event everything is over within half a second
RESTART_AFTER_S = 1.0


class RevocationWatch:
    """One for each process that holds leases and has our event loop (web), beside its loop.

    A database that doesn't answer neither ends the watch nor any lease: it is asked again.
    """

    def __init__(
        self, book: LeaseBook, database: Database, doorbell: Doorbell, *, sweep_every_s: float = SWEEP_EVERY_S
    ) -> None:
        self._book = book
        self._database = database
        self._doorbell = doorbell
        self._sweep_every_s = sweep_every_s
        self._window = Window()

    async def run(self) -> None:
        """Follow and sweep until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_following())
            group.create_task(self._keep_sweeping())

    async def on_event(self, event: Event) -> None:
        """A raised counter ends what was granted under a lower one."""
        if event.kind == REVOKED:
            self._book.raised(str(event.payload["subject"]), int(event.payload["counter"]))

    async def compare_all(self) -> None:
        """Compare every held subject with the database: when this begins, and when events were missed."""
        held = self._book.subjects()
        async with self._database.read() as read:
            counters = await queries.counters(read, held)
        self._book.compare(counters)

    async def sweep(self) -> None:
        """Once: what was raised lately, and a slice of everything that is held."""
        held = self._window.next_slice(self._book.subjects())
        async with self._database.read() as read:
            raised = await queries.raised_since(read, self._window.since_ms(read.now_ms))
            counters = await queries.counters(read, held)
        self._window.answered(read.now_ms)
        self._book.compare(raised)
        self._book.compare(counters)

    async def _keep_following(self) -> None:
        while True:
            follower = Follower(
                self._database,
                "leases",
                self.on_event,
                doorbell=self._doorbell,
                start="now",
                reload=self.compare_all,
            )
            try:
                await follower.run()
            except Exception:
                log.exception("watch.follower_failed")
            await asyncio.sleep(RESTART_AFTER_S)

    async def _keep_sweeping(self) -> None:
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("watch.sweep_failed")
            await asyncio.sleep(self._sweep_every_s)
