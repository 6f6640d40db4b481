"""A waveform of a tape: the peaks stand in the index, so drawing hours costs no decoding."""

from __future__ import annotations

import numpy as np

from folkmoot.tape.reader import TapeReader

POINTS_MAX = 10_000


def waveform(reader: TapeReader, from_ms: int, to_ms: int, points: int) -> bytes:
    """At most `points` peaks (0–255, linear) of equal stretches of a range; fewer where it has fewer steps."""
    peaks = reader.peaks(from_ms, to_ms)
    count = max(0, min(points, len(peaks), POINTS_MAX))
    if count == 0:
        return b""
    starts = np.arange(count) * len(peaks) // count
    return bytes(np.maximum.reduceat(peaks, starts))
