"""Reads of recordings."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, select

from folkmoot.recordings.model import ByRole, Reason, Recording, Redaction
from folkmoot.spaces.model import Space, SpaceState
from folkmoot.storage.among import among_given
from folkmoot.storage.database import Read
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.spaces import recordings, redactions, spaces


async def of_spaces(read: Read, of: Collection[Space], *, even_deleted: bool = False) -> list[Recording]:
    """The recordings that there are, and that nobody deleted: of those, clips may be left. One statement."""
    by_id = {space.id: space for space in of}
    if not by_id:
        return []
    statement = select(recordings).where(recordings.c.space_id.in_(by_id))
    if not even_deleted:
        statement = statement.where(recordings.c.deleted_at_ms.is_(None))
    rows = await read.connection.execute(statement)
    return [
        Recording(
            space=by_id[row.space_id],
            duration_ms=row.duration_ms,
            closed_at_ms=row.closed_at_ms,
            replay_start_ms=row.replay_start_ms,
            replay_end_ms=row.duration_ms if row.replay_end_ms is None else row.replay_end_ms,
        )
        for row in rows
    ]


async def kept(read: Read) -> dict[int, int]:
    """The Spaces whose recording is kept, and since when (Unix ms)."""
    statement = select(recordings.c.space_id, recordings.c.closed_at_ms).where(recordings.c.deleted_at_ms.is_(None))
    return {row.space_id: row.closed_at_ms for row in await read.connection.execute(statement)}


async def unclosed_space_ids(read: Read) -> list[int]:
    """Spaces that ended and whose tape nobody has closed yet."""
    statement = (
        select(spaces.c.id)
        .outerjoin(recordings, recordings.c.space_id == spaces.c.id)
        .where(spaces.c.state == SpaceState.ENDED.value, recordings.c.space_id.is_(None))
    )
    return list((await read.connection.execute(statement)).scalars())


async def of_space(read: Read, space: Space, *, even_deleted: bool = False) -> Recording | None:
    found = await of_spaces(read, [space], even_deleted=even_deleted)
    return found[0] if found else None


async def is_closed(read: Read, space_id: int) -> bool:
    """Whether the tape of a Space is finished, kept or not."""
    statement = select(recordings.c.space_id).where(recordings.c.space_id == space_id)
    return (await read.connection.execute(statement)).first() is not None


async def redactions_of(
    read: Read, space_ids: Collection[int], most: int | None = None
) -> dict[int, list[Redaction]]:
    """What was decided to be taken out of each Space, in order of the timeline, `most` of each. One statement."""
    found: dict[int, list[Redaction]] = {space_id: [] for space_id in space_ids}
    if found:
        if most is None:
            rows = await _REDACTIONS.rows(read, spaces=found)
        else:
            rows = list(await read.connection.execute(_first_redactions(found, most)))
        for row in rows:
            found[row.space_id].append(_redaction(row))
    return found


_REDACTIONS = Prepared(
    select(redactions)
    .where(among_given(redactions.c.space_id, "spaces"))
    .order_by(redactions.c.from_ms, redactions.c.id)
)


def _first_redactions(space_ids: Collection[int], most: int) -> Select[Any]:
    order = (redactions.c.from_ms, redactions.c.id)
    place = func.row_number().over(partition_by=redactions.c.space_id, order_by=order).label("place")
    numbered = select(redactions, place).where(redactions.c.space_id.in_(space_ids)).subquery()
    return select(numbered).where(numbered.c.place <= most).order_by(numbered.c.from_ms, numbered.c.id)


def _redaction(row: Any) -> Redaction:
    return Redaction(
        id=row.id,
        space_id=row.space_id,
        from_ms=row.from_ms,
        to_ms=row.to_ms,
        reason=Reason(row.reason),
        by_role=ByRole(row.by_role),
        decided_by=row.decided_by,
        decided_at_ms=row.decided_at_ms,
        applied_at_ms=row.applied_at_ms,
    )
