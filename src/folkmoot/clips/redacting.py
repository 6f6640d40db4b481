"""What was decided to be taken out leaves every copy that this server has: the tape, and every clip.

Each step can be done again, and is: at once by the request that decided, and later by a job, which is the one that
finishes after a crash. The tape goes first, for clips are cut anew from it.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from folkmoot.clips import queries as clips
from folkmoot.clips.cutting import CutSound, waveform_step_ms
from folkmoot.clips.model import Clip
from folkmoot.gate import Acting, Action, Gate, Refused
from folkmoot.posts.files import actions as files
from folkmoot.posts.files import queries as file_queries
from folkmoot.posts.files.model import Media, TakenOut
from folkmoot.recordings import queries, redacting, rules
from folkmoot.recordings.model import Redaction
from folkmoot.spaces import queries as spaces
from folkmoot.storage.database import Read
from folkmoot.storage.jobs import Job
from folkmoot.storage.objects import ObjectStore
from folkmoot.tape import layout
from folkmoot.tape import redactions as journal
from folkmoot.tape.clip_silence import silenced
from folkmoot.tape.cut import MEDIA_TYPE, cut_clip
from folkmoot.tape.model import TapeError, TapeMissing
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.redact import reaches, redact
from folkmoot.tape.waveform import waveform

_BY = "redaction"
_LOOK_AGAIN_S = 0.02
_GROWS_S = 1.0

Result = TypeVar("Result")


class Carrying(msgspec.Struct, frozen=True):
    """Carries out what `recordings/redacting.py` decided; one in each process that does."""

    gate: Gate
    objects: ObjectStore
    tapes_directory: Path

    async def carry_out(self, space_id: int) -> None:
        """Make the tape and the clips of a Space follow every decision. Raises TapeError, OSError: try again."""
        async with _alone(self._place(space_id)):
            await self._carry_out_on_tape(space_id)
        # One at a time: what was cut before a later decision must not be put in the place of what was cut after it.
        async with _alone(self.tapes_directory):
            async with self.gate.database.read() as read:
                decided = [one for one in await _decided(read, space_id) if one.applied_at_ms is not None]
                behind = await _behind(read, space_id, decided)
            await self._recut_each(behind)

    async def take_back(self, space_id: int, account_id: int, seats: Sequence[int]) -> list[Redaction]:
        """Take out what was said from seats whose speaker took their consent back; returns what was decided now."""
        async with _alone(self._place(space_id)):
            ranges = await _in_thread(_spoken, self.tape(space_id), seats)
            async with self.gate.database.read() as read:
                known = [(one.from_ms, one.to_ms) for one in await _decided(read, space_id)]
            missing = await _in_thread(rules.without, ranges, known)
            permit = self.gate.permit_system(Action.TAKE_BACK_CONSENT, _BY)
            decided: list[Redaction] = []
            if missing:
                decided = await self.gate.act(
                    permit, lambda acting: redacting.redact_speech(acting, space_id, account_id, missing)
                )
        await self.carry_out(space_id)
        return decided

    async def sound_ms(self, space_id: int) -> int:
        """How much sound of a Space there is, or was before its recording was deleted. Raises Refused 410."""
        try:
            return await asyncio.to_thread(_end_ms, self.tape(space_id))
        except TapeError:
            async with self.gate.database.read() as read:
                space = await spaces.by_id(read, space_id)
                recording = await queries.of_space(read, space, even_deleted=True) if space is not None else None
        if recording is None:
            raise Refused("no_recording", "There is no sound of this Space here.", status=410)
        return recording.duration_ms

    def tape(self, space_id: int) -> Path:
        return self.tapes_directory / str(space_id)

    async def run_redact(self, job: Job) -> None:
        """The handler of `REDACT` jobs."""
        await self.carry_out(int(job.payload["space"]))

    async def run_take_back(self, job: Job) -> None:
        """The handler of `TAKE_BACK` jobs."""
        await self.take_back(int(job.payload["space"]), int(job.payload["account"]), job.payload["seats"])

    async def _carry_out_on_tape(self, space_id: int) -> None:
        """All that is waiting at once: who comes second finds it done."""
        async with self.gate.database.read() as read:
            waiting = [one for one in await _decided(read, space_id) if one.applied_at_ms is None]
        if not waiting:
            return
        to_ms = max(one.to_ms for one in waiting)
        await _grown(self.tape(space_id), to_ms)
        until_ms = await _in_thread(_redact_tape, self.tape(space_id), waiting)
        done = [one.id for one in waiting if one.to_ms <= until_ms]
        if done:
            await self._act(lambda acting: redacting.mark_applied(acting, space_id, done))
        if until_ms < to_ms:
            raise TapeError("the sound does not go on to where a range ends that is to be taken out")

    def _place(self, space_id: int) -> Path:
        """What is locked for one Space's redactions. The folder itself is locked by who writes the tape."""
        header = layout.header_path(self.tape(space_id))
        return header if header.exists() else self.tapes_directory

    async def _recut_each(self, behind: Iterable[tuple[Clip, Media, Sequence[Redaction]]]) -> None:
        """One that can't be cut keeps no other audible. Raises the first one's error, once all were tried."""
        failed: Exception | None = None
        for clip, file, missing in behind:
            try:
                await self._recut(clip, file, missing)
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed

    async def _recut(self, clip: Clip, file: Media, missing: Sequence[Redaction]) -> None:
        """The same file under the same key, without what was taken out."""
        taken_out = (*file.details.taken_out, *marks(clip.start_ms, clip.end_ms, missing))
        try:
            sound = await _in_thread(_cut_anew, self.tape(clip.space_id), clip, file)
        except TapeError:
            try:
                old = await self.objects.get(file.object_key)
            except FileNotFoundError:
                return  # neither tape nor file: nothing of it is left
            sound = await _in_thread(_silenced, clip, file, old, missing)
        await self.objects.put(file.object_key, sound.content, sound.content_type)
        details = replace(
            file.details,
            waveform=sound.waveform,
            waveform_step_ms=sound.waveform_step_ms,
            taken_out=tuple(sorted(taken_out, key=lambda one: one.from_ms)),
        )
        await self._act(lambda acting: files.replace_sound(acting, file.id, len(sound.content), details))

    async def _act(self, work: Callable[[Acting], Awaitable[None]]) -> None:
        await self.gate.act(self.gate.permit_system(Action.REDACT, _BY), work)


def marks(start_ms: int, end_ms: int, redactions: Iterable[Redaction]) -> list[TakenOut]:
    """What was taken out of a range, as places in a file that begins with it."""
    return [
        TakenOut(
            id=str(one.id),
            from_ms=max(one.from_ms, start_ms) - start_ms,
            to_ms=min(one.to_ms, end_ms) - start_ms,
            kind=one.reason.value,
            sentence=one.reason.sentence,
            by_role=one.by_role.value,
            at_ms=one.decided_at_ms,
        )
        for one in redactions
        if one.overlaps(start_ms, end_ms)
    ]


async def _decided(read: Read, space_id: int) -> list[Redaction]:
    return (await queries.redactions_of(read, [space_id]))[space_id]


@contextlib.asynccontextmanager
async def _alone(place: Path) -> AsyncIterator[None]:
    """Nobody else is here meanwhile, in whichever process; a lock that its holder's death opens."""
    lock = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_LOOK_AGAIN_S)
        yield
    finally:
        os.close(lock)


async def _behind(
    read: Read, space_id: int, decided: Sequence[Redaction]
) -> list[tuple[Clip, Media, list[Redaction]]]:
    """The clips in whose files something is still to be heard, and what."""
    if not decided:
        return []
    from_ms, to_ms = decided[0].from_ms, max(one.to_ms for one in decided)
    found = {clip.id: clip for clip in await clips.overlapping(read, space_id, from_ms, to_ms)}
    behind = []
    for file in await file_queries.of_clips(read, found):
        assert file.clip_id is not None
        clip, known = found[file.clip_id], {one.id for one in file.details.taken_out}
        missing = [one for one in decided if one.overlaps(clip.start_ms, clip.end_ms) and str(one.id) not in known]
        if missing:
            behind.append((clip, file, missing))
    return behind


def _end_ms(directory: Path) -> int:
    with TapeReader(directory) as reader:
        return reader.end_ms


async def _grown(directory: Path, to_ms: int) -> None:
    """Until a live tape has gone on to where a range is out as a whole, or doesn't go on: two steps, as a rule."""
    with contextlib.suppress(TapeError, TimeoutError):
        async with asyncio.timeout(_GROWS_S):
            while True:
                if await _in_thread(reaches, directory, to_ms):
                    return
                await asyncio.sleep(_LOOK_AGAIN_S)


def _redact_tape(directory: Path, waiting: Sequence[Redaction]) -> int:
    """Until when (ms) nothing is left. Of a tape that is gone there is nothing to take out; clips of it may be."""
    decisions = [
        journal.Redaction(
            id=str(one.id),
            from_ms=one.from_ms,
            to_ms=one.to_ms,
            reason=one.reason.value,
            by=one.by_role.value,
            at_unix_ms=one.decided_at_ms,
        )
        for one in waiting
    ]
    try:
        return redact(directory, *decisions)
    except TapeMissing:
        return max(one.to_ms for one in waiting)


async def _in_thread(work: Callable[..., Result], *arguments: object) -> Result:
    """In one of few threads of their own: taking hours out keeps nobody's sound waiting."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), work, *arguments)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, "redaction")


def _spoken(directory: Path, seats: Sequence[int]) -> list[rules.Range]:
    """Where the seats spoke; nowhere, without a tape."""
    try:
        with TapeReader(directory) as reader:
            return rules.spoken_ranges(reader.speech(0, reader.end_ms), seats, reader.end_ms)
    except TapeMissing:
        return []


def _cut_anew(directory: Path, clip: Clip, file: Media) -> CutSound:
    """From the tape. Raises TapeError where that is gone, or can't be read there."""
    with TapeReader(directory) as reader:
        content = cut_clip(reader, clip.start_ms, clip.end_ms)
        peaks = waveform(reader, clip.start_ms, clip.end_ms, len(file.details.waveform))
    return CutSound(content, MEDIA_TYPE, tuple(peaks), waveform_step_ms(clip.end_ms - clip.start_ms, len(peaks)))


def _silenced(clip: Clip, file: Media, old: bytes, missing: Sequence[Redaction]) -> CutSound:
    """The old file with silence in it."""
    ranges = [(mark.from_ms, mark.to_ms) for mark in marks(clip.start_ms, clip.end_ms, missing)]
    step_ms = file.details.waveform_step_ms
    quiet = tuple(
        0 if any(from_ms < (at + 1) * step_ms and at * step_ms < to_ms for from_ms, to_ms in ranges) else peak
        for at, peak in enumerate(file.details.waveform)
    )
    return CutSound(silenced(old, ranges), MEDIA_TYPE, quiet, step_ms)
