"""Reads of clips."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from folkmoot.clips.model import Clip
from folkmoot.storage.among import among_given
from folkmoot.storage.database import Read
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.spaces import clips

_BY_IDS = Prepared(select(clips).where(among_given(clips.c.id, "ids")))


async def by_ids(read: Read, clip_ids: Collection[int]) -> dict[int, Clip]:
    """The clips that exist, by id. One statement."""
    if not clip_ids:
        return {}
    return {row.id: _clip(row) for row in await _BY_IDS.rows(read, ids=clip_ids)}


async def overlapping(read: Read, space_id: int, from_ms: int, to_ms: int) -> list[Clip]:
    """The clips that hold something of a range of a Space, whoever cut them. One statement."""
    rows = await read.connection.execute(
        select(clips)
        .where(clips.c.space_id == space_id, clips.c.start_ms < to_ms, clips.c.end_ms > from_ms)
        .order_by(clips.c.id)
    )
    return [_clip(row) for row in rows]


async def of_account(read: Read, account_id: int, *, max_id: int | None, limit: int) -> list[Clip]:
    """What somebody cut, the newest first."""
    statement = select(clips).where(clips.c.account_id == account_id).order_by(clips.c.id.desc()).limit(limit)
    rows = await read.connection.execute(statement if max_id is None else statement.where(clips.c.id < max_id))
    return [_clip(row) for row in rows]


async def by_id(read: Read, clip_id: int) -> Clip | None:
    return (await by_ids(read, [clip_id])).get(clip_id)


def _clip(row: Any) -> Clip:
    return Clip(
        id=row.id,
        space_id=row.space_id,
        account_id=row.account_id,
        start_ms=row.start_ms,
        end_ms=row.end_ms,
        created_at_ms=row.created_at_ms,
    )
