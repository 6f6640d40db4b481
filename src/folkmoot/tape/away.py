"""Reading sound that is only in the object store any more. Knows no store: who runs the process says how to fetch.

A process whose tapes are never released (a stage, an audience worker) says nothing, and loads no store.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from folkmoot.tape import layout
from folkmoot.tape.copies import Copies, Copy, State
from folkmoot.tape.model import Codec, Note, TapeAway, TapeDamaged

SEGMENTS_KEPT_MAX = 64
"""Of four seconds each, 16 to 50 KB: whoever plays on asks for the same one forty times."""

AHEAD_SEGMENTS = 8
"""So many are fetched at a time for who reads on and on: a download, a long clip."""

Fetch = Callable[[str], bytes]
"""An object's bytes by its key, in a thread. Raises FileNotFoundError, OSError."""

_fetch: Fetch | None = None


def fetch_with(fetch: Fetch | None) -> None:
    """How this process fetches objects. Called once by what wires it, before anything is read."""
    global _fetch
    _fetch = fetch
    sound_of.cache_clear()


def key(directory: Path, codec: Codec, segment: int) -> str:
    """Where a segment is in the store."""
    return f"tapes/{directory.name}/{codec}/{segment}"


def notes_path(directory: Path, codec: Codec) -> Path:
    """The notes of a released tape: who spoke when is asked of all of it at once, which would fetch all of it."""
    return directory / f"{codec}.notes"


def split(content: bytes) -> tuple[bytes, bytes]:
    """An object as (sound, index records): the records stand in a `free` box that ends with its own size.

    Raises TapeDamaged.
    """
    size_bytes = int.from_bytes(content[-4:], "big")
    if not 12 <= size_bytes <= len(content) or content[-size_bytes + 4 :][:4] != b"free":
        raise TapeDamaged("an object of the store is not a segment of a tape")
    return content[:-size_bytes], content[-size_bytes + 8 : -4]


class AwayReader:
    """One codec's released bytes."""

    def __init__(self, directory: Path, codec: Codec) -> None:
        self._directory = directory
        self._codec = codec
        self._copies: Copies | None = None
        self._last_segment = -2
        self._ahead: dict[int, Future[bytes]] = {}

    def close(self) -> None:
        self._forget_ahead()
        if self._copies is not None:
            self._copies.close()

    def read(self, offset: int, length: int) -> bytes | None:
        """The bytes of a range that is not all on this disk; None if it is: read it there, then ask again.

        Raises TapeAway, TapeDamaged.
        """
        if self._copies is None:
            self._copies = Copies.open(self._directory, self._codec, writable=False)
        if self._copies is None:
            return None
        found = list(self._copies.overlapping(offset, length))
        if all(copy.state is not State.RELEASED for copy in found):
            return None
        self._fetch_ahead(found[-1].segment)
        return b"".join(self._piece(copy, offset, length) for copy in found)

    def _fetch_ahead(self, segment: int) -> None:
        """If the segment follows the last one that was read: start fetching those that come next."""
        assert self._copies is not None
        if segment not in (self._last_segment, self._last_segment + 1):
            self._forget_ahead()
        if segment == self._last_segment + 1:
            first = max(segment, *self._ahead) + 1 if self._ahead else segment + 1
            for ahead in range(first, min(segment + AHEAD_SEGMENTS, self._copies.count - 1) + 1):
                copy = self._copies.get(ahead)
                if copy.state is State.RELEASED:
                    wanted = key(self._directory, self._codec, ahead)
                    self._ahead[ahead] = _threads().submit(sound_of, wanted, copy.digest)
        self._last_segment = segment

    def _forget_ahead(self) -> None:
        for fetched in self._ahead.values():
            fetched.cancel()
        self._ahead.clear()

    def notes(self, first_ms: int, past_last_ms: int) -> list[tuple[int, Note]] | None:
        """(when in ms, note) of those in a range; None where they stand in the sound only. Raises TapeDamaged."""
        try:
            content = notes_path(self._directory, self._codec).read_bytes()
        except FileNotFoundError:
            return None
        try:
            kept = msgspec.json.decode(content, type=list[tuple[int, Note]])
        except msgspec.MsgspecError as error:
            raise TapeDamaged(f"{self._codec}.notes can't be read") from error
        return [(at_ms, note) for at_ms, note in kept if first_ms <= at_ms < past_last_ms]

    def _piece(self, copy: Copy, offset: int, length: int) -> bytes:
        first, past_last = max(offset, copy.offset), min(offset + length, copy.offset + copy.length)
        if copy.state is State.RELEASED:
            fetched = self._ahead.pop(copy.segment, None)
            object_key = key(self._directory, self._codec, copy.segment)
            sound = fetched.result() if fetched else sound_of(object_key, copy.digest)
            return sound[first - copy.offset : past_last - copy.offset]
        file = os.open(layout.sound_path(self._directory, self._codec), os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(file, past_last - first, first)
        finally:
            os.close(file)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AHEAD_SEGMENTS, "fetch-ahead")


@lru_cache(maxsize=SEGMENTS_KEPT_MAX)
def sound_of(object_key: str, digest: bytes) -> bytes:
    """A segment's sound from the store. Raises TapeAway, and TapeDamaged if it isn't what was put there."""
    if _fetch is None:
        raise TapeAway("this sound is in the object store, and no store is set")
    try:
        sound, _ = split(_fetch(object_key))
    except FileNotFoundError as error:
        raise TapeDamaged(f"{object_key} is gone from the object store") from error
    except OSError as error:
        raise TapeAway(f"the object store can't be reached: {error}") from error
    if hashlib.sha256(sound).digest() != digest:
        raise TapeDamaged(f"{object_key} in the object store is not what was put there")
    return sound
