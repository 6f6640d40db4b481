"""Bytes that nobody claims: what was stored of an upload before its row was refused, or the process killed."""

from collections.abc import Awaitable, Callable

from folkmoot.gate import Acting
from folkmoot.posts.files import queries
from folkmoot.posts.files.model import folder_of, upload_key
from folkmoot.storage.database import Database
from folkmoot.storage.discarding import discard
from folkmoot.storage.jobs import Job, enqueue
from folkmoot.storage.objects import ObjectStore

CLEAR_UNCLAIMED = "media.clear_unclaimed"
CLAIMED_WITHIN_MS = 3_600_000
"""Longer than any upload is under way."""


async def expect(acting: Acting, media_id: int) -> None:
    """Before anything of a file is stored: whatever of it is there later goes, unless the file was entered."""
    due_ms = acting.now_ms + CLAIMED_WITHIN_MS
    await enqueue(acting.tx, CLEAR_UNCLAIMED, {"media": str(media_id)}, run_at_ms=due_ms)


def unclaimed_clearer(database: Database, objects: ObjectStore) -> Callable[[Job], Awaitable[None]]:
    """The handler of `CLEAR_UNCLAIMED` jobs. What of a file that was deleted since is gone already."""

    async def clear(job: Job) -> None:
        media_id = int(job.payload["media"])
        async with database.read() as read:
            if await queries.by_id(read, media_id) is not None:
                return
        stored = [upload_key(media_id), *await objects.keys(folder_of(media_id))]
        await database.write(lambda tx: discard(tx, stored))  # but for what a report is about

    return clear
