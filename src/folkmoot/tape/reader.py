"""Reading a tape, while it is written or afterwards: seek, stream, list segments, who spoke when, the waveform.

Nothing is kept in memory but how many parts there are; every look-up reads the index with a few preads. So a
reader costs nothing while idle, is cheap to poll, and finds any place of a 12-hour tape in about 20 reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from folkmoot.tape import boxes, layout
from folkmoot.tape.model import (
    SAMPLES_PER_MS,
    SEGMENT_SAMPLES,
    Codec,
    CodecConfig,
    Note,
    PartRef,
    SegmentRef,
    TapeMissing,
)
from folkmoot.tape.track_reader import TrackReader
from folkmoot.tape.turns import turns

SEGMENT_MS = SEGMENT_SAMPLES // SAMPLES_PER_MS

_NOTE_LOOK_BACK_MS = 2_000  # a note is written at least once a second


class TapeReader:
    """A view of a tape's folder. Several threads may read; refresh() belongs to one of them.

    Ranges are `[from_ms, to_ms)` on the timeline; what lies outside the recording is left out, never an error.
    """

    def __init__(self, directory: Path) -> None:
        """Raises TapeMissing where there is no tape (yet), TapeDamaged where its header is broken."""
        header = layout.read_header(directory)
        if header is None:
            raise TapeMissing("there is no recording here")
        self.timeline_unix_ms = header.timeline_unix_ms
        self._tracks: dict[Codec, TrackReader] = {}
        try:
            for config in header.codecs:
                self._tracks[config.codec] = TrackReader(directory, config)
        except OSError as error:
            self.close()
            raise TapeMissing("there is no recording here") from error
        self.refresh()

    def __enter__(self) -> TapeReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the files; the reader is of no use afterwards."""
        for track in self._tracks.values():
            track.close()
        self._tracks.clear()

    def refresh(self) -> bool:
        """Looks for new parts and the end; True if there is anything new. A few microseconds."""
        news = [track.refresh() for track in self._tracks.values()]
        return any(news)

    @property
    def ended(self) -> bool:
        return any(track.ended for track in self._tracks.values())

    @property
    def codecs(self) -> tuple[Codec, ...]:
        return tuple(self._tracks)

    @property
    def start_ms(self) -> int:
        """The first millisecond that there is."""
        return 0

    @property
    def end_ms(self) -> int:
        """Up to here every codec has sound; a codec may already be some 60 ms further."""
        return min(track.end_samples for track in self._tracks.values()) // SAMPLES_PER_MS

    @property
    def _steps(self) -> TrackReader:
        """The track whose parts are the encoder's steps, exactly 100 ms each."""
        return self._tracks[Codec.OPUS]

    def config(self, codec: Codec) -> CodecConfig:
        return self._tracks[codec].config

    def init(self, codec: Codec) -> bytes:
        """The init segment, which every player reads first."""
        return boxes.init_segment(self._tracks[codec].config)

    def count(self, codec: Codec) -> int:
        """How many parts there were at the last refresh(); they are numbered from 0."""
        return self._tracks[codec].count

    def newest(self, codec: Codec) -> PartRef | None:
        return self._tracks[codec].newest()

    def numbered(self, codec: Codec, first: int, past_last: int) -> list[PartRef]:
        """The parts of these numbers, as far as there are any."""
        return self._tracks[codec].refs(first, past_last)

    def numbers(self, codec: Codec, from_ms: int, to_ms: int) -> tuple[int, int]:
        """`(first, past last)` of the numbers of the parts that overlap a range."""
        return self._tracks[codec].overlapping(from_ms, to_ms)

    def parts(self, codec: Codec, from_ms: int, to_ms: int) -> list[PartRef]:
        """The parts that overlap a range, in order."""
        return self.numbered(codec, *self.numbers(codec, from_ms, to_ms))

    def read(self, refs: Sequence[PartRef | SegmentRef]) -> bytes:
        """The chunks, one after the other; neighbours are read in one go. Raises TapeDamaged if some are gone."""
        return b"".join(self._tracks[codec].read(start, size) for codec, start, size in _joined(refs))

    def segments(self, codec: Codec, from_ms: int = 0, to_ms: int | None = None) -> list[SegmentRef]:
        """The complete segments of a range: one is complete when the next part is not in it or the tape has ended.

        Only parts that start within the range are in: a view trimmed at `from_ms` holds nothing from before it.
        A segment's number doesn't depend on the range.
        """
        track = self._tracks[codec]
        newest = track.newest()
        if newest is None:
            return []
        found = track.segments(from_ms, track.end_ms if to_ms is None else to_ms)
        if found and not self.ended and found[-1].number == newest.end_samples // SEGMENT_SAMPLES:
            found.pop()
        return found

    def segment(self, codec: Codec, number: int, from_ms: int = 0, to_ms: int | None = None) -> SegmentRef | None:
        """One segment of segments(codec, from_ms, to_ms), or None if that list doesn't have it."""
        start_ms = number * SEGMENT_MS
        end_ms = start_ms + SEGMENT_MS if to_ms is None else min(to_ms, start_ms + SEGMENT_MS)
        found = self.segments(codec, max(from_ms, start_ms), end_ms)
        return found[0] if found else None

    def revisions(self, codec: Codec, first_segment: int, past_last: int | None = None) -> dict[int, int]:
        """How many parts were taken out of each segment from this one on, complete or not."""
        track = self._tracks[codec]
        end_ms = track.end_ms if past_last is None else past_last * SEGMENT_MS
        found = track.segments(first_segment * SEGMENT_MS, end_ms)
        return {segment.number: segment.revision for segment in found if segment.revision}

    def notes(self, from_ms: int, to_ms: int) -> list[tuple[int, Note]]:
        """(when, note), each in force until the next; the first is the one in force at `from_ms`."""
        track = self._steps
        found = list(track.notes(*track.overlapping(from_ms - _NOTE_LOOK_BACK_MS, to_ms)))
        before = sum(at_ms <= from_ms for at_ms, _ in found)
        return found[max(0, before - 1) :]

    def speech(self, from_ms: int, to_ms: int) -> list[tuple[int, int, int]]:
        """(seat, from_ms, to_ms) of every turn, in order of time; pauses under 300 ms don't end one."""
        to_ms = min(to_ms, self.end_ms)
        return turns(self.notes(from_ms, to_ms), from_ms, to_ms)

    def peaks(self, from_ms: int, to_ms: int) -> NDArray[np.uint8]:
        """The loudest sample of each part (100 ms) of a range, 0–255, linear."""
        track = self._steps
        blocks = [block["peak"] for block in track.blocks(*track.overlapping(from_ms, to_ms))]
        return np.concatenate(blocks) if blocks else np.zeros(0, np.uint8)


def _joined(refs: Sequence[PartRef | SegmentRef]) -> Iterator[tuple[Codec, int, int]]:
    """(codec, offset, length) of each run of neighbours."""
    run: tuple[Codec, int, int] | None = None
    for ref in refs:
        if run is not None and run[0] is ref.codec and run[1] + run[2] == ref.offset:
            run = (run[0], run[1], run[2] + ref.length)
            continue
        if run is not None:
            yield run
        run = (ref.codec, ref.offset, ref.length)
    if run is not None:
        yield run
