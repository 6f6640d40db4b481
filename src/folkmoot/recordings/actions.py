"""Writes of recordings. The files of a tape are removed by a job, after the decision is committed."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import insert, update

from folkmoot.gate import Acting, Action, Kind, Refused, Subject, subjects
from folkmoot.recordings import queries, rules
from folkmoot.recordings.model import Recording
from folkmoot.spaces import queries as space_queries
from folkmoot.spaces.model import Space, SpaceState
from folkmoot.storage.events import emit
from folkmoot.storage.jobs import Job, enqueue
from folkmoot.storage.tables.spaces import recordings

RECORDING_CLOSED = "recording.closed"
RECORDING_CHANGED = "recording.changed"
RECORDING_DELETED = "recording.deleted"
DELETE_TAPE = "recordings.delete_tape"


async def close_recording(acting: Acting, space_id: int, duration_ms: int) -> None:
    """Finish the tape of a Space that has ended: it is kept, or removed if the Space was not to be recorded.

    Doing it again changes nothing. Acts for the system. Raises Refused 404 without such a Space.
    """
    space = await _ended(acting, space_id)
    if await queries.is_closed(acting.tx, space_id):
        return
    kept = space.recorded and duration_ms > 0
    await acting.tx.connection.execute(
        insert(recordings).values(
            space_id=space_id,
            duration_ms=duration_ms,
            closed_at_ms=acting.now_ms,
            deleted_at_ms=None if kept else acting.now_ms,
        )
    )
    if not kept:
        await enqueue(acting.tx, DELETE_TAPE, {"space": str(space_id)})
    await emit(acting.tx, RECORDING_CLOSED, {"space": str(space_id), "kept": kept, "duration_ms": duration_ms})


async def trim_replay(
    acting: Acting, space_id: int, start_ms: int | None = None, end_ms: int | None = None
) -> Recording:
    """Let the replay begin later or end earlier; nothing is removed, and it can be moved back. None: as it is.

    Raises Refused.
    """
    recording = await _own(acting, space_id)
    start_ms = recording.replay_start_ms if start_ms is None else start_ms
    end_ms = recording.replay_end_ms if end_ms is None else end_ms
    rules.require_trim(start_ms, end_ms, recording.duration_ms)
    values = {"replay_start_ms": start_ms, "replay_end_ms": end_ms}
    await acting.tx.connection.execute(update(recordings).where(recordings.c.space_id == space_id).values(**values))
    await emit(acting.tx, RECORDING_CHANGED, {"space": str(space_id), **values})
    return replace(recording, **values)


async def delete_recording(acting: Acting, space_id: int) -> None:
    """Delete a recording for good, as its host. Clips that others made of it are theirs. Raises Refused."""
    await _own(acting, space_id)
    await forget_recording(acting, space_id)


async def forget_recording(acting: Acting, space_id: int) -> None:
    """The same for whoever has looked at who may: nothing happens where there is none."""
    there_is = (recordings.c.space_id == space_id) & recordings.c.deleted_at_ms.is_(None)
    deleted = await acting.tx.connection.execute(
        update(recordings).where(there_is).values(deleted_at_ms=acting.now_ms)
    )
    if deleted.rowcount:
        await enqueue(acting.tx, DELETE_TAPE, {"space": str(space_id)})
        await emit(acting.tx, RECORDING_DELETED, {"space": str(space_id)})


def tape_deleter(tapes_directory: Path) -> Callable[[Job], Awaitable[None]]:
    """The handler of `DELETE_TAPE` jobs."""

    async def delete_tape(job: Job) -> None:
        # The id is taken for a number before it becomes a path.
        directory = tapes_directory / str(int(job.payload["space"]))
        await asyncio.to_thread(_remove, directory)

    return delete_tape


def _remove(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)


async def _own(acting: Acting, space_id: int) -> Recording:
    space = await _ended(acting, space_id)
    await subjects.require(acting.tx, Subject(Kind.SPACE, space_id), Action.OPEN_SPACE)
    if space.host_id != acting.actor_id:
        raise Refused("not_host", "Only the host can change or delete the recording.")
    recording = await queries.of_space(acting.tx, space)
    if recording is None:
        raise Refused("not_found", "This Space has no recording.", status=404)
    return recording


async def _ended(acting: Acting, space_id: int) -> Space:
    space = await space_queries.by_id(acting.tx, space_id)
    if space is None:
        raise Refused("not_found", "Space not found.", status=404)
    if space.state is not SpaceState.ENDED:
        raise Refused("not_ended", "The Space has not ended yet.", status=422)
    return space
