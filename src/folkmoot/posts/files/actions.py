"""Writes of files."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from sqlalchemy import delete, insert, select, update

from folkmoot.gate import Acting, Refused
from folkmoot.posts import rules
from folkmoot.posts.files import queries
from folkmoot.posts.files.model import Media, MediaDetails
from folkmoot.storage.jobs import Job, enqueue
from folkmoot.storage.objects import ObjectStore
from folkmoot.storage.tables.posts import media

DELETE_OBJECTS = "media.delete_objects"
TAKEN_OUT = -1
"""The position of a file that an edit took out of its post: the history shows it, the post doesn't."""
UNATTACHED_LASTS_MS = 24 * 3600 * 1000


async def describe(acting: Acting, media_id: int, description: str) -> Media:
    """Change the description of one of the actor's own files. Raises Refused 404 and 422."""
    clean = rules.clean_description(description)
    changed = await acting.tx.connection.execute(
        update(media).where(media.c.id == media_id, media.c.account_id == acting.actor_id).values(description=clean)
    )
    kept = await queries.by_id(acting.tx, media_id) if changed.rowcount else None
    if kept is None:
        raise Refused("not_found", "Media not found.", status=404)
    return kept


async def add(acting: Acting, file: Media) -> None:
    """Enter a file that was stored, unattached."""
    await acting.tx.connection.execute(
        insert(media).values(
            id=file.id,
            account_id=file.account_id,
            kind=file.kind,
            content_type=file.content_type,
            object_key=file.object_key,
            size_bytes=file.size_bytes,
            description=file.description,
            details=msgspec.to_builtins(file.details),
            clip_id=file.clip_id,
            created_at_ms=file.created_at_ms,
        )
    )


async def replace_sound(acting: Acting, media_id: int, size_bytes: int, details: MediaDetails) -> None:
    """Say what is there now under a file's key, after something was taken out of it."""
    await acting.tx.connection.execute(
        update(media)
        .where(media.c.id == media_id)
        .values(size_bytes=size_bytes, details=msgspec.to_builtins(details))
    )


async def forget_unattached(acting: Acting, count_max: int) -> list[int | None]:
    """Delete the rows of files that have hung on no post for a day, and have a job delete their bytes.

    Returns the clip that each file was, None for other files.
    """
    unattached = (
        select(media.c.id)
        .where(
            media.c.post_id.is_(None),
            media.c.scheduled_id.is_(None),
            media.c.created_at_ms < acting.now_ms - UNATTACHED_LASTS_MS,
        )
        .limit(count_max)
    )
    forgetting = delete(media).where(media.c.id.in_(unattached)).returning(media.c.object_key, media.c.clip_id)
    rows = (await acting.tx.connection.execute(forgetting)).all()
    if rows:
        await enqueue(acting.tx, DELETE_OBJECTS, {"keys": [row.object_key for row in rows]})
    return [row.clip_id for row in rows]


def object_deleter(objects: ObjectStore) -> Callable[[Job], Awaitable[None]]:
    """The handler of `DELETE_OBJECTS` jobs."""

    async def delete_objects(job: Job) -> None:
        for key in job.payload["keys"]:
            await objects.delete(key)

    return delete_objects


async def detach_all(acting: Acting, post_id: int) -> None:
    """Take the files off a post that is deleted. "Delete and redraft" attaches the same ones again: they are kept
    as long as files that are new."""
    await acting.tx.connection.execute(
        update(media)
        .where(media.c.post_id == post_id)
        .values(post_id=None, position=0, created_at_ms=acting.now_ms)
    )


async def attach(acting: Acting, post_id: int, media_ids: Sequence[int]) -> None:
    """Hang files on a post of the actor's, in this order: only their own, only ones that hang on no other post and
    wait for none.

    The conditions are in the statement itself. Raises Refused 422.
    """
    if not media_ids:
        return
    kinds = await acting.tx.connection.execute(
        select(media.c.kind).where(media.c.id.in_(media_ids), media.c.account_id == acting.actor_id)
    )
    rules.require_attachable(list(kinds.scalars()))
    for position, media_id in enumerate(media_ids):
        attached = await acting.tx.connection.execute(
            update(media)
            .where(media.c.id == media_id, media.c.account_id == acting.actor_id, media.c.scheduled_id.is_(None))
            .where(media.c.post_id.is_(None) | (media.c.post_id == post_id))
            .values(post_id=post_id, position=position)
        )
        if attached.rowcount != 1:
            raise _unattachable()


async def rearrange(acting: Acting, post_id: int, media_ids: Sequence[int]) -> None:
    """Have a post show these files, in this order, after an edit. The others stay with it, for its history."""
    taken_out = (media.c.post_id == post_id) & media.c.id.not_in(media_ids)
    await acting.tx.connection.execute(update(media).where(taken_out).values(position=TAKEN_OUT))
    await attach(acting, post_id, media_ids)


async def reserve(acting: Acting, scheduled_id: int, media_ids: Sequence[int]) -> None:
    """Keep files of the actor's for a post that comes later. Raises Refused 422."""
    free = media.c.post_id.is_(None) & media.c.scheduled_id.is_(None) & (media.c.account_id == acting.actor_id)
    kept = await acting.tx.connection.execute(
        update(media)
        .where(free, media.c.id.in_(media_ids))
        .values(scheduled_id=scheduled_id)
        .returning(media.c.kind)
    )
    kinds = list(kept.scalars())
    if len(kinds) != len(media_ids):
        raise _unattachable()
    rules.require_attachable(kinds)


async def release(acting: Acting, scheduled_id: int) -> None:
    """Keep them no longer: the post comes now, or not at all. They are as files that are new."""
    await acting.tx.connection.execute(
        update(media)
        .where(media.c.scheduled_id == scheduled_id)
        .values(scheduled_id=None, created_at_ms=acting.now_ms)
    )


def _unattachable() -> Refused:
    sentence = "Validation failed: A media file does not exist or is attached to another post"
    return Refused("validation_failed", sentence, status=422)
