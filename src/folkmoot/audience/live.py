"""A Space's tape as the fan-out reads it: the newest parts of each codec, once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from folkmoot.tape.model import Codec, TapeMissing
from folkmoot.tape.reader import TapeReader


class LiveTape(Protocol):
    """What the fan-out needs of a tape. An OSError or TapeError of any method ends the Space here."""

    @property
    def ended(self) -> bool:
        """Whether nothing will be appended any more, as of the last refresh."""

    def refresh(self) -> object:
        """Looks whether something was appended. Called up to 500 times a second."""

    def init(self, codec: str) -> bytes | None:
        """The codec's init segment; None while the tape has none."""

    def take(self, codec: str, parts_max: int) -> Sequence[bytes]:
        """The parts appended since the last call, oldest first, at most the newest `parts_max` of them."""

    def close(self) -> None:
        """Lets go of files."""


class TapeFollower:
    """A LiveTape over a TapeReader."""

    def __init__(self, reader: TapeReader) -> None:
        self._reader = reader
        self._taken: dict[Codec, int] = {}

    @property
    def ended(self) -> bool:
        return self._reader.ended

    def refresh(self) -> bool:
        return self._reader.refresh()

    def init(self, codec: str) -> bytes | None:
        return self._reader.init(Codec(codec)) if codec in self._reader.codecs else None

    def take(self, codec: str, parts_max: int) -> list[bytes]:
        name = Codec(codec)
        count = self._reader.count(name)
        first = max(self._taken.get(name, 0), count - parts_max, 0)
        self._taken[name] = count  # it may shrink: a writer that comes back cuts a torn end off
        refs = self._reader.numbered(name, first, count)
        data, parts, at = self._reader.read(refs), [], 0
        for ref in refs:
            parts.append(data[at : at + ref.length])
            at += ref.length
        return parts

    def close(self) -> None:
        self._reader.close()


def open_tape(directory: Path) -> LiveTape | None:
    """The tape in a folder; None as long as there is none. Raises TapeError where it is damaged."""
    try:
        return TapeFollower(TapeReader(directory))
    except TapeMissing:
        return None
