"""How much faster or slower a sender's sample clock runs than ours, from when its packets arrive. Pure.

What a packet took (arrival less timestamp) creeps when the clocks differ; waits on the way only ever add to it.
So the shortest of each half second is looked at, for up to two minutes, and the slope of those by the median over
pairs half the time apart (Theil and Sen, with fewer pairs).

A queue that fills or drains creeps too, and looks like a clock for a while. What tells them apart: a clock creeps
on and on, a queue holds so much and no more. A slope is believed once it has carried the waits much further than
they scatter about it, and further than a queue would.
"""

from collections import deque

import numpy as np
import numpy.typing as npt

DRIFT_MAX = 0.025
"""Sample clocks that are further off than this are broken: 2.5%, near half a semitone."""

_WINDOW_MS = 500.0
_WINDOWS_KEPT = 240
_WINDOWS_NEEDED = 5
_PACKETS_IN_WINDOW_MIN = 5
_OVER_SCATTER = 3.0
_OVER_JITTER = 12.0
_QUEUE_MS = 200.0
_ROUNDING_MS = 1.0
_LESS_LIKELY = 1.2
_IGNORED = 0.0001
_KEPT_WITHIN_SCATTER = 0.25
# 1.7 cents each half second, for all but clocks that are far off.
_STEP_MAX = 0.001


class DriftEstimator:
    """One sender's clock against ours; `drift` is 0.01 when it runs 1% fast, 0 while nothing is certain."""

    def __init__(self) -> None:
        self.drift = 0.0
        self._believed = 0.0
        self._windows: deque[tuple[float, float, float]] = deque(maxlen=_WINDOWS_KEPT)
        self._ends_ms: float | None = None
        self._shortest = (0.0, 0.0)
        self._longest_ms = 0.0
        self._packets = 0

    def restart(self) -> None:
        """The sender began anew: its clock may be another."""
        self.drift = self._believed = 0.0
        self.forget()

    def forget(self) -> None:
        """The way through the network changed: what packets took before says nothing any more."""
        self._windows.clear()
        self._ends_ms = None
        self._packets = 0

    def hear(self, transit_ms: float, now_ms: float) -> None:
        """Takes what one packet took, up to a constant, and when it came."""
        if self._ends_ms is None or now_ms >= self._ends_ms:
            # In a sender's pause come two or three: too few to have had one without a wait.
            if self._packets >= _PACKETS_IN_WINDOW_MIN:
                self._windows.append((*self._shortest, self._longest_ms - self._shortest[1]))
                if len(self._windows) >= _WINDOWS_NEEDED:
                    self._estimate()
            self._packets = 0
            self._ends_ms = now_ms + _WINDOW_MS
            self._shortest, self._longest_ms = (now_ms, transit_ms), transit_ms
        elif transit_ms < self._shortest[1]:
            self._shortest = (now_ms, transit_ms)
        else:
            self._longest_ms = max(self._longest_ms, transit_ms)
        self._packets += 1

    def _estimate(self) -> None:
        at_ms, transit_ms, jitter_ms = np.array(self._windows).T
        half = len(at_ms) // 2
        slopes = (transit_ms[-half:] - transit_ms[:half]) / (at_ms[-half:] - at_ms[:half])
        slope = float(np.median(slopes))
        watched_ms = float(at_ms[-1] - at_ms[0])
        scatter_ms = _spread(transit_ms - slope * at_ms) + _ROUNDING_MS
        jitter_most_ms = float(np.percentile(jitter_ms, 97))
        queued_ms = max(jitter_most_ms, min(_QUEUE_MS, _OVER_JITTER * jitter_most_ms))
        found = -min(max(slope, -DRIFT_MAX), DRIFT_MAX)
        if abs(slope) * watched_ms > max(_OVER_SCATTER * scatter_ms, queued_ms) and abs(found) > _IGNORED:
            if abs(found - self._believed) * watched_ms > _KEPT_WITHIN_SCATTER * scatter_ms:
                self._believed = found
        elif _spread(transit_ms + self._believed * at_ms) > _LESS_LIKELY * _spread(transit_ms) + _ROUNDING_MS:
            # It was a queue after all: with no drift at all the waits are easier to explain.
            self._believed = 0.0
        most = max(_STEP_MAX, abs(self._believed - self.drift) / 2)
        self.drift += min(max(self._believed - self.drift, -most), most)


def _spread(waits_ms: npt.NDArray[np.float64]) -> float:
    """How far most of them lie apart."""
    least, most = np.percentile(waits_ms, (3, 97))
    return float(most - least)
