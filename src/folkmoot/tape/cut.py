"""Cutting a tape: a clip or a whole replay as one progressive .m4a, with the AAC frames copied as they are.

AAC can only be cut between frames of 1024 samples, and a frame only sounds right after the one before it. So the
file starts one frame early, and an edit list shows players at which sample to start and for how long to play.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from folkmoot.tape import boxes, progressive
from folkmoot.tape.model import SAMPLES_PER_MS, Codec, PartRef, RangeError, TapeDamaged
from folkmoot.tape.reader import TapeReader

MEDIA_TYPE = "audio/mp4"
CUT_MS_MAX = 24 * 60 * 60 * 1000  # what the 32-bit fields of the file hold, with room to spare

_FRAME = Codec.AAC.frame_samples
_PARTS_PER_READ = 40  # four seconds


class Cut:
    """A range `[start_ms, end_ms)` of a tape as an .m4a: `length_bytes` is known at once, iterating reads it.

    Holds a few bytes for each frame (16 MB for 12 hours) and no sound. The reader has to stay open; making one
    reads through the range once (12 hours: a few seconds), so not on an event loop.
    """

    def __init__(self, reader: TapeReader, start_ms: int, end_ms: int, comment: str = "") -> None:
        """Raises RangeError for a range that is empty, too long or not all there; TapeDamaged."""
        _check_range(reader, start_ms, end_ms)
        start_samples, end_samples = start_ms * SAMPLES_PER_MS, end_ms * SAMPLES_PER_MS
        self._reader = reader
        self._first_frame = max(0, start_samples // _FRAME - 1)
        self._past_last_frame = -(-end_samples // _FRAME)
        sizes = np.fromiter(itertools.chain.from_iterable(sizes for sizes, _ in self._pieces()), dtype=">u4")
        if len(sizes) != self._past_last_frame - self._first_frame:
            raise TapeDamaged("frames are missing in this range")
        self.head = progressive.head(
            reader.config(Codec.AAC),
            sizes,
            lead_samples=start_samples - self._first_frame * _FRAME,
            duration_samples=end_samples - start_samples,
            comment=comment,
        )
        self.length_bytes = len(self.head) + int(sizes.sum(dtype=np.int64))
        self._sizes = sizes

    def __iter__(self) -> Iterator[bytes]:
        """The bytes of the file, in blocks of about 100 ms. Raises TapeDamaged, also where something was taken out
        since it was made: the head names other frames then."""
        yield self.head
        at = 0
        for sizes, frames in self._pieces():
            if not np.array_equal(sizes, self._sizes[at : at + len(sizes)]):
                raise TapeDamaged("something was taken out of this meanwhile")
            at += len(sizes)
            yield frames

    def _pieces(self) -> Iterator[tuple[Sequence[int], bytes]]:
        """The sizes of the frames of each part that are in the range, and the frames."""
        first_ms = self._first_frame * _FRAME // SAMPLES_PER_MS
        past_last_ms = -(-self._past_last_frame * _FRAME // SAMPLES_PER_MS)
        first, past_last = self._reader.numbers(Codec.AAC, first_ms, past_last_ms)
        for number in range(first, past_last, _PARTS_PER_READ):
            refs = self._reader.numbered(Codec.AAC, number, min(number + _PARTS_PER_READ, past_last))
            data, at = self._reader.read(refs), 0
            for ref in refs:
                yield self._inside(ref, data[at : at + ref.length])
                at += ref.length

    def _inside(self, ref: PartRef, chunk: bytes) -> tuple[Sequence[int], bytes]:
        count = ref.duration_samples // _FRAME
        sizes = boxes.frame_sizes(chunk[: ref.header_bytes], count)
        if ref.header_bytes + sum(sizes) != len(chunk):
            raise TapeDamaged(f"part {ref.number} is not what its index says")
        frame = ref.start_samples // _FRAME
        first, past_last = max(0, self._first_frame - frame), min(count, self._past_last_frame - frame)
        start = ref.header_bytes + sum(sizes[:first])
        wanted = sizes[first : max(first, past_last)]
        return wanted, chunk[start : start + sum(wanted)]


def cut_clip(reader: TapeReader, start_ms: int, end_ms: int) -> bytes:
    """A clip as the bytes of an .m4a, exact to the millisecond. Raises RangeError, TapeDamaged."""
    return b"".join(Cut(reader, start_ms, end_ms))


def download(reader: TapeReader, start_ms: int = 0, end_ms: int | None = None, page: str = "") -> Cut:
    """The replay from `start_ms` to its end or `end_ms`, to be streamed; `page` is the address of its Space, which
    the file then names. Raises RangeError, TapeDamaged."""
    return Cut(reader, start_ms, reader.end_ms if end_ms is None else min(end_ms, reader.end_ms), page)


def _check_range(reader: TapeReader, start_ms: int, end_ms: int) -> None:
    if start_ms >= end_ms:
        raise RangeError("The end has to come after the start.")
    if start_ms < reader.start_ms or end_ms > reader.end_ms:
        raise RangeError(
            f"The recording goes from {reader.start_ms} to {reader.end_ms} ms;"
            f" {start_ms} to {end_ms} ms is not all in it."
        )
    if end_ms - start_ms > CUT_MS_MAX:
        raise RangeError("More than 24 hours don't fit into one file.")
