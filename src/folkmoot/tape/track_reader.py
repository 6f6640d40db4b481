"""One codec's two files, as any reader sees them: how many parts there are, and where."""

from __future__ import annotations

import os
import struct
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from folkmoot.tape import boxes, index, layout
from folkmoot.tape.away import AwayReader
from folkmoot.tape.model import SAMPLES_PER_MS, CodecConfig, Note, PartRef, SegmentRef, TapeDamaged

_BLOCK_PARTS = 600  # a minute
_START = struct.Struct("<Q")


class TrackReader:
    """Remembers the number of parts only; the index is read where it is asked for."""

    def __init__(self, directory: Path, config: CodecConfig) -> None:
        self.config = config
        self.count = 0
        self.ended = False
        self.end_samples = 0
        self._away = AwayReader(directory, config.codec)
        self._index = os.open(layout.index_path(directory, config.codec), os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._sound = os.open(layout.sound_path(directory, config.codec), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            os.close(self._index)
            raise

    def close(self) -> None:
        os.close(self._index)
        os.close(self._sound)
        self._away.close()

    @property
    def end_ms(self) -> int:
        return -(-self.end_samples // SAMPLES_PER_MS)

    def refresh(self) -> bool:
        """Whether there is anything new. The mark of the end is read first: what is counted after it is all."""
        ended = os.pread(self._index, 1, index.ENDED_OFFSET) == b"\x01"
        count = index.record_count(os.fstat(self._index).st_size)
        if count == self.count and ended == self.ended:
            return False
        try:
            newest = self._ref(count - 1) if count else None
        except TapeDamaged:  # a torn tail, until the writer comes back and cuts it
            return False
        self.count, self.ended = count, ended
        self.end_samples = newest.end_samples if newest else 0
        return True

    def newest(self) -> PartRef | None:
        """The last part. Raises TapeDamaged."""
        return self._ref(self.count - 1) if self.count else None

    def refs(self, first: int, past_last: int) -> list[PartRef]:
        """Parts by number, as far as there are any. Raises TapeDamaged."""
        first, past_last = max(0, first), min(past_last, self.count)
        return index.parse_records(self.config.codec, first, self._records(first, past_last))

    def overlapping(self, from_ms: int, to_ms: int) -> tuple[int, int]:
        """Numbers `[first, past last)` of the parts that overlap a range."""
        if from_ms >= to_ms:
            return 0, 0
        following = self._first_from(from_ms * SAMPLES_PER_MS + 1)
        before = max(0, following - 1)  # parts are without holes: it reaches into the range, or is the last
        if from_ms * SAMPLES_PER_MS >= self.end_samples:
            before = self.count
        return before, self._first_from(to_ms * SAMPLES_PER_MS)

    def starting(self, from_ms: int, to_ms: int) -> tuple[int, int]:
        """Numbers `[first, past last)` of the parts that start within a range."""
        first = self._first_from(from_ms * SAMPLES_PER_MS)
        return first, max(first, self._first_from(to_ms * SAMPLES_PER_MS))

    def blocks(self, first: int, past_last: int) -> Iterator[index.Columns]:
        """The records of a range as arrays, a minute at a time."""
        for start in range(first, past_last, _BLOCK_PARTS):
            yield index.columns(self._records(start, min(start + _BLOCK_PARTS, past_last)))

    def segments(self, from_ms: int, to_ms: int) -> list[SegmentRef]:
        """The segments, complete or not, of the parts that start within a range."""
        block = index.columns(self._records(*self.starting(from_ms, to_ms)))
        if not len(block):
            return []
        last = np.append(np.flatnonzero(np.diff(block["segment"])), len(block) - 1)
        first = np.append(0, last[:-1] + 1)
        heads, tails = block[first], block[last]
        revisions = np.diff(index.redacted_counts(block)[last], prepend=0)
        rows = zip(
            heads["segment"].tolist(),
            heads["start_samples"].tolist(),
            (tails["start_samples"] + tails["duration_samples"] - heads["start_samples"]).tolist(),
            heads["offset"].tolist(),
            (tails["offset"] + tails["length"] - heads["offset"]).tolist(),
            revisions.tolist(),
            strict=True,
        )
        return [SegmentRef(self.config.codec, *row) for row in rows]

    def notes(self, first: int, past_last: int) -> Iterator[tuple[int, Note]]:
        """(when in ms, note) of the parts that carry one."""
        if first < past_last and (kept := self._away.notes(*self._span_ms(first, past_last))) is not None:
            yield from kept
            return
        for block in self.blocks(first, past_last):
            noted = block[index.has_note(block)]
            rows = zip(
                noted["start_samples"].tolist(),
                noted["offset"].tolist(),
                noted["header_bytes"].tolist(),
                strict=True,
            )
            for start_samples, offset, header_bytes in rows:
                note = boxes.leading_note(self.read(offset, header_bytes))
                if note is not None:
                    yield start_samples // SAMPLES_PER_MS, note

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the sound file, from the object store where they were released to it.

        Raises TapeDamaged if it is too short for them, TapeAway while the store can't be reached.
        """
        away = self._away.read(offset, length)
        data = os.pread(self._sound, length, offset) if away is None else away
        if away is None and (released_meanwhile := self._away.read(offset, length)) is not None:
            data = released_meanwhile
        if len(data) != length:
            raise TapeDamaged(f"the {self.config.codec} sound is shorter than its index says")
        return data

    def _span_ms(self, first: int, past_last: int) -> tuple[int, int]:
        """From the start of the first part to that of the one after the last."""
        end = self._start_samples(past_last) if past_last < self.count else self.end_samples
        return self._start_samples(first) // SAMPLES_PER_MS, -(-end // SAMPLES_PER_MS)

    def _first_from(self, samples: int) -> int:
        """The number of the first part that starts at or after a place."""
        return bisect_left(range(self.count), samples, key=self._start_samples)

    def _start_samples(self, number: int) -> int:
        (start_samples,) = _START.unpack(os.pread(self._index, _START.size, index.record_offset(number)))
        return int(start_samples)

    def _ref(self, number: int) -> PartRef:
        return index.parse_record(self.config.codec, number, self._records(number, number + 1))

    def _records(self, first: int, past_last: int) -> bytes:
        size_bytes = max(0, past_last - first) * index.RECORD_BYTES
        return os.pread(self._index, size_bytes, index.record_offset(first))
