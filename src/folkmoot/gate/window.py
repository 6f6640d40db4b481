"""Which raised counters to ask the database for, so that none is missed. Pure: the time is an argument."""

from collections.abc import Mapping, Sequence
from itertools import islice

OVERLAP_MS = 60_000
SLICE_SUBJECTS = 1_000


class Window:
    """The time since the last answer, and a minute more: a writer's clock may lag, a commit may be late.

    What that can't catch (a clock that was wrong for longer) is left to the comparison of what is held, slice by
    slice.
    """

    def __init__(self) -> None:
        self._answered_ms: int | None = None
        self._compared = 0

    def since_ms(self, now_ms: int) -> int:
        """From when on to ask. A clock that stepped back widens the window to its new time."""
        answered_ms = now_ms if self._answered_ms is None else min(self._answered_ms, now_ms)
        return answered_ms - OVERLAP_MS

    def answered(self, asked_at_ms: int) -> None:
        """The question asked at this time got its answer; one without an answer leaves the window open."""
        self._answered_ms = asked_at_ms

    def next_slice(self, held: Sequence[str]) -> list[str]:
        """The next thousand of the held subjects, round and round: few are compared whole each time."""
        if self._compared >= len(held):
            self._compared = 0
        chosen = list(islice(held, self._compared, self._compared + SLICE_SUBJECTS))
        self._compared += len(chosen)
        return chosen


class Told:
    """Which counters were passed on, so that the window's overlap doesn't tell them again and again."""

    def __init__(self) -> None:
        self._counters: dict[str, int] = {}

    def news(self, counters: Mapping[str, int]) -> dict[str, int]:
        """Those that are higher than told before. What is in no answer any more is forgotten."""
        news = {
            subject: counter for subject, counter in counters.items() if counter > self._counters.get(subject, 0)
        }
        self._counters = dict(counters)
        return news
