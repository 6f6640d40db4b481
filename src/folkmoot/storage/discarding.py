"""Objects that nothing refers to any more: a transaction that takes the last word about one away has it deleted."""

from collections.abc import Awaitable, Callable, Iterable

from folkmoot.storage.database import Write
from folkmoot.storage.jobs import Job, enqueue
from folkmoot.storage.objects import ObjectStore

DELETE_OBJECTS = "media.delete_objects"


async def discard(tx: Write, keys: Iterable[str]) -> None:
    """Have a job delete objects, if this transaction commits."""
    found = list(keys)
    if found:
        await enqueue(tx, DELETE_OBJECTS, {"keys": found})


def object_deleter(objects: ObjectStore) -> Callable[[Job], Awaitable[None]]:
    """The handler of `DELETE_OBJECTS` jobs."""

    async def delete_objects(job: Job) -> None:
        for key in job.payload["keys"]:
            await objects.delete(key)

    return delete_objects
