"""Closed segments in the object store: copying, letting go of them here, fetching back.

An object is a segment's chunks as they stand, and behind them its index records in a `free` box, which players
skip. So the objects alone are enough to make the tape's folder anew. Other files (header, checkpoints, journal) are
objects of their own. Everything may be done again at any time, and goes on where a `kill -9` ended it.
"""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import os
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from folkmoot.tape import away, boxes, copies, index, layout
from folkmoot.tape.copies import Copies, Copy, State
from folkmoot.tape.model import Codec, SegmentRef, TapeDamaged, TapeWriteError
from folkmoot.tape.reader import SEGMENT_MS, TapeReader

Result = TypeVar("Result")

MEDIA_TYPE = "audio/mp4"
FILES_STATE = "archive.json"
UNTOUCHED_S = 3600.0
"""Nothing is released whose bytes were changed so recently: a redaction may be at work on it."""

_AT_ONCE = 8
_AROUND_MS = 200
_SMALL_BYTES = 64 * 1024
_FILE_TYPE = "application/octet-stream"
_NOT_COPIED = (".mp4", ".index", ".copies", ".notes", ".new", FILES_STATE)
_PUNCH_HOLE_KEEP_SIZE = 0x02 | 0x01  # linux/falloc.h

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


class Store(Protocol):
    """What of `storage.objects.ObjectStore` is used here."""

    async def put(self, key: str, content: bytes | Path, content_type: str) -> None: ...

    async def get(self, key: str) -> bytes: ...

    async def delete(self, key: str) -> None: ...

    async def keys(self, prefix: str) -> list[str]: ...


class Progress(msgspec.Struct, frozen=True):
    """After a step: objects put by it, segments that still wait, and whether all of an ended tape is there."""

    copied: int
    waiting: int
    complete: bool


async def copy_some(directory: Path, store: Store, segments_max: int = 64) -> Progress:
    """Copy the oldest closed segments that aren't in the store as they are now, and the changed files.

    Raises TapeError, and whatever the store raises: what was copied until then stays copied.
    """
    wanted, waiting, ended = await asyncio.to_thread(_wanted, directory, segments_max)
    try:
        for start in range(0, len(wanted), _AT_ONCE):
            await _all(_copy(directory, store, *one) for one in wanted[start : start + _AT_ONCE])
        files = await asyncio.to_thread(_changed_files, directory, ended=ended)
        for name, stamp in files.items():
            file = directory / name
            content = file if stamp[1] > _SMALL_BYTES else await asyncio.to_thread(file.read_bytes)
            await store.put(f"tapes/{directory.name}/{name}", content, _FILE_TYPE)
            await asyncio.to_thread(_note_file, directory, name, stamp)
    finally:
        if not await asyncio.to_thread(directory.exists):
            # The recording was deleted meanwhile, and what there was of it in the store: this came after.
            await delete(store, directory.name)
    left = waiting - len(wanted)
    return Progress(len(wanted) + len(files), left, ended and left == 0)


async def release(directory: Path, store: Store, now_s: float) -> int:
    """Give the disk back what the sound of a completely copied tape takes; returns how many bytes that is.

    Every object is read back first; one that is not what it should be is copied again, and nothing is released
    then. Nothing happens within an hour of a change, nor on a file system that can't punch holes.
    """
    freed = 0
    if await asyncio.to_thread(_all_released, directory):
        return freed
    for codec in Codec:
        sound = layout.sound_path(directory, codec)
        if now_s - sound.stat().st_mtime < UNTOUCHED_S or not await _verified(directory, store, codec):
            return freed
    await asyncio.to_thread(_keep_notes, directory)
    for codec in Codec:
        freed += await asyncio.to_thread(_release, directory, codec)
    return freed


def make_local(directory: Path, codec: Codec, offset: int, length: int) -> None:
    """Have these bytes of the sound on this disk again, before they are changed. Blocks.

    Their segments count as changed from here on, so that nothing releases them: what the store has is the old
    sound. `mark_dirty`, after the change, has them copied as they are then.
    Raises TapeAway, TapeDamaged, TapeWriteError.
    """
    with _opened(directory, codec) as known:
        if known is None:
            return
        with known.locked():
            for copy in list(known.overlapping(offset, length)):
                if copy.state is State.RELEASED:
                    sound = away.sound_of(away.key(directory, codec, copy.segment), copy.digest)
                    _write_back(directory, codec, copy, sound)
                if copy.state is not State.WANTED:
                    known.set_state(copy.segment, State.WANTED)


def mark_dirty(directory: Path, codec: Codec, segment: int) -> None:
    """The bytes or index records of a segment were changed: the store is to get them as they are now.

    Raises TapeWriteError where its bytes were released after they were changed, and so are the store's old ones.
    """
    with _opened(directory, codec) as known:
        if known is None:
            return
        with known.locked():
            if segment < known.count:
                if known.get(segment).state is State.RELEASED:
                    raise TapeWriteError(f"segment {segment} was released while it was changed: change it again")
                known.set_state(segment, State.WANTED)
            away.notes_path(directory, codec).unlink(missing_ok=True)


def is_released(directory: Path) -> bool:
    """Whether some of the sound is in the store only."""
    for codec in Codec:
        with _opened(directory, codec) as known:
            if known is not None and (known.states() == State.RELEASED).any():
                return True
    return False


async def delete(store: Store, name: str) -> None:
    """Everything of one tape in the store."""
    keys = await store.keys(f"tapes/{name}")
    for start in range(0, len(keys), _AT_ONCE):
        await _all(store.delete(key) for key in keys[start : start + _AT_ONCE])


def _wanted(directory: Path, most: int) -> tuple[list[tuple[Codec, SegmentRef]], int, bool]:
    """The segments to copy next, marked as being copied; how many wait in all; whether the tape has ended."""
    wanted: list[tuple[Codec, SegmentRef]] = []
    waiting = 0
    with TapeReader(directory) as reader:
        for codec in reader.codecs:
            copies.make(directory, codec)
            with _opened(directory, codec) as known:
                assert known is not None
                segments = [*_changed(reader, codec, known), *reader.segments(codec, known.count * SEGMENT_MS)]
                waiting += len(segments)
                with known.locked():
                    for segment in segments[:most]:
                        known.put(copies.begun(segment))
            wanted += [(codec, segment) for segment in segments[:most]]
        return wanted, waiting, reader.ended


def _changed(reader: TapeReader, codec: Codec, known: Copies) -> Iterator[SegmentRef]:
    states = known.states()
    for number in ((states == State.WANTED) | (states == State.COPYING)).nonzero()[0].tolist():
        segment = reader.segment(codec, number)
        if segment is None:
            raise TapeDamaged(f"segment {number} was there and is gone")
        yield segment


async def _copy(directory: Path, store: Store, codec: Codec, segment: SegmentRef) -> None:
    sound, records = await asyncio.to_thread(_content, directory, codec, segment)
    size_bytes = 8 + len(records) + 4
    content = sound + boxes.box(b"free", records, size_bytes.to_bytes(4, "big"))
    await store.put(away.key(directory, codec, segment.number), content, MEDIA_TYPE)
    await asyncio.to_thread(_copied, directory, codec, segment, hashlib.sha256(sound).digest())


def _content(directory: Path, codec: Codec, segment: SegmentRef) -> tuple[bytes, bytes]:
    """A segment's sound, and the index records of its parts."""
    with TapeReader(directory) as reader:
        start_ms = segment.number * SEGMENT_MS
        around = reader.parts(codec, start_ms - _AROUND_MS, start_ms + SEGMENT_MS + _AROUND_MS)
        refs = [ref for ref in around if ref.segment == segment.number]
        return reader.read([segment]), b"".join(index.record(ref) for ref in refs)


def _copied(directory: Path, codec: Codec, segment: SegmentRef, digest: bytes) -> None:
    """Unless it was changed while it was copied."""
    with _opened(directory, codec) as known:
        if known is None:
            return
        with known.locked():
            if known.get(segment.number).state is State.COPYING:
                known.put(Copy(segment.number, segment.offset, segment.length, State.COPIED, digest))


async def _verified(directory: Path, store: Store, codec: Codec) -> bool:
    """Whether every segment is in the store as it should be; those that aren't are marked to be copied."""
    with _opened(directory, codec) as known:
        if known is None:
            return False
        listed = [known.get(segment) for segment in range(known.count)]
    if any(copy.state not in (State.COPIED, State.RELEASED) for copy in listed):
        return False
    good = True
    for start in range(0, len(listed), _AT_ONCE):
        batch = [copy for copy in listed[start : start + _AT_ONCE] if copy.state is State.COPIED]
        for copy, whole in zip(
            batch, await _all(_is_whole(directory, store, codec, one) for one in batch), strict=True
        ):
            if not whole:
                good = False
                await asyncio.to_thread(mark_dirty, directory, codec, copy.segment)
    return good


async def _is_whole(directory: Path, store: Store, codec: Codec, copy: Copy) -> bool:
    try:
        sound, _ = away.split(await store.get(away.key(directory, codec, copy.segment)))
    except (FileNotFoundError, TapeDamaged):
        return False
    return hashlib.sha256(sound).digest() == copy.digest


def _all_released(directory: Path) -> bool:
    for codec in Codec:
        with _opened(directory, codec) as known:
            if known is None or not known.count or (known.states() != State.RELEASED).any():
                return False
    return True


def _keep_notes(directory: Path) -> None:
    with TapeReader(directory) as reader:
        notes = reader.notes(0, reader.end_ms)
    path = away.notes_path(directory, Codec.OPUS)
    beside = path.with_suffix(".notes.new")
    beside.write_bytes(msgspec.json.encode(notes))
    beside.replace(path)


def _release(directory: Path, codec: Codec) -> int:
    """First it is written down that the bytes are elsewhere, then they go: a reader that finds a hole finds why."""
    sound = layout.sound_path(directory, codec)
    with _opened(directory, codec) as known:
        assert known is not None
        with known.locked():
            states = known.states()
            if not len(states) or not ((states == State.COPIED) | (states == State.RELEASED)).all():
                return 0
            first, last = known.get(0), known.get(len(states) - 1)
            before = sound.stat().st_blocks
            if not _can_punch(sound, last.offset + last.length):
                return 0
            for segment in (states == State.COPIED).nonzero()[0].tolist():
                known.set_state(segment, State.RELEASED)
            known.sync()
            _punch(sound, first.offset, last.offset + last.length - first.offset)
            return (before - sound.stat().st_blocks) * 512


def _can_punch(path: Path, at: int) -> bool:
    """Tried behind the end of the sound, where there is nothing."""
    try:
        _punch(path, at, 4096)
    except OSError:
        return False
    return True


def _punch(path: Path, offset: int, length: int) -> None:
    """Raises OSError where the file system can't."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        if _libc.fallocate(file, _PUNCH_HOLE_KEEP_SIZE, offset, length) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(file)


def _write_back(directory: Path, codec: Codec, copy: Copy, sound: bytes) -> None:
    try:
        file = os.open(layout.sound_path(directory, codec), os.O_RDWR | os.O_CLOEXEC)
        try:
            layout.write_all(file, sound, copy.offset)
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise layout.write_error(error) from error


@contextmanager
def _opened(directory: Path, codec: Codec) -> Iterator[Copies | None]:
    known = Copies.open(directory, codec, writable=True)
    try:
        yield known
    finally:
        if known is not None:
            known.close()


async def _all(work: Iterable[Awaitable[Result]]) -> list[Result]:
    """In the order given. Raises the first one's error, once all have come to an end."""
    done = await asyncio.gather(*work, return_exceptions=True)
    for error in done:
        if isinstance(error, BaseException):
            raise error
    return [one for one in done if not isinstance(one, BaseException)]


def _changed_files(directory: Path, *, ended: bool) -> dict[str, tuple[int, int]]:
    """The files beside the sound that the store doesn't have as they are: (mtime in ns, size).

    Those that grow with the sound (leaves: 40 MB in twelve hours) are put anew each time they have grown by a
    quarter, and once it has ended: put at each change, an evening would be thousands of times its size.
    """
    known = _known_files(directory)
    found = {}
    for entry in os.scandir(directory):
        if entry.is_file() and not entry.name.startswith(".") and not entry.name.endswith(_NOT_COPIED):
            stamp = (entry.stat().st_mtime_ns, entry.stat().st_size)
            before = known.get(entry.name)
            is_growing = not ended and before is not None and _SMALL_BYTES < stamp[1] < before[1] * 5 / 4
            if before != stamp and not is_growing:
                found[entry.name] = stamp
    return found


def _known_files(directory: Path) -> dict[str, tuple[int, int]]:
    try:
        return msgspec.json.decode((directory / FILES_STATE).read_bytes(), type=dict[str, tuple[int, int]])
    except (FileNotFoundError, msgspec.MsgspecError):
        return {}


def _note_file(directory: Path, name: str, stamp: tuple[int, int]) -> None:
    beside = directory / f"{FILES_STATE}.new"
    beside.write_bytes(msgspec.json.encode({**_known_files(directory), name: stamp}))
    beside.replace(directory / FILES_STATE)
