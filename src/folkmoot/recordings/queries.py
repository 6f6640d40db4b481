"""Reads of recordings."""

from collections.abc import Collection

from sqlalchemy import select

from folkmoot.recordings.model import Recording
from folkmoot.spaces.model import Space
from folkmoot.storage.database import Read
from folkmoot.storage.tables import recordings


async def of_spaces(read: Read, spaces: Collection[Space]) -> list[Recording]:
    """The recordings that there are, and that nobody deleted. One statement."""
    by_id = {space.id: space for space in spaces}
    if not by_id:
        return []
    rows = await read.connection.execute(
        select(recordings).where(recordings.c.space_id.in_(by_id), recordings.c.deleted_at_ms.is_(None))
    )
    return [
        Recording(
            space=by_id[row.space_id],
            duration_ms=row.duration_ms,
            closed_at_ms=row.closed_at_ms,
            replay_start_ms=row.replay_start_ms,
        )
        for row in rows
    ]


async def of_space(read: Read, space: Space) -> Recording | None:
    found = await of_spaces(read, [space])
    return found[0] if found else None
