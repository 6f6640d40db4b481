"""How many people and posts the server has: counted now and then, for every client asks at every start."""

from folkmoot.accounts import queries
from folkmoot.accounts.model import Counts
from folkmoot.storage.database import Read

GOOD_FOR_MS = 10 * 60 * 1000


class ServerCounts:
    """Numbers of the whole server, which name nobody; at most ten minutes old."""

    def __init__(self) -> None:
        self._counts: Counts | None = None
        self._counted_at_ms = 0

    async def get(self, read: Read) -> Counts:
        if self._counts is None or read.now_ms - self._counted_at_ms >= GOOD_FOR_MS:
            self._counts = await queries.counts(read)
            self._counted_at_ms = read.now_ms
        return self._counts
