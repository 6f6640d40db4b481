"""Which segments of a tape are in the object store too, and which are only there. Files, no store.

tapes/<space>/opus.copies  aac.copies    a head, then a record of 52 bytes for each segment, by its number

A segment's record goes WANTED → COPYING → COPIED → RELEASED, and back to WANTED when its bytes were changed. Every
change is made under a lock of the file, because a redaction comes from another process than the copying.
"""

from __future__ import annotations

import contextlib
import enum
import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from folkmoot.tape import layout
from folkmoot.tape.model import Codec, SegmentRef, TapeDamaged

HEADER_BYTES = 16
RECORD_BYTES = 52

_HEADER = b"FOLKCOPY".ljust(HEADER_BYTES, b"\0")
_RECORD = struct.Struct("<QIB3x32sI")
_RECORD_TYPE = np.dtype(
    [("offset", "<u8"), ("length", "<u4"), ("state", "u1"), ("pad", "V3"), ("digest", "V32"), ("checksum", "<u4")]
)
_CHECKED_BYTES = RECORD_BYTES - 4
_OFFSET = struct.Struct("<Q")
_NO_DIGEST = bytes(32)

assert _RECORD.size == _RECORD_TYPE.itemsize == RECORD_BYTES


class State(enum.IntEnum):
    """Where the bytes of a segment are."""

    WANTED = 0  # not in the store, or not as they are now
    COPYING = 1  # somebody is at it, or died at it
    COPIED = 2  # in the store and here
    RELEASED = 3  # in the store only


class Copy(msgspec.Struct, frozen=True):
    """One segment's record. `digest` is the SHA-256 of its bytes as they are in the store."""

    segment: int
    offset: int
    length: int
    state: State = State.WANTED
    digest: bytes = _NO_DIGEST


def path(directory: Path, codec: Codec) -> Path:
    return directory / f"{codec}.copies"


def make(directory: Path, codec: Codec) -> None:
    """Make the file, whole, if it isn't there. Raises OSError."""
    wanted = path(directory, codec)
    if not wanted.exists():
        beside = wanted.with_suffix(".copies.new")
        beside.write_bytes(_HEADER)
        beside.chmod(layout.FILE_MODE)
        beside.replace(wanted)


class Copies:
    """The records of one codec. Several processes may have them open."""

    def __init__(self, descriptor: int) -> None:
        self._file = descriptor

    @classmethod
    def open(cls, directory: Path, codec: Codec, *, writable: bool) -> Copies | None:
        """None if nothing was ever copied. Raises TapeDamaged, OSError."""
        try:
            file = os.open(path(directory, codec), (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        if os.pread(file, HEADER_BYTES, 0) != _HEADER:
            os.close(file)
            raise TapeDamaged(f"{codec}.copies does not start with its head")
        return cls(file)

    def close(self) -> None:
        os.close(self._file)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """What is read and written in here nobody else changes meanwhile."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    @property
    def count(self) -> int:
        """How many segments have a whole record: those numbered below this."""
        return max(0, (os.fstat(self._file).st_size - HEADER_BYTES) // RECORD_BYTES)

    def states(self) -> NDArray[np.uint8]:
        """The state of every segment, by number."""
        data = os.pread(self._file, self.count * RECORD_BYTES, HEADER_BYTES)
        found: NDArray[np.uint8] = np.frombuffer(data, _RECORD_TYPE, count=len(data) // RECORD_BYTES)["state"]
        return found

    def get(self, segment: int) -> Copy:
        """Raises TapeDamaged for a record that is not what was written."""
        data = os.pread(self._file, RECORD_BYTES, _place(segment))
        if len(data) < RECORD_BYTES or zlib.crc32(data[:_CHECKED_BYTES]) != _RECORD.unpack(data)[4]:
            raise TapeDamaged(f"what is known of the copy of segment {segment} is damaged")
        offset, length, state, digest, _ = _RECORD.unpack(data)
        return Copy(segment, offset, length, State(state), digest)

    def put(self, copy: Copy) -> None:
        """Raises OSError."""
        packed = _RECORD.pack(copy.offset, copy.length, copy.state, copy.digest, 0)[:_CHECKED_BYTES]
        layout.write_all(self._file, packed + struct.pack("<I", zlib.crc32(packed)), _place(copy.segment))

    def set_state(self, segment: int, state: State) -> None:
        self.put(msgspec.structs.replace(self.get(segment), state=state))

    def sync(self) -> None:
        os.fsync(self._file)

    def overlapping(self, offset: int, length: int) -> Iterator[Copy]:
        """The records of the segments that these bytes of the sound are in."""
        for segment in range(self._at(offset), self.count):
            copy = self.get(segment)
            if copy.offset >= offset + length:
                return
            if copy.offset + copy.length > offset:
                yield copy

    def _at(self, offset: int) -> int:
        """The number of the last segment that begins at or before a place in the sound."""
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            (begins,) = _OFFSET.unpack(os.pread(self._file, _OFFSET.size, _place(middle)))
            low, high = (middle + 1, high) if begins <= offset else (low, middle)
        return max(0, low - 1)


def begun(segment: SegmentRef) -> Copy:
    """The record of a segment that is being copied."""
    return Copy(segment.number, segment.offset, segment.length, State.COPYING)


def _place(segment: int) -> int:
    return HEADER_BYTES + segment * RECORD_BYTES
