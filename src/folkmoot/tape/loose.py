"""A loose .m4a (a clip, a download, or what a program made of one) as the frames that a player plays.

Players differ in which track they choose, which description, which edit. So this takes only files that leave no
choice: one track, one description, frames that follow each other, one stretch that is played (ISO/IEC 14496-12).
"""

from __future__ import annotations

import contextlib
import os
import struct
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from folkmoot.tape import boxes
from folkmoot.tape.cut import CUT_MS_MAX
from folkmoot.tape.model import SAMPLE_RATE, SAMPLES_PER_MS, Codec, CodecConfig, TapeError

FRAMES_MAX = CUT_MS_MAX * SAMPLES_PER_MS // Codec.AAC.frame_samples + 2
_MOVIE_BYTES_MAX = 64 << 20
_OUTER_BOXES_MAX = 1000
_NORMAL_RATE = 0x10000
_ENTRY_BYTES = 28
_ENTRY_BOXES = {b"esds", b"btrt"}
_TABLES = {b"stsd", b"stts", b"stsc", b"stsz", b"stco", b"co64", b"sgpd", b"sbgp", b"free"}
_MPEG4_AUDIO = b"\x40\x15"


class LooseInvalid(TapeError):
    """Not an .m4a that every player plays alike."""


class LooseSound(msgspec.Struct, frozen=True):
    """What is played of a file, with the frame before it that a decoder needs. `comment` as a download has it."""

    config: CodecConfig
    frames: list[bytes]
    comment: str = ""


class _Span(NamedTuple):
    start: int
    end: int


def read_loose(path: Path) -> LooseSound:
    """Raises LooseInvalid, OSError."""
    with path.open("rb") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        movie = _movie(file, size_bytes)
        try:
            track = _Track(movie, size_bytes)
            offsets, sizes = track.played()
            config, comment = track.config, track.comment()
        except (boxes.BoxError, struct.error) as error:
            raise LooseInvalid(f"This is no .m4a that can be read: {error}.") from error
        frames = []
        for offset, frame_bytes in zip(offsets.tolist(), sizes.tolist(), strict=True):
            file.seek(offset)
            frames.append(file.read(frame_bytes))
        return LooseSound(config, frames, comment)


def _movie(file: BinaryIO, size_bytes: int) -> bytes:
    """What is in the one `moov`."""
    found, at = [], 0
    for _ in range(_OUTER_BOXES_MAX):
        if at == size_bytes:
            break
        file.seek(at)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        header_bytes = 16 if length == 1 else 8
        if length <= 1:
            length = int.from_bytes(head[8:], "big") if length else size_bytes - at
        if len(head) < 8 or not header_bytes <= length <= size_bytes - at or (at == 0) != (kind == b"ftyp"):
            raise LooseInvalid("This is no sound file that can be checked: an .m4a is.")
        if kind == b"moof":
            raise LooseInvalid("This file is in fragments: let a program copy it, as it is, into a plain .m4a.")
        if kind == b"moov":
            found.append(_Span(at + header_bytes, at + length))
        at += length
    if at != size_bytes or len(found) != 1 or found[0].end - found[0].start > _MOVIE_BYTES_MAX:
        raise LooseInvalid("This is no sound file that can be checked: an .m4a with one description is.")
    file.seek(found[0].start)
    return file.read(found[0].end - found[0].start)


class _Track:
    """The only track of a `moov`. Every method raises LooseInvalid, BoxError, struct.error."""

    def __init__(self, movie: bytes, file_bytes: int) -> None:
        self._data = movie
        self._file_bytes = file_bytes
        whole = _Span(0, len(movie))
        tracks = len(self._all(whole, b"trak"))
        if tracks != 1 or self._all(whole, b"mvex"):
            raise LooseInvalid(f"This file has {tracks} tracks: which one is played depends on the player.")
        self._trak = self._one(whole, b"trak")
        self._movie_rate = self._rate(self._one(whole, b"mvhd"))
        self._mdia = self._one(self._trak, b"mdia")
        self._media_rate = self._rate(self._one(self._mdia, b"mdhd"))
        minf = self._one(self._mdia, b"minf")
        self._stbl = self._one(minf, b"stbl")
        self._require_plain(minf)
        self.config = self._config()

    def comment(self) -> str:
        """As progressive.py writes it."""
        for user_data in self._all(_Span(0, len(self._data)), b"udta"):
            with contextlib.suppress(boxes.BoxError):
                for text in self._all(user_data, b"\xa9cmt"):
                    (length,) = struct.unpack_from(">H", self._data, text.start)
                    return self._data[text.start + 4 : text.end][:length].decode("utf-8", "replace")
        return ""

    def played(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where each frame that is played lies in the file, and its size."""
        sizes = self._sizes()
        self._require_regular(len(sizes))
        offsets = self._offsets(sizes)
        if (offsets + sizes > self._file_bytes).any():
            raise LooseInvalid("This file is cut off: frames are missing at its end.")
        first, past_last = self._stretch(len(sizes))
        return offsets[first:past_last], sizes[first:past_last]

    def _require_plain(self, minf: _Span) -> None:
        """It is sound, lies in this file, and no table changes how it is played."""
        handler = self._one(self._mdia, b"hdlr").start + 8
        reference = self._one(self._one(minf, b"dinf"), b"dref")
        in_this_file = struct.pack(">II", 0, 1) + boxes.full_box(b"url ", 0, 1)
        tables = {kind for kind, _, _ in boxes.iterate_boxes(self._data, *self._stbl)}
        if (
            self._data[handler : handler + 4] != b"soun"
            or self._data[reference.start : reference.end] != in_this_file
            or not tables <= _TABLES
        ):
            raise LooseInvalid("This is no .m4a of sound alone.")

    def _config(self) -> CodecConfig:
        described = self._one(self._stbl, b"stsd")
        entries = list(boxes.iterate_boxes(self._data, described.start + 8, described.end))
        if len(entries) != 1 or self._number(described.start + 4) != 1:
            raise LooseInvalid(
                "This file describes its sound more than once: what is played depends on the player."
            )
        kind, start, end = entries[0]
        if kind != b"mp4a":
            raise LooseInvalid(f"This was encoded anew, as {kind.decode('latin-1')}: nothing can be told.")
        reference, version, rate = struct.unpack_from(">6xHH14xI", self._data, start)
        inner = _Span(start + _ENTRY_BYTES, end)
        if (reference, version, rate) != (1, 0, SAMPLE_RATE << 16) or not _ENTRY_BOXES.issuperset(
            kind for kind, _, _ in boxes.iterate_boxes(self._data, *inner)
        ):
            raise LooseInvalid("This was encoded anew, at another rate: nothing can be told.")
        esds = self._one(inner, b"esds")
        return CodecConfig(Codec.AAC, audio_specific_config=self._decoder_config(esds))

    def _decoder_config(self, esds: _Span) -> bytes:
        """The AudioSpecificConfig (14496-1, 7.2.6.5): the first descriptor of the first of the first."""
        stream = self._descriptor(_Span(esds.start + 4, esds.end), 3)
        decoder = self._descriptor(_Span(stream.start + 3, stream.end), 4)
        if self._data[stream.start + 2] or self._data[decoder.start : decoder.start + 2] != _MPEG4_AUDIO:
            raise LooseInvalid("This was encoded anew: nothing can be told.")
        own = self._descriptor(_Span(decoder.start + 13, decoder.end), 5)
        return self._data[own.start : own.end]

    def _descriptor(self, span: _Span, tag: int) -> _Span:
        data, length = self._data[span.start : span.start + 5], 0
        if data[:1] == bytes([tag]):
            for used, byte in enumerate(data[1:], 2):
                length = length << 7 | byte & 0x7F
                if byte < 0x80 and span.start + used + length <= span.end:
                    return _Span(span.start + used, span.start + used + length)
        raise LooseInvalid("This file does not say how its sound is encoded.")

    def _sizes(self) -> NDArray[np.int64]:
        table = self._one(self._stbl, b"stsz")
        each, count = struct.unpack_from(">II", self._data, table.start + 4)
        if count > min(FRAMES_MAX, self._file_bytes):
            raise LooseInvalid("This file claims more frames than it can hold.")
        sizes = np.full(count, each, np.int64) if each else self._array(table.start + 12, table.end, ">u4", count)
        if (sizes == 0).any() or int(sizes.sum()) > self._file_bytes:
            raise LooseInvalid("This file claims more frames than it can hold.")
        return sizes

    def _require_regular(self, count: int) -> None:
        """Each frame is played 1024 samples after the one before; the last may be cut short."""
        table = self._one(self._stbl, b"stts")
        runs = self._array(table.start + 8, table.end, ">u4", 2 * self._number(table.start + 4)).reshape(-1, 2)
        regular = runs[:, 1] * SAMPLE_RATE == Codec.AAC.frame_samples * self._media_rate
        is_cut_short = bool(len(runs) > 1 and not regular[-1] and runs[-1, 0] == 1)
        if int(runs[:, 0].sum()) != count or not regular[: len(runs) - is_cut_short].all():
            raise LooseInvalid("This file plays its frames at other times than one after the other.")

    def _offsets(self, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where each frame lies, from the chunks that frames stand in side by side."""
        starts = self._chunks()
        table = self._one(self._stbl, b"stsc")
        runs = self._array(table.start + 8, table.end, ">u4", 3 * self._number(table.start + 4)).reshape(-1, 3)
        lengths = np.diff(np.append(runs[:, 0], len(starts) + 1))
        first = runs[:1, 0].tolist()
        if (
            (lengths < 1).any()
            or (runs[:, 1:] < 1).any()
            or (runs[:, 2] != 1).any()
            or first != [1] * bool(len(starts))
        ):
            raise LooseInvalid("This file does not say where its frames are.")
        counts = np.repeat(runs[:, 1], lengths)
        if int(counts.sum()) != len(sizes):
            raise LooseInvalid("This file does not say where its frames are.")
        before = np.cumsum(sizes) - sizes
        inner: NDArray[np.int64] = np.repeat(starts - before[np.cumsum(counts) - counts], counts) + before
        return inner

    def _chunks(self) -> NDArray[np.int64]:
        is_long = bool(self._all(self._stbl, b"co64"))
        table = self._one(self._stbl, b"co64" if is_long else b"stco")
        count = self._number(table.start + 4)
        starts = self._array(table.start + 8, table.end, ">u8" if is_long else ">u4", count)
        if (is_long and self._all(self._stbl, b"stco")) or (starts < 0).any() or (starts > self._file_bytes).any():
            raise LooseInvalid("This file does not say where its frames are.")
        return starts

    def _stretch(self, count: int) -> tuple[int, int]:
        """The frames that the edit list lets be heard, from the one before them on."""
        edits = [self._one(span, b"elst") for span in self._all(self._trak, b"edts")]
        if not edits:
            return 0, count
        start = edits[0].start
        is_long = self._data[start] == 1
        duration, at, rate = struct.unpack_from(">QqI" if is_long else ">IiI", self._data, start + 8)
        if len(edits) > 1 or self._number(start + 4) != 1 or rate != _NORMAL_RATE or at < 0:
            raise LooseInvalid("This file skips or repeats by an edit list: what is played isn't one stretch.")
        frame = Fraction(Codec.AAC.frame_samples * self._media_rate, SAMPLE_RATE)
        end = (at + Fraction(duration * self._media_rate, self._movie_rate)) / frame if duration else count
        return max(0, int(at / frame) - 1), min(count, -int(-end // 1))

    def _rate(self, header: _Span) -> int:
        """Ticks a second, of an `mvhd` or `mdhd`."""
        rate = self._number(header.start + (20 if self._data[header.start] else 12))
        if not rate:
            raise LooseInvalid("This file has no clock.")
        return rate

    def _number(self, at: int) -> int:
        return int(struct.unpack_from(">I", self._data, at)[0])

    def _array(self, start: int, end: int, kind: str, count: int) -> NDArray[np.int64]:
        if count * np.dtype(kind).itemsize != end - start:
            raise LooseInvalid("A table of this file is not as long as it says.")
        return np.frombuffer(self._data, kind, count, start).astype(np.int64)

    def _all(self, parent: _Span, kind: bytes) -> list[_Span]:
        return [_Span(start, end) for one, start, end in boxes.iterate_boxes(self._data, *parent) if one == kind]

    def _one(self, parent: _Span, kind: bytes) -> _Span:
        found = self._all(parent, kind)
        if len(found) != 1:
            raise LooseInvalid(f"This is no .m4a that every player plays alike: {len(found)} × {kind.decode()}.")
        return found[0]
