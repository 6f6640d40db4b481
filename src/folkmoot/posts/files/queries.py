"""Reads of files: rows for the gate. One statement each, and another where a closed Space's conversation is among
them."""

from collections.abc import Collection, Mapping
from functools import cache
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Select, and_, func, select

from folkmoot.posts import circles
from folkmoot.posts.files.model import Media, MediaDetails
from folkmoot.posts.model import Circle, Visibility
from folkmoot.storage.among import among_given
from folkmoot.storage.database import Read
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.posts import media, posts


def _rows() -> Select[Any]:
    attached = media.outerjoin(posts, and_(posts.c.id == media.c.post_id, posts.c.deleted_at_ms.is_(None)))
    return select(media, posts.c.visibility, posts.c.mentions, *circles.COLUMNS).select_from(
        circles.with_circle(attached)
    )


async def _asked(read: Read, statement: Select[Any]) -> list[Media]:
    return await _found(read, (await read.connection.execute(statement)).all())


async def _found(read: Read, selected: Collection[Any]) -> list[Media]:
    known = await circles.circles(read, selected)
    return [_from_row(row, known) for row in selected]


def _from_row(row: Any, known: Mapping[int, Circle]) -> Media:
    return Media(
        id=row.id,
        account_id=row.account_id,
        kind=row.kind,
        content_type=row.content_type,
        object_key=row.object_key,
        size_bytes=row.size_bytes,
        description=row.description,
        details=msgspec.convert(row.details, MediaDetails),
        created_at_ms=row.created_at_ms,
        post_id=row.post_id,
        clip_id=row.clip_id,
        post_visibility=Visibility(row.visibility) if row.visibility else None,
        post_mentions=tuple(row.mentions or ()),
        post_circle=known.get(row.circle_id),
    )


async def by_id(read: Read, media_id: int) -> Media | None:
    files = await _asked(read, _rows().where(media.c.id == media_id))
    return files[0] if files else None


async def by_ids(read: Read, media_ids: Collection[int]) -> list[Media]:
    """Attached or not, in no order."""
    return await _asked(read, _rows().where(media.c.id.in_(media_ids))) if media_ids else []


async def of_clips(read: Read, clip_ids: Collection[int]) -> list[Media]:
    """The files that clips are, attached or not. One statement."""
    return await _asked(read, _rows().where(media.c.clip_id.in_(clip_ids))) if clip_ids else []


async def of_posts(
    read: Read, post_ids: Collection[int], *, with_taken_out: bool = False
) -> dict[int, list[Media]]:
    """The attachments of each post, in their order. `with_taken_out`: also those that edits took out of it."""
    if not post_ids:
        return {}
    files = await _found(read, await _of_posts(with_taken_out).rows(read, ids=post_ids))
    return {
        post_id: list(attached)
        for post_id, attached in groupby(files, lambda one: one.post_id)
        if post_id is not None
    }


@cache
def _of_posts(with_taken_out: bool) -> Prepared:
    attached = _rows().where(among_given(media.c.post_id, "ids"))
    shown = attached if with_taken_out else attached.where(media.c.position >= 0)
    return Prepared(shown.order_by(media.c.post_id, media.c.position, media.c.id))


class Usage(msgspec.Struct, frozen=True):
    """How much room one kind of files takes."""

    kind: str
    files: int
    bytes: int


async def usage(read: Read) -> list[Usage]:
    """Of all files, by kind, with their previews. Reads every row: for an operator, now and then."""
    preview = func.coalesce(media.c.details[("preview", "size_bytes")].as_integer(), 0)
    by_kind = select(media.c.kind, func.count(), func.sum(media.c.size_bytes + preview)).group_by(media.c.kind)
    rows = await read.connection.execute(by_kind.order_by(media.c.kind))
    return [Usage(kind, count, int(size_bytes)) for kind, count, size_bytes in rows]
