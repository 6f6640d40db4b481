"""Copies tapes to the object store while Spaces are live and afterwards: a task of the worker.

Which tapes: those of recorded Spaces, live or kept. A store that is away is tried again, ever more seldom; nothing
waits for it but the copies. A tape that can't be read is left alone until the next start.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import structlog

from folkmoot.recordings import queries as recordings
from folkmoot.spaces import queries as spaces
from folkmoot.storage.database import Database
from folkmoot.storage.jobs import Job, RetryPolicy
from folkmoot.storage.objects import ObjectStore
from folkmoot.tape import archive, away
from folkmoot.tape.model import TapeError, TapeMissing

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 5.0
LOOK_AGAIN_EVERY_S = 60.0
"""So often at those that are all copied: something may have been taken out of them."""
RETRY = RetryPolicy(first_delay_ms=2_000, delay_ms_max=120_000)
_DAY_MS = 86_400_000


def remote_store(location: str) -> ObjectStore | None:
    """The store that tapes are copied to, and this process's way to what is only there; None for a local folder."""
    if "://" not in location:
        return None
    store = ObjectStore.open(location)
    away.fetch_with(store.read)
    return store


class Archivist:
    """Makes its rounds until cancelled."""

    def __init__(
        self,
        database: Database,
        tapes: Path,
        store: ObjectStore,
        local_days: int,
        clock_s: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._tapes = tapes
        self._store = store
        self._local_ms = local_days * _DAY_MS
        self._complete: dict[int, int] = {}  # how the folder looked when all of it was copied
        self._given_up: set[int] = set()
        self._failures = 0
        self._clock_s = clock_s
        self._chance = chance
        self._look_again_due_s = 0.0

    async def run(self) -> None:
        while True:
            pause_s = LOOK_EVERY_S
            try:
                if await self.round():
                    pause_s = 0
                self._failures = 0
            except Exception as error:
                # The store or the database is away: the talks go on, and the copies are made later.
                self._failures += 1
                pause_s = RETRY.delay_ms(self._failures, self._chance()) / 1000
                log.warning("archive.failed", error=_first_line(error), again_in_s=round(pause_s))
            await asyncio.sleep(pause_s)

    async def round(self) -> bool:
        """A step for every tape that has something to copy or to release; whether there is more to copy."""
        async with self._database.read() as read:
            live = [space.id for space in await spaces.by_ids(read, await spaces.live_ids(read)) if space.recorded]
            kept = await recordings.kept(read)
            now_ms = read.now_ms
        waiting = 0
        for space_id in [*live, *self._to_look_at(kept)]:
            waiting += await self._step(space_id)
        for space_id, closed_at_ms in kept.items():
            if now_ms - closed_at_ms >= self._local_ms and space_id in self._complete:
                await self._release(space_id)
        return waiting > 0

    def _to_look_at(self, kept: Iterable[int]) -> list[int]:
        """Thousands of old recordings are not looked through all the time."""
        if self._clock_s() < self._look_again_due_s:
            return [space_id for space_id in kept if space_id not in self._complete]
        self._look_again_due_s = self._clock_s() + LOOK_AGAIN_EVERY_S
        return list(kept)

    async def _step(self, space_id: int) -> int:
        """How many segments of a tape still wait."""
        directory = self._tapes / str(space_id)
        looks = await asyncio.to_thread(_looks, directory)
        if space_id in self._given_up or looks is None or self._complete.get(space_id) == looks:
            return 0
        try:
            progress = await archive.copy_some(directory, self._store)
        except (TapeMissing, FileNotFoundError):
            return 0  # not begun, or deleted just now
        except TapeError:
            log.exception("archive.tape_unreadable", space=space_id)
            self._given_up.add(space_id)
            return 0
        if progress.copied:
            log.info("archive.copied", space=space_id, objects=progress.copied, waiting=progress.waiting)
        if progress.complete and (looks := await asyncio.to_thread(_looks, directory)) is not None:
            log.info("archive.complete", space=space_id)
            self._complete[space_id] = looks
        return progress.waiting

    async def _release(self, space_id: int) -> None:
        directory = self._tapes / str(space_id)
        freed = await archive.release(directory, self._store, time.time())
        if freed:
            log.info("archive.released", space=space_id, freed_mb=round(freed / 1e6, 1))
            looks = await asyncio.to_thread(_looks, directory)
            self._complete[space_id] = looks or 0


def archived_tape_deleter(
    delete_here: Callable[[Job], Awaitable[None]], store: ObjectStore
) -> Callable[[Job], Awaitable[None]]:
    """The handler of `DELETE_TAPE` jobs where tapes are copied: first here, then there."""

    async def delete_tape(job: Job) -> None:
        await delete_here(job)
        await archive.delete(store, str(int(job.payload["space"])))

    return delete_tape


def _looks(directory: Path) -> int | None:
    """Changes whenever a file in the folder is written to; None without the folder."""
    try:
        return hash(tuple(sorted((entry.name, entry.stat().st_mtime_ns) for entry in directory.iterdir())))
    except FileNotFoundError:
        return None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
