"""The segments and partial segments of a live HLS playlist, from the parts of the tape as they are appended. Pure.

A partial segment is a few whole parts of the tape. Which ones depends only on the parts since its segment began, so
everybody who reads the tape counts them alike, at any time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from folkmoot.tape.model import SAMPLE_RATE, SEGMENT_SAMPLES, STEP_SAMPLES, Codec, PartRef, SegmentRef

STEPS_PER_PART: Final = 2
"""Measured: with three, a third of the requests less, and 0.35 s more delay: too near to what is promised."""
PARTS_KEPT_SAMPLES: Final = 3 * SEGMENT_SAMPLES
"""Partial segments older than three target durations are no longer listed (draft-pantos-hls-rfc8216bis, 6.2.2)."""


class Place(msgspec.Struct, frozen=True, order=True):
    """Which partial segment: of segment `segment`, the one with `index`."""

    segment: int
    index: int


class PartialSegment(msgspec.Struct, frozen=True):
    """Whole parts of the tape that a playlist lists as one, `index` from 0 within its segment; `ref` is where they
    lie."""

    index: int
    ref: SegmentRef

    @property
    def place(self) -> Place:
        return Place(self.ref.number, self.index)


class LiveSegment(msgspec.Struct, frozen=True):
    """A complete segment; `parts` is empty for one from before this window was opened."""

    ref: SegmentRef
    parts: tuple[PartialSegment, ...] = ()


def longest_step_samples(codec: Codec) -> int:
    """The longest part of the tape while it is written: 100 ms in whole frames."""
    return -(-STEP_SAMPLES // codec.frame_samples) * codec.frame_samples


def part_target_samples(codec: Codec) -> int:
    """No partial segment is longer. AAC's frames don't divide 100 ms, so its limit is a little higher."""
    return STEPS_PER_PART * longest_step_samples(codec)


class HlsWindow:
    """One codec's live window. Feed it each part once, in order, from the start of a segment on.

    `before` are complete segments right before the first part that is fed.
    """

    def __init__(self, codec: Codec, before: Iterable[SegmentRef] = ()) -> None:
        self.codec = codec
        self.ended = False
        self.next_number = 0  # of the part of the tape to be fed next
        self.segments: deque[LiveSegment] = deque(LiveSegment(ref) for ref in before)
        self.open_parts: list[PartialSegment] = []
        self._pending: list[PartRef] = []
        self._next_segment = self.segments[-1].ref.number + 1 if self.segments else 0

    @property
    def next_part(self) -> Place:
        """The partial segment that comes next: what a preload hint names."""
        return Place(self._next_segment, len(self.open_parts))

    @property
    def end_samples(self) -> int:
        """Up to here the playlist has sound."""
        if self.open_parts:
            return self.open_parts[-1].ref.end_samples
        return self.segments[-1].ref.end_samples if self.segments else 0

    def append(self, refs: Iterable[PartRef]) -> None:
        for ref in refs:
            self._append(ref)

    def end(self) -> None:
        """Nothing will be appended any more: what is open is complete."""
        self._close_part()
        self._close_segment()
        self.ended = True

    def forget_before(self, samples: int) -> None:
        """Lets go of segments that start before a place on the timeline.

        A live playlist keeps three target durations whatever is asked for (6.2.2).
        """
        if not self.ended:
            samples = min(samples, self.end_samples - PARTS_KEPT_SAMPLES - SEGMENT_SAMPLES)
        while self.segments and self.segments[0].ref.start_samples < samples:
            self.segments.popleft()

    def segment(self, number: int) -> LiveSegment | None:
        """A complete segment that is listed."""
        return next((one for one in reversed(self.segments) if one.ref.number == number), None)

    def find(self, place: Place) -> PartialSegment | None:
        """A partial segment of the last few segments."""
        parts: Sequence[PartialSegment] = ()
        if place.segment == self._next_segment:
            parts = self.open_parts
        else:
            parts = next((one.parts for one in reversed(self.segments) if one.ref.number == place.segment), ())
        return parts[place.index] if place.index < len(parts) else None

    def has(self, place: Place) -> bool:
        """Whether the playlist holds this partial segment or a later one. An index beyond the last of a complete
        segment stands for the first of the next (6.2.5.2)."""
        newest = self.segments[-1] if self.segments and not self.open_parts else None
        if newest and place.segment == newest.ref.number and place.index >= len(newest.parts):
            return False
        return place < self.next_part

    def has_segment(self, number: int) -> bool:
        """Whether this segment, or a later one, is complete."""
        return number < self._next_segment

    def is_absurd(self, segment: int, index: int | None) -> bool:
        """Whether a playlist is asked for so far ahead that nobody should wait for it (6.2.5.2)."""
        if segment > self._next_segment + 1:
            return True
        newest = len(self.open_parts) - 1 if segment == self._next_segment else -1
        ahead_parts = 3 * SAMPLE_RATE // part_target_samples(self.codec)
        return segment >= self._next_segment and index is not None and index > newest + ahead_parts

    def _append(self, ref: PartRef) -> None:
        self._next_segment = ref.segment
        self.next_number = ref.number + 1
        target = part_target_samples(self.codec)
        if self._pending and self._pending_samples + ref.duration_samples > target:
            self._close_part()
        self._pending.append(ref)
        if ref.end_samples // SEGMENT_SAMPLES != ref.segment:
            self._close_part()
            self._close_segment()
        elif self._pending_samples + longest_step_samples(self.codec) > target:
            self._close_part()

    @property
    def _pending_samples(self) -> int:
        return sum(ref.duration_samples for ref in self._pending)

    def _close_part(self) -> None:
        if not self._pending:
            return
        self.open_parts.append(PartialSegment(len(self.open_parts), _spanning(self._pending)))
        self._pending.clear()

    def _close_segment(self) -> None:
        if not self.open_parts:
            return
        ref = _spanning([part.ref for part in self.open_parts])
        self.segments.append(LiveSegment(ref, tuple(self.open_parts)))
        self.open_parts.clear()
        self._next_segment = ref.number + 1


def _spanning(refs: Sequence[PartRef] | Sequence[SegmentRef]) -> SegmentRef:
    """Where neighbours of one segment lie."""
    first, last = refs[0], refs[-1]
    return SegmentRef(
        codec=first.codec,
        number=first.number if isinstance(first, SegmentRef) else first.segment,
        start_samples=first.start_samples,
        duration_samples=last.end_samples - first.start_samples,
        offset=first.offset,
        length=last.offset + last.length - first.offset,
    )


def seconds(samples: int) -> str:
    """As a playlist writes it."""
    return f"{samples / SAMPLE_RATE:.5f}"
