"""Objects that nothing refers to any more: a transaction that takes the last word about one away has it deleted."""

from collections.abc import Awaitable, Callable, Iterable

from sqlalchemy import select

from folkmoot.storage.database import Write
from folkmoot.storage.jobs import Job, enqueue
from folkmoot.storage.objects import ObjectStore
from folkmoot.storage.tables.moderation import reported_files

DELETE_OBJECTS = "media.delete_objects"


async def discard(tx: Write, keys: Iterable[str]) -> None:
    """Have a job delete objects, if this transaction commits; those that a report is about only once that is
    forgotten (moderation/reports/kept.py)."""
    found = list(keys)
    if not found:
        return
    reported = select(reported_files.c.object_key).where(reported_files.c.object_key.in_(found))
    kept = set((await tx.connection.execute(reported)).scalars())
    free = [key for key in found if key not in kept]
    if free:
        await enqueue(tx, DELETE_OBJECTS, {"keys": free})


def object_deleter(objects: ObjectStore) -> Callable[[Job], Awaitable[None]]:
    """The handler of `DELETE_OBJECTS` jobs."""

    async def delete_objects(job: Job) -> None:
        for key in job.payload["keys"]:
            await objects.delete(key)

    return delete_objects
