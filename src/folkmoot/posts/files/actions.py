"""Writes of files."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import delete, insert, select, update

from folkmoot.gate import Acting, Refused, invalid
from folkmoot.media.depot import Made, Stored
from folkmoot.posts import rules
from folkmoot.posts.files import queries
from folkmoot.posts.files.model import Media, MediaDetails, details_of
from folkmoot.storage.discarding import discard
from folkmoot.storage.jobs import enqueue
from folkmoot.storage.tables.posts import media

PROCESS = "media.process"
QUEUE = "media"
"""One file at a time: the rest of the machine is for live sound."""
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
    """Delete the rows of files that have hung on no post for a day, and have a job delete their bytes. Of those
    that a report is about, too, or their owner could tell them from others by asking; `discard` spares the bytes.

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
    forgetting = (
        delete(media)
        .where(media.c.id.in_(unattached))
        .returning(media.c.object_key, media.c.clip_id, media.c.details["preview"].label("preview"))
    )
    rows = (await acting.tx.connection.execute(forgetting)).all()
    previews = [row.preview["key"] for row in rows if row.preview]
    await discard(acting.tx, [*(row.object_key for row in rows), *previews])
    return [row.clip_id for row in rows]


async def delete_own(acting: Acting, media_id: int) -> int | None:
    """Delete one of the actor's own files, which hangs on no post; return the clip that it was.

    Raises Refused: 404 for another's, or none; 422 for one that a post shows or waits with.
    """
    file = await _own(acting, media_id)
    free = media.c.post_id.is_(None) & media.c.scheduled_id.is_(None)
    deleted = await acting.tx.connection.execute(delete(media).where(media.c.id == media_id, free))
    if not deleted.rowcount:
        raise Refused("validation_failed", "Media attachment is currently used by a status", status=422)
    await discard(acting.tx, file.keys)
    return file.clip_id


async def add_upload(acting: Acting, file: Media) -> None:
    """Enter an upload that was stored as it came, and have a job process it."""
    await add(acting, file)
    await enqueue(acting.tx, PROCESS, {"media": str(file.id)}, queue=QUEUE)


async def note_progress(acting: Acting, media_id: int, percent: int) -> None:
    """Say how far the job is. Nothing happens to a file that it is not about any more."""
    file = await queries.by_id(acting.tx, media_id)
    if file is not None and file.details.percent is not None:
        await _set_details(acting, media_id, replace(file.details, percent=percent))


async def complete(acting: Acting, media_id: int, made: Made) -> bool:
    """Put what was made in the place of the upload. False if the file was deleted meanwhile: then that goes."""
    file = await queries.by_id(acting.tx, media_id)
    if file is None or file.details.percent is None:
        await discard(acting.tx, made.keys if file is None else [])
        return False
    await acting.tx.connection.execute(
        update(media)
        .where(media.c.id == media_id)
        .values(
            kind=made.processed.kind,
            content_type=made.original.content_type,
            object_key=made.original.key,
            size_bytes=made.original.size_bytes,
            details=msgspec.to_builtins(details_of(made, file.details)),
        )
    )
    unused = made.keys[1:] if file.details.preview_version else []
    await discard(acting.tx, [file.object_key, *unused])
    return True


async def fail(acting: Acting, media_id: int, why: str) -> None:
    """Say that nothing can be made of an upload. The row stays for its owner to read that, for a day."""
    file = await queries.by_id(acting.tx, media_id)
    if file is not None and file.details.percent is not None:
        await _set_details(acting, media_id, replace(file.details, percent=None, failure=why))


async def set_focus(acting: Acting, media_id: int, focus: tuple[float, float]) -> bool:
    """Say what is to stay in view of one of the actor's own files; whether that is something else than before.
    Raises Refused 404."""
    file = await _own(acting, media_id)
    await _set_details(acting, media_id, replace(file.details, focus=focus))
    return file.details.focus != focus


async def set_preview(acting: Acting, media_id: int, preview: Stored, blurhash: str | None) -> None:
    """Show a picture of its owner's choice for one of the actor's own files. Raises Refused 404."""
    file = await _own(acting, media_id)
    former = file.details.preview
    version = file.details.preview_version + 1
    details = replace(file.details, preview=preview, preview_version=version, blurhash=blurhash)
    await _set_details(acting, media_id, details)
    if former is not None:
        await discard(acting.tx, [former.key])


def require_no_post(file: Media | None) -> None:
    """Raises Refused 404 for what a post shows, or showed: its history would say what wasn't said."""
    if file is None or file.post_id is not None:
        raise Refused("not_found", "Record not found", status=404)


async def _own(acting: Acting, media_id: int) -> Media:
    file = await queries.by_id(acting.tx, media_id)
    if file is None or file.account_id != acting.actor_id:
        raise Refused("not_found", "Record not found", status=404)
    return file


async def _set_details(acting: Acting, media_id: int, details: MediaDetails) -> None:
    await acting.tx.connection.execute(
        update(media).where(media.c.id == media_id).values(details=msgspec.to_builtins(details))
    )


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
    own = await acting.tx.connection.execute(
        select(media.c.kind, media.c.details).where(
            media.c.id.in_(media_ids), media.c.account_id == acting.actor_id
        )
    )
    _require_attachable([(row.kind, row.details) for row in own])
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
        .returning(media.c.kind, media.c.details)
    )
    rows = kept.all()
    if len(rows) != len(media_ids):
        raise _unattachable()
    _require_attachable([(row.kind, row.details) for row in rows])


async def release(acting: Acting, scheduled_id: int) -> None:
    """Keep them no longer: the post comes now, or not at all. They are as files that are new."""
    await acting.tx.connection.execute(
        update(media)
        .where(media.c.scheduled_id == scheduled_id)
        .values(scheduled_id=None, created_at_ms=acting.now_ms)
    )


def _require_attachable(files: Collection[tuple[str, Any]]) -> None:
    """By kind and details."""
    if not all(msgspec.convert(details, MediaDetails).is_ready for _, details in files):
        sentence = "Cannot attach files that have not finished processing. Try again in a moment!"
        raise Refused("validation_failed", sentence, status=422)
    rules.require_attachable([kind for kind, _ in files])


def _unattachable() -> Refused:
    return invalid("A media file does not exist or is attached to another post")
