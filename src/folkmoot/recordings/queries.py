"""Reads of recordings."""

from collections.abc import Collection

from sqlalchemy import select

from folkmoot.recordings.model import Recording
from folkmoot.spaces.model import Space, SpaceState
from folkmoot.storage.database import Read
from folkmoot.storage.tables import recordings, spaces


async def of_spaces(read: Read, of: Collection[Space]) -> list[Recording]:
    """The recordings that there are, and that nobody deleted. One statement."""
    by_id = {space.id: space for space in of}
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


async def of_space(read: Read, space: Space) -> Recording | None:
    found = await of_spaces(read, [space])
    return found[0] if found else None


async def is_closed(read: Read, space_id: int) -> bool:
    """Whether the tape of a Space is finished, kept or not."""
    statement = select(recordings.c.space_id).where(recordings.c.space_id == space_id)
    return (await read.connection.execute(statement)).first() is not None
