"""Whether another listener is let in, or sent to HLS. Pure: readings and the time come in, a decision goes out.

A listener who comes when the workers are late already would make it worse for everybody who listens. So new ones
are turned away before that is heard, and let in again once it has been quiet for a while.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from folkmoot.audience.fanout import LATENESS_MS
from folkmoot.audience.wire import Report

LATE_MS = 250
LATE_SHARE_MAX = 0.1
LOOKS = 4
"""Of so many looks the share is taken: a bad moment of the machine would turn newcomers away for all of QUIET_S."""
QUIET_S = 10.0
FREE_MEMORY_MB_MIN = 128.0
CROWD_MIN = 1_000
"""With fewer listeners connected it is not they who make the workers late, and turning one away would not help."""

_LATE_BUCKET = LATENESS_MS.index(LATE_MS) + 1


class Ceiling:
    """`listeners_max` is the operator's limit over all workers; None: as many as the machine carries."""

    def __init__(self, listeners_max: int | None = None) -> None:
        self._listeners_max = listeners_max
        self._ticks: deque[list[int]] = deque(maxlen=LOOKS + 1)
        self._strained_s: float | None = None

    def look(self, reports: Sequence[Report], free_memory_mb: float, now_s: float) -> None:
        """What the workers and the machine say, a few times a second."""
        ticks = [sum(column) for column in zip(*(report.lateness for report in reports), strict=True)]
        is_crowd = sum(report.connected for report in reports) >= CROWD_MIN
        if self._ticks and not _go_on(self._ticks[-1], ticks):
            self._ticks.clear()
        self._ticks.append(ticks)
        is_late = is_crowd and _late_share(self._ticks[0], ticks) > LATE_SHARE_MAX
        if is_late or free_memory_mb < FREE_MEMORY_MB_MIN:
            self._strained_s = now_s

    def is_reached(self, connected: int, now_s: float) -> bool:
        """Whether the next listener is one too many beside so many connected ones."""
        if self._listeners_max is not None and connected >= self._listeners_max:
            return True
        return self._strained_s is not None and now_s - self._strained_s < QUIET_S


def _go_on(before: Sequence[int], now: Sequence[int]) -> bool:
    """Whether these are the same workers: a new one begins at 0, and says nothing until the next look."""
    return len(before) == len(now) and all(old <= new for old, new in zip(before, now, strict=True))


def _late_share(before: Sequence[int], now: Sequence[int]) -> float:
    """The share of ticks between two looks that began too late."""
    ticks = [new - old for new, old in zip(now, before, strict=True)]
    return sum(ticks[_LATE_BUCKET:]) / sum(ticks) if sum(ticks) else 0.0
