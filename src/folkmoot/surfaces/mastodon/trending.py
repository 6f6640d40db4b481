"""Which tags, posts and links may be trends now: looked up now and then, for every client asks. Nothing of it is
shown from here: whoever asks is given what the gate admits at that moment."""

from collections.abc import Callable, Mapping, Sequence

from folkmoot.gate import Gate
from folkmoot.storage.database import Read
from folkmoot.timelines.trends import queries
from folkmoot.timelines.trends.model import Candidates, Use
from folkmoot.timelines.trends.rules import PEOPLE_MIN

GOOD_FOR_MS = 5 * 60 * 1000


class Trending:
    """Ids and names, at most five minutes old."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._candidates = Candidates()
        self._looked_at_ms: int | None = None

    async def get(self, read: Read) -> Candidates:
        now_ms = self._clock_ms()
        if self._looked_at_ms is None or now_ms - self._looked_at_ms >= GOOD_FOR_MS:
            self._candidates = await queries.candidates(read)
            self._looked_at_ms = now_ms
        return self._candidates


async def shared(read: Read, gate: Gate, found: Mapping[str, Sequence[Use]]) -> dict[str, list[Use]]:
    """What is left of tags or links when only those count who are shown to everybody now, by posts that are still
    there. Two statements."""
    listed = await gate.listed(read, [use for uses in found.values() for use in uses])
    kept: dict[str, list[Use]] = {}
    for use in await queries.still_there(read, listed):
        kept.setdefault(use.what, []).append(use)
    return {what: uses for what, uses in kept.items() if len(uses) >= PEOPLE_MIN}
