"""The journal of what was taken out of a tape: `tapes/<id>/redactions`, lines of JSON, written before the bytes.

A line holds the decision and, for each part that is rewritten because of it, the leaf that the part was until then
and the hash of the frames that stand there from then on: so `verify` tells a decision from damage. A range of many
parts has several lines with one id. A part is in one line only: what is silent already is not taken out again.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from folkmoot.tape import layout
from folkmoot.tape.leaf import LeafData
from folkmoot.tape.model import Codec, TapeDamaged

Parsed = TypeVar("Parsed")


class Redaction(msgspec.Struct, frozen=True):
    """A decision: `[from_ms, to_ms)` of the timeline is taken out. `id`, `reason`, `by` are the caller's words."""

    id: str
    from_ms: int
    to_ms: int
    reason: str
    by: str
    at_unix_ms: int


class RedactedPart(msgspec.Struct, frozen=True):
    """One rewritten part. `leaf` is what the tree holds (None: the part was damaged before); the leaf of what
    stands there now differs from it in `frames_sha256` only, which is `now_frames_sha256`."""

    codec: Codec
    number: int
    leaf: LeafData | None
    now_frames_sha256: bytes


class Line(msgspec.Struct, frozen=True):
    """One line of the journal; hashes are base64."""

    redaction: Redaction
    parts: tuple[RedactedPart, ...]


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[int]:
    """The journal, open for reading and appending, and nobody else rewrites or recovers the tape meanwhile."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    try:
        journal = os.open(layout.redactions_path(directory), flags, layout.FILE_MODE)
    except OSError as error:
        raise layout.write_error(error) from error
    try:
        fcntl.flock(journal, fcntl.LOCK_EX)
        yield journal
    finally:
        os.close(journal)


def read_redactions(directory: Path) -> list[Line]:
    """Every line; a last one that is cut off counts for nothing: no byte was touched then. Raises TapeDamaged."""
    try:
        return parse(layout.redactions_path(directory).read_bytes())
    except FileNotFoundError:
        return []


def decisions(directory: Path) -> tuple[Redaction, ...]:
    """What was decided, in order of the timeline; cheap to ask for again and again. Raises TapeDamaged."""
    path = layout.redactions_path(directory)
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return _decisions(path, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=64)
def _decisions(path: Path, _mtime_ns: int, _size_bytes: int) -> tuple[Redaction, ...]:
    by_id = {line.redaction.id: line.redaction for line in _parsed(path.read_bytes(), _GLANCES)}
    return tuple(sorted(by_id.values(), key=lambda one: one.from_ms))


def parse(data: bytes) -> list[Line]:
    """The whole lines of a journal. Raises TapeDamaged."""
    return _parsed(data, _LINES)


def append(journal: int, lines: Sequence[Line]) -> None:
    """Adds lines, which are on the disk when this returns. Raises TapeFull, TapeWriteError."""
    data = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    size_bytes = os.fstat(journal).st_size
    try:
        written = os.write(journal, data)
        while written < len(data):
            written += os.write(journal, data[written:])
        os.fsync(journal)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.ftruncate(journal, size_bytes)
        raise layout.write_error(error) from error


def cut_tail(journal: int) -> dict[Codec, set[int]]:
    """Removes a line that was cut off; returns the numbers of the parts in the whole ones. Raises TapeDamaged."""
    data = os.pread(journal, os.fstat(journal).st_size, 0)
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.ftruncate(journal, whole)
    known: dict[Codec, set[int]] = {codec: set() for codec in Codec}
    for line in _parsed(data[:whole], _GLANCES):
        for part in line.parts:
            known[part.codec].add(part.number)
    return known


class _Place(msgspec.Struct, frozen=True):
    codec: Codec
    number: int


class _Glance(msgspec.Struct, frozen=True):
    """A line without its hashes, which are most of it: an hour has 70,000."""

    redaction: Redaction
    parts: tuple[_Place, ...]


def _parsed(data: bytes, decoder: msgspec.json.Decoder[Parsed]) -> list[Parsed]:
    try:
        return [decoder.decode(line) for line in data.split(b"\n")[:-1]]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TapeDamaged(f"the journal of redactions can't be read: {error}") from error


_LINES = msgspec.json.Decoder(Line)
_GLANCES = msgspec.json.Decoder(_Glance)
