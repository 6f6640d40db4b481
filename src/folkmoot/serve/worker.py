"""The worker process: follows events, runs jobs, keeps stages and Spaces in step, prunes what is old."""

import asyncio
import contextlib
import signal
import time

import structlog

from folkmoot.accounts import marks
from folkmoot.accounts.marks import Marks
from folkmoot.gate import Action, Gate
from folkmoot.mail.outbox import Outbox
from folkmoot.mail.smtp import Mailer
from folkmoot.media.processing import Workshop, warn_where_unconfined
from folkmoot.moderation.ends import tell_ended
from folkmoot.moderation.evasion import actions as evasion
from folkmoot.moderation.notices import have_written
from folkmoot.notifications import telling
from folkmoot.notifications.push.actions import places_of
from folkmoot.recordings import actions as recordings
from folkmoot.recordings import queries as recording_queries
from folkmoot.serve.archive import Archivist, remote_store
from folkmoot.serve.consequences import Consequences
from folkmoot.serve.disk import DiskWatch
from folkmoot.serve.jobs import RETRIES, handlers
from folkmoot.serve.mail import letters
from folkmoot.serve.places import Places
from folkmoot.serve.pruning import prune
from folkmoot.serve.signing import TapeSigning
from folkmoot.serve.supervisor import want_stages
from folkmoot.serve.tapes import finish, still_for_ms
from folkmoot.spaces import queries
from folkmoot.spaces.actions import SPACE_CHANGED
from folkmoot.spaces.keeper import StageKeeper
from folkmoot.spaces.model import EndReason
from folkmoot.stage.client import StageClient
from folkmoot.storage import events
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.jobs import Worker as JobWorker
from folkmoot.storage.keys import load_or_create_key
from folkmoot.tape.model import TapeBusy, TapeDamaged, TapeError
from folkmoot.tape.reader import TapeReader

log = structlog.get_logger(__name__)
SLOT = 1
NAME = "worker"
EVENTS_KEPT_MS = 7 * 86_400_000
PRUNE_EVERY_S = 3600.0
ENDS_EVERY_S = 2.0
UNCLOSED_EVERY_S = 10.0
STANDSTILL_MAX_MS = 3_600_000


class WorkerProcess:
    """One per server."""

    def __init__(self, places: Places, base_url: str, mailer: Mailer | None = None) -> None:
        self._places = places
        self._base_url = base_url
        self._mailer = mailer
        self._outbox = Outbox(mailer is not None)
        self._doorbell = Doorbell(places.doorbells)
        self._database = Database(places.database_url, slot=SLOT, ring=self._doorbell.ring)
        self._gate = Gate(self._database)
        self._workshop = Workshop(places.work, at_once_max=1)
        self._telling = telling.Telling(self._gate)
        # Spaces that ended and whose tape a stage still holds; those closed since that was looked up; those whose
        # tape is beyond reading, which nobody tries again.
        self._unclosed: set[int] = set()
        self._closed: set[int] = set()
        self._given_up: set[int] = set()
        self._unclosed_due_s = 0.0
        self._consequences = Consequences(self._gate, self._database)
        self._signing = TapeSigning(places, base_url, self._live_ids)
        self._keeper = StageKeeper(
            self._gate,
            needed=self._needed,
            want=lambda space_ids, wedged: want_stages(places.run, space_ids, wedged),
            connect=lambda space_id: StageClient.connect(places.stage_socket(space_id)),
            ended_tape_ms=self._ended_tape_ms,
            lost_because=self._lost_because,
            on_closed=self._close_recording,
            call_secret=load_or_create_key(places.keys, "listen-tickets"),
        )

    async def run(self) -> None:
        """Until cancelled."""
        follower = events.Follower(
            self._database,
            NAME,
            self.on_event,
            doorbell=self._doorbell,
            start="stored",
            reload=self._consequences.catch_up,
        )
        notifying = events.Follower(
            self._database,
            telling.NAME,
            self._telling.on_event,
            doorbell=self._doorbell,
            start="stored",
            reload=self._telling.missed,
        )
        remote = remote_store(self._places.objects)
        kinds = {
            **handlers(self._gate, self._places, self._base_url, remote, self._workshop),
            **letters(self._gate, self._base_url, self._mailer),
        }
        jobs = JobWorker(self._database, kinds, doorbell=self._doorbell, places=places_of, retries=RETRIES)
        async with self._doorbell.listening(self._places.database_url), asyncio.TaskGroup() as group:
            group.create_task(self._keeper.run())
            group.create_task(follower.run())
            group.create_task(notifying.run())
            group.create_task(jobs.run())
            group.create_task(self._keep_pruning())
            group.create_task(warn_where_unconfined())
            group.create_task(self._mark_mailboxes())
            group.create_task(self._keep_telling_ends())
            group.create_task(self._consequences.keep_sweeping())
            group.create_task(self._signing.run())
            group.create_task(DiskWatch(self._places.tapes, self._live_count).run())
            if remote is not None:
                days = self._places.tape_local_days
                group.create_task(Archivist(self._database, self._places.tapes, remote, days).run())

    async def close(self) -> None:
        await self._database.close()

    async def _needed(self) -> set[int]:
        """Spaces that are live, and those that ended and have a stage yet (looked for seldom)."""
        if time.monotonic() >= self._unclosed_due_s:
            self._unclosed_due_s = time.monotonic() + UNCLOSED_EVERY_S
            await self._close_tapes()
        async with self._database.read() as read:
            return self._unclosed.union(await queries.live_ids(read))

    async def _live_ids(self) -> list[int]:
        async with self._database.read() as read:
            return await queries.live_ids(read)

    async def _live_count(self) -> int:
        return len(await self._live_ids())

    async def _close_tapes(self) -> None:
        """Close the tapes of ended Spaces that no stage has open: it would fill them with silence first."""
        self._closed.clear()
        async with self._database.read() as read:
            unclosed = set(await recording_queries.unclosed_space_ids(read))
        busy = {space_id for space_id in sorted(unclosed - self._given_up) if not await self._closed_here(space_id)}
        self._unclosed = busy - self._closed

    async def _closed_here(self, space_id: int) -> bool:
        """False if a stage has the tape: then that has to end it."""
        try:
            duration_ms = await asyncio.to_thread(finish, self._places.tape(space_id))
        except TapeBusy:
            return False
        except TapeError as error:
            log.exception("worker.tape_not_closed", space=space_id)
            if isinstance(error, TapeDamaged):
                self._given_up.add(space_id)
            return True
        await self._close_recording(space_id, duration_ms)
        return True

    def _ended_tape_ms(self, space_id: int) -> int | None:
        try:
            with TapeReader(self._places.tape(space_id)) as tape:
                return tape.end_ms if tape.ended else None
        except TapeError:
            return None

    def _lost_because(self, space_id: int) -> EndReason | None:
        """A Space that went on after hours of nobody would have them on its tape, as silence."""
        try:
            stood_still_ms = still_for_ms(self._places.tape(space_id), self._database.clock_ms())
        except TapeDamaged:
            reason = EndReason.TAPE_LOST
        else:
            if stood_still_ms <= STANDSTILL_MAX_MS:
                return None
            reason = EndReason.STOOD_STILL
        self._unclosed_due_s = 0.0
        return reason

    async def _close_recording(self, space_id: int, duration_ms: int) -> None:
        await self._signing.sign(space_id)
        permit = self._gate.permit_system(Action.TAKE_PART, "worker: recording closed")
        await self._gate.act(permit, lambda acting: recordings.close_recording(acting, space_id, duration_ms))
        self._unclosed.discard(space_id)
        self._closed.add(space_id)

    async def on_event(self, event: events.Event) -> None:
        """Spaces change, and what happened to an account has consequences in them."""
        if event.kind == SPACE_CHANGED:
            self._keeper.changed(int(event.payload["space"]))
            if any(change["change"] == "redacted" for change in event.payload["changes"]):
                await self._signing.sign(int(event.payload["space"]))
        await self._consequences.on_event(event)
        # The last, for it says that the event is handled.
        await have_written(self._gate, self._outbox, NAME, event)

    async def _mark_mailboxes(self) -> None:
        """Of accounts that are older than the marks: once after an upgrade, and then there is none."""
        known = Marks(load_or_create_key(self._places.keys, marks.KEY))
        permit = self._gate.permit_system(Action.SIGN_IN, "worker: mailboxes")
        while True:
            try:
                while await self._gate.act(permit, lambda acting: evasion.fill_mailboxes(acting, known)):
                    pass
                return
            except Exception:
                log.exception("worker.mailboxes_not_marked")
            await asyncio.sleep(PRUNE_EVERY_S)

    async def _keep_telling_ends(self) -> None:
        """Whose sanction ended hears of it within seconds; what they may do doesn't wait for that."""
        while True:
            try:
                await tell_ended(self._gate)
            except Exception:
                log.exception("worker.ends_not_told")
            await asyncio.sleep(ENDS_EVERY_S)

    async def _keep_pruning(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_S)
            try:
                await events.prune(self._database, self._database.clock_ms() - EVENTS_KEPT_MS)
                await prune(self._gate, reports_kept_days=self._places.reports_kept_days)
                await asyncio.to_thread(self._workshop.sweep, time.time())
            except Exception:
                # A full disk, a database that is away: what is old can wait, and what runs beside this can't.
                log.exception("worker.prune_failed")


def main(places: Places, base_url: str, mailer: Mailer | None) -> None:
    """Run until SIGTERM."""
    asyncio.run(_run(places, base_url, mailer))


async def _run(places: Places, base_url: str, mailer: Mailer | None) -> None:
    worker = WorkerProcess(places, base_url, mailer)
    running = asyncio.create_task(worker.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await worker.close()
