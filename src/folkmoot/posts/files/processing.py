"""What becomes of an upload: processed at once, or by a job that goes on after a crash; then its pieces are stored.

Each step can be done again: keys are made of the file's id, and what was stored is what the row says last.
"""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from folkmoot.gate import Acting, Action, Gate
from folkmoot.media.model import Piece, Processed, Purpose, Unusable
from folkmoot.media.processing import FILM_WITHIN_S, PICTURE_WITHIN_S, SOURCE, Watch, Workshop
from folkmoot.posts.files import actions, queries
from folkmoot.posts.files.model import Media, MediaDetails, Stored
from folkmoot.storage.jobs import Job
from folkmoot.storage.objects import ObjectStore

PROGRESS_EVERY_MS = 1_000
_BY = "worker: media"


class Processing(msgspec.Struct, frozen=True):
    """One in each process that takes or processes uploads."""

    objects: ObjectStore
    workshop: Workshop

    async def at_once(self, upload: BinaryIO, purpose: Purpose, folder: str) -> tuple[Processed, Made]:
        """Process a picture while its sender waits, and store it below a folder. Raises Unusable, OSError."""
        async with self.workshop.bench() as bench:
            await asyncio.to_thread(_copy, upload, bench / SOURCE)
            processed = await self.workshop.process(bench, purpose, PICTURE_WITHIN_S)
            return processed, await self.store(bench, folder, processed)

    async def keep(self, upload: BinaryIO, key: str) -> int:
        """Store an upload as it came, for the job; return its size in bytes."""
        async with self.workshop.bench() as bench:
            await asyncio.to_thread(_copy, upload, bench / SOURCE)
            await self.objects.put(key, bench / SOURCE, "application/octet-stream")
            return (bench / SOURCE).stat().st_size

    async def later(self, gate: Gate, clock_ms: Callable[[], int], job: Job) -> None:
        """The handler of `actions.PROCESS` jobs."""
        async with gate.database.read() as read:
            file = await queries.by_id(read, int(job.payload["media"]))
