"""A Space's tape as the fan-out reads it: the newest parts of each codec, once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from folkmoot.tape import adts, boxes, ogg
from folkmoot.tape.model import Codec, PartRef, TapeMissing
from folkmoot.tape.reader import TapeReader

OGG, ADTS = "ogg", "adts"
CODECS: Final = {"opus": Codec.OPUS, "aac": Codec.AAC, OGG: Codec.OPUS, ADTS: Codec.AAC}
"""The forms in which sound is sent, with the codec of each: fragmented MP4, as it lies on the tape, under the
codec's own name, and what players and radios know."""
IDLE: Final = {"opus": boxes.box(b"free"), "aac": boxes.box(b"free")}
"""What plays as nothing (ISO/IEC 14496-12, 8.1.2), in the forms that have such a thing."""


class LiveTape(Protocol):
    """What the fan-out needs of a tape. An OSError or TapeError of any method ends the Space here."""

    @property
    def ended(self) -> bool:
        """Whether nothing will be appended any more, as of the last refresh."""

    def refresh(self) -> object:
        """Looks whether something was appended. Called up to 500 times a second."""

    def init(self, form: str) -> bytes | None:
        """What a stream of this form begins with, maybe nothing; None while the tape doesn't have its codec."""

    def take(self, form: str, parts_max: int) -> Sequence[bytes]:
        """The parts appended since the last call for this form, oldest first, at most the newest `parts_max`."""

    def position(self, form: str) -> int:
        """The number on the tape of the first part that the next `take` for this form can give."""

    def close(self) -> None:
        """Lets go of files."""


class TapeFollower:
    """A LiveTape over a TapeReader. Parts are put into a form once, for everybody who gets it."""

    def __init__(self, reader: TapeReader) -> None:
        self._reader = reader
        self._taken: dict[str, int] = {}

    @property
    def ended(self) -> bool:
        return self._reader.ended

    def refresh(self) -> bool:
        return self._reader.refresh()

    def init(self, form: str) -> bytes | None:
        codec = CODECS[form]
        if codec not in self._reader.codecs:
            return None
        if form == OGG:
            return ogg.head(self._reader.config(codec))
        return b"" if form == ADTS else self._reader.init(codec)

    def take(self, form: str, parts_max: int) -> list[bytes]:
        codec = CODECS[form]
        count = self._reader.count(codec)
        first = max(self._taken.get(form, 0), count - parts_max, 0)
        self._taken[form] = count  # it may shrink: a writer that comes back cuts a torn end off
        refs = self._reader.numbered(codec, first, count)
        data, parts, at = self._reader.read(refs), [], 0
        for ref in refs:
            parts.append(self._formed(form, ref, data[at : at + ref.length]))
            at += ref.length
        return parts

    def position(self, form: str) -> int:
        return self._taken.get(form, 0)

    def _formed(self, form: str, ref: PartRef, chunk: bytes) -> bytes:
        if form not in (OGG, ADTS):
            return chunk
        frames = boxes.frames(chunk, ref.header_bytes, ref.duration_samples // ref.codec.frame_samples)
        if form == OGG:
            return ogg.page(ref.number, ref.end_samples, frames)
        return adts.framed(self._reader.config(ref.codec), frames)

    def close(self) -> None:
        self._reader.close()


def open_tape(directory: Path) -> LiveTape | None:
    """The tape in a folder; None as long as there is none. Raises TapeError where it is damaged."""
    try:
        return TapeFollower(TapeReader(directory))
    except TapeMissing:
        return None
