"""How much faster or slower a sender's sample clock runs than ours, from when its packets arrive. Pure.

What a packet took (arrival less timestamp) creeps when the clocks differ. Waits on the way only ever add to it, so
the shortest of each half second is looked at, and the slope of those by the median of all slopes between them that
are far enough apart (Theil and Sen): a burst of late packets doesn't move it.
"""

from collections import deque

import numpy as np

DRIFT_MAX = 0.025
"""Sample clocks that are further off than this are broken: 2.5%, near half a semitone."""

_WINDOW_MS = 500.0
_WINDOWS_KEPT = 24
_PACKETS_IN_WINDOW_MIN = 5
_WINDOWS_NEEDED = 3
_JUMP_MS = 60.0
_TRUSTED_OVER_SPREAD = 6.0
_SPREAD_MS_MIN = 0.3
_IGNORED = 0.0001
_STEP_MAX = 0.003
_STEP_MIN = 0.0002
_KEPT_IF_NEAR = 0.002


class DriftEstimator:
    """One sender's clock against ours; `drift` is 0.01 when it runs 1% fast, 0 while nothing is certain."""

    def __init__(self) -> None:
        self.drift = 0.0
        self._windows: deque[tuple[float, float, float]] = deque(maxlen=_WINDOWS_KEPT)
        self._ends_ms: float | None = None
        self._shortest = (0.0, 0.0)
        self._longest_ms = 0.0
        self._packets = 0

    def restart(self) -> None:
        """The sender began anew: its clock may be another."""
        self.drift = 0.0
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
                self._close_window()
            self._packets = 0
            self._ends_ms = now_ms + _WINDOW_MS
            self._shortest, self._longest_ms = (now_ms, transit_ms), transit_ms
        elif transit_ms < self._shortest[1]:
            self._shortest = (now_ms, transit_ms)
        else:
            self._longest_ms = max(self._longest_ms, transit_ms)
        self._packets += 1

    def _close_window(self) -> None:
        if self._windows:
            before_ms, transit_ms, _ = self._windows[-1]
            expected_ms = transit_ms - self.drift * (self._shortest[0] - before_ms)
            if abs(self._shortest[1] - expected_ms) > _JUMP_MS:
                self._windows.clear()
        self._windows.append((*self._shortest, self._longest_ms - self._shortest[1]))
        if len(self._windows) >= _WINDOWS_NEEDED:
            self._estimate()

    def _estimate(self) -> None:
        at_ms, transit_ms, jitter_ms = np.array(self._windows).T
        early, late = np.triu_indices(len(at_ms), max(1, len(at_ms) // 3))
        slope = float(np.median((transit_ms[late] - transit_ms[early]) / (at_ms[late] - at_ms[early])))
        found = -min(max(slope, -DRIFT_MAX), DRIFT_MAX)
        rest_ms = transit_ms - slope * at_ms
        # The shortest of 25 evenly spread waits is on average a 25th of the longest.
        spread_ms = max(np.median(np.abs(rest_ms - np.median(rest_ms))), np.median(jitter_ms) / 25, _SPREAD_MS_MIN)
        certain = abs(slope) * (at_ms[-1] - at_ms[0]) > _TRUSTED_OVER_SPREAD * spread_ms
        if not certain or abs(found) < _IGNORED:
            # Looked at for long enough, a slope that can't be told from none is none.
            if len(self._windows) < _WINDOWS_KEPT or abs(found - self.drift) < _KEPT_IF_NEAR:
                return
            found = 0.0
        if found == 0 or abs(found - self.drift) > _STEP_MIN:
            most = max(_STEP_MAX, abs(found - self.drift) / 2)
            self.drift += min(max(found - self.drift, -most), most)
