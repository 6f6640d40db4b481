"""How many listen to each Space by HLS: an estimate, made of their requests alone.

Nothing is kept that could tell one listener from another: no address, no cookie, no identifier. A request vouches
for one listener for as long as the next one is expected to take, and only sums of that are kept, for seconds.
Pure: the time is an argument.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, TypeVar

PLAYLISTS_OVER_S = 8
"""Playlists are asked for several times a second or once in a target duration: their mean over this is steady."""
ASK_AGAIN_S = 20
ASK_AGAIN_S_MAX = 600
ASKS_PER_S = 50
"""So many requests a second of waiting listeners are worth asking the door whether there is room by now."""
ASK_LATE_SHARE = 0.25
"""A player adds up to twice this share of the time it was told, so that a crowd doesn't come back at once."""

Entries = TypeVar("Entries", bound=dict[int, Any])


class HlsEstimate:
    """Both ways of counting. What a cache answers never arrives here, so behind one playlists tell too little; our
    own player also asks the door now and then whether there is room, which no cache answers. The larger number is
    the better one: nobody is in it twice, as a sum would have it.
    """

    def __init__(self) -> None:
        self._playlists: dict[int, dict[int, float]] = defaultdict(dict)
        self._leaving: dict[int, Counter[int]] = defaultdict(Counter)

    def playlist(self, space_id: int, every_s: float, now_s: float) -> None:
        """A player asked for the live playlist, and will do so again in about `every_s`."""
        sums = self._playlists[space_id]
        sums[int(now_s)] = sums.get(int(now_s), 0.0) + every_s

    def sent_away(self, space_id: int, now_s: float) -> int:
        """A listener finds no room and goes to HLS. Returns after how many seconds to ask again."""
        again_s = min(ASK_AGAIN_S_MAX, max(ASK_AGAIN_S, self._waiting(now_s) // ASKS_PER_S))
        self._leaving[space_id][int(now_s + again_s * (1 + ASK_LATE_SHARE))] += 1
        return again_s

    def counts(self, now_s: float) -> dict[int, int]:
        """The estimate for each Space that has any."""
        self._forget(now_s)
        counts = {
            space_id: round(sum(sums.values()) / PLAYLISTS_OVER_S) for space_id, sums in self._playlists.items()
        }
        for space_id, leaving in self._leaving.items():
            counts[space_id] = max(counts.get(space_id, 0), leaving.total())
        return {space_id: count for space_id, count in counts.items() if count}

    def _waiting(self, now_s: float) -> int:
        self._forget(now_s)
        return sum(leaving.total() for leaving in self._leaving.values())

    def _forget(self, now_s: float) -> None:
        _forget_before(self._playlists, int(now_s) - PLAYLISTS_OVER_S)
        _forget_before(self._leaving, int(now_s))


def _forget_before(tables: dict[int, Entries], second: int) -> None:
    """Drops every entry of a second before this one, and each Space that has none left."""
    for space_id, entries in list(tables.items()):
        for past in [at for at in entries if at < second]:
            del entries[past]
        if not entries:
            del tables[space_id]
