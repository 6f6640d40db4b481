"""How many people and posts the server has: counted now and then, for every client asks at every start."""

import asyncio

from folkmoot.accounts import queries
from folkmoot.accounts.model import Counts, Week
from folkmoot.storage.database import Read

GOOD_FOR_MS = 10 * 60 * 1000
WEEKS = 12
_WEEK_MS = 7 * 86_400_000
_MONDAY_MS = 4 * 86_400_000  # the first after 1970-01-01, a Thursday


class ServerCounts:
    """Numbers of the whole server, which name nobody; at most ten minutes old."""

    def __init__(self) -> None:
        self._counts: Counts | None = None
        self._counted_at_ms = 0
        self._weeks: list[Week] = []
        self._weeks_at_ms = 0
        self._counting = asyncio.Lock()  # one counts; who asks meanwhile is told what was counted before

    async def get(self, read: Read) -> Counts:
        if self._counts is not None and (self._is_fresh(read, self._counted_at_ms) or self._counting.locked()):
            return self._counts
        async with self._counting:
            if self._counts is None or not self._is_fresh(read, self._counted_at_ms):
                self._counts = await queries.counts(read)
                self._counted_at_ms = read.now_ms
            return self._counts

    async def weeks(self, read: Read) -> list[Week]:
        """The last twelve, from Mondays on (UTC), the one that goes on first. What has gone by is counted once."""
        if self._weeks and (self._is_fresh(read, self._weeks_at_ms) or self._counting.locked()):
            return self._weeks
        async with self._counting:
            if not self._weeks or not self._is_fresh(read, self._weeks_at_ms):
                began_ms = read.now_ms - (read.now_ms - _MONDAY_MS) % _WEEK_MS
                over = {one.began_ms: one for one in self._weeks if one.began_ms + _WEEK_MS <= self._weeks_at_ms}
                wanted = [began_ms - number * _WEEK_MS for number in range(WEEKS)]
                self._weeks = [over.get(one) or await queries.week(read, one) for one in wanted]
                self._weeks_at_ms = read.now_ms
            return self._weeks

    def _is_fresh(self, read: Read, counted_at_ms: int) -> bool:
        return read.now_ms - counted_at_ms < GOOD_FOR_MS
