"""Is a loose file (a clip, a download) a piece of a signed recording? Pure: coded frames in, findings out.

A file holds frames without the tape's parts around them. Their hashes are in the leaves, so the place is found by
trying every frame as the start of a part; from there on each part has to follow the one before. At both ends a few
frames belong to parts of which the rest is not in the file: of those nothing can be said.
"""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from folkmoot.tape.leaf import frames_sha256
from folkmoot.tape.merkle import HASH_BYTES
from folkmoot.tape.model import SAMPLES_PER_MS, Codec
from folkmoot.tape.taken_out import TakenOut
from folkmoot.tape.verify import Finding, Kind

_PART_FRAMES_MAX = 64
"""Fourteen times what a part has: a longer one is nobody's, and looking for it at every frame would never end."""
_LENGTHS_MAX = 8
"""So many lengths of parts are looked for; a tape has two or three, and its last part."""
_WHEN = struct.Struct(">QI")


class _Run(NamedTuple):
    """The signed parts `[first, past_last)`, which the file's frames `[start, end)` are."""

    first: int
    past_last: int
    start: int
    end: int


def findings_of(
    frames: Sequence[bytes], signed: Sequence[bytes], taken_out: Mapping[int, TakenOut], codec: Codec
) -> list[Finding]:
    """What the file is, and what in it was not signed. Places are those of the recording."""
    parts = _Parts(signed, taken_out, codec)
    runs = list(parts.runs(frames))
    if not runs:
        return [Finding(Kind.ALTERED, codec, 0, 0, "Nothing in this file is of this recording.")]
    found = [_excerpt(parts, runs, len(frames))]
    found += [parts.between(one, following) for one, following in itertools.pairwise(runs)]
    found += parts.edges(runs, len(frames))
    return found + [finding for run in runs for finding in parts.redactions(run, frames)]


def _excerpt(parts: _Parts, runs: Sequence[_Run], count: int) -> Finding:
    edge_ms = (runs[0].start + count - runs[-1].end) * parts.frame_ms
    what = (
        f"This is of the recording. Of {edge_ms:.0f} ms at its ends the parts are not whole: those can't be told."
    )
    from_ms, to_ms = parts.when_ms(runs[0].first)[0], parts.when_ms(runs[-1].past_last - 1)[1]
    return Finding(Kind.EXCERPT, parts.codec, from_ms, to_ms, what)


class _Parts:
    def __init__(self, signed: Sequence[bytes], taken_out: Mapping[int, TakenOut], codec: Codec) -> None:
        self.codec = codec
        self.frame_ms = codec.frame_samples / SAMPLES_PER_MS
        self._signed = signed
        self._taken_out = taken_out
        hashes = [leaf[-HASH_BYTES:] for leaf in signed]
        # Only what is there once says where the file is: silence is the same everywhere.
        times = Counter(hashes)
        self._numbers = {digest: number for number, digest in enumerate(hashes) if times[digest] == 1}
        counts = [self.count(number) for number in range(len(signed))]
        usual = Counter(count for count in counts if 0 < count <= _PART_FRAMES_MAX).most_common(_LENGTHS_MAX)
        self._counts = sorted((count for count, _ in usual), reverse=True)
        self._frames_before = [0, *itertools.accumulate(counts)]

    def count(self, number: int) -> int:
        """How many frames a part has."""
        return int(_WHEN.unpack_from(self._signed[number])[1]) // self.codec.frame_samples

    def when_ms(self, number: int) -> tuple[int, int]:
        start, duration = _WHEN.unpack_from(self._signed[number])
        return start // SAMPLES_PER_MS, (start + duration) // SAMPLES_PER_MS

    def runs(self, frames: Sequence[bytes]) -> Iterator[_Run]:
        """The pieces of the recording that are in the file, in its order."""
        at = 0
        while (place := self._place(frames, at)) is not None:
            run = self._around(frames, at, *place)
            yield run
            at = run.end

    def _around(self, frames: Sequence[bytes], at: int, start: int, first: int) -> _Run:
        """The longest run through a place, not before `at`."""
        end, past_last = start, first
        while past_last < len(self._signed) and self._is(past_last, frames, end):
            end += self.count(past_last)
            past_last += 1
        while (
            first
            and start - self.count(first - 1) >= at
            and self._is(first - 1, frames, start - self.count(first - 1))
        ):
            first -= 1
            start -= self.count(first)
        return _Run(first, past_last, start, end)

    def between(self, one: _Run, following: _Run) -> Finding:
        """What is wrong between two runs."""
        from_ms, to_ms = self.when_ms(one.past_last - 1)[1], self.when_ms(following.first)[0]
        missing_frames = self._frames_before[following.first] - self._frames_before[one.past_last]
        there_frames = following.start - one.end
        if following.first < one.past_last:
            what = f"From here on the file goes on with what was said at {to_ms / 1000:.1f} s."
            return Finding(Kind.MOVED, self.codec, from_ms, from_ms, what)
        if not there_frames:
            return Finding(Kind.MISSING, self.codec, from_ms, to_ms, "This was signed and is not in the file.")
        if not missing_frames:
            what = f"{there_frames * self.frame_ms / 1000:.1f} s that nobody signed stand here."
            return Finding(Kind.INSERTED, self.codec, from_ms, to_ms, what)
        return Finding(Kind.ALTERED, self.codec, from_ms, to_ms, "The sound is not what was signed.")

    def edges(self, runs: Sequence[_Run], count: int) -> Iterator[Finding]:
        """Frames before the first and behind the last whole part that are too many for a part that is not whole."""
        first, last = runs[0], runs[-1]
        room = self.count(first.first - 1) - 1 if first.first else 0
        if first.start > room:
            from_ms = self.when_ms(first.first)[0]
            yield Finding(Kind.ALTERED, self.codec, from_ms, from_ms, "What stands before this was not signed.")
        room = self.count(last.past_last) - 1 if last.past_last < len(self._signed) else 0
        if count - last.end > room:
            to_ms = self.when_ms(last.past_last - 1)[1]
            yield Finding(Kind.ALTERED, self.codec, to_ms, to_ms, "What stands behind this was not signed.")

    def redactions(self, run: _Run, frames: Sequence[bytes]) -> Iterator[Finding]:
        """What decisions took out of a run. A file from before a decision still has it, and is no less intact."""
        at, rows = run.start, []
        for number in range(run.first, run.past_last):
            if number in self._taken_out:
                is_out = _hash(frames, at, self.count(number)) == self._taken_out[number].frames_sha256
                rows.append((self._taken_out[number].redaction, is_out, number))
            at += self.count(number)
        for (redaction, is_out), group in itertools.groupby(rows, key=lambda row: row[:2]):
            numbers = [number for _, _, number in group]
            what = f"Taken out by decision {redaction}: {self._taken_out[numbers[0]].reason}."
            if not is_out:
                what += " This file is from before."
            from_ms, to_ms = self.when_ms(numbers[0])[0], self.when_ms(numbers[-1])[1]
            yield Finding(Kind.REDACTED, self.codec, from_ms, to_ms, what)

    def _place(self, frames: Sequence[bytes], at: int) -> tuple[int, int] | None:
        """The first frame from `at` on that starts a part, and which."""
        for start in range(at, len(frames)):
            for count in self._counts:
                number = self._numbers.get(_hash(frames, start, count))
                if number is not None and self.count(number) == count:
                    return start, number
        return None

    def _is(self, number: int, frames: Sequence[bytes], start: int) -> bool:
        if self.count(number) > _PART_FRAMES_MAX:
            return False
        digest = _hash(frames, start, self.count(number))
        part = self._taken_out.get(number)
        return digest == self._signed[number][-HASH_BYTES:] or (part is not None and digest == part.frames_sha256)


def _hash(frames: Sequence[bytes], start: int, count: int) -> bytes:
    taken = frames[start : start + count]
    return frames_sha256(b"".join(len(frame).to_bytes(4, "big") for frame in taken), b"".join(taken))
