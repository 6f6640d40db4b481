"""Two rows of parts, one signed and one found: where they differ, and how the one became the other. Pure.

Parts are the same when they say the same (note and sound); what stands elsewhere than it was signed is matched too,
so that a cut in the middle is one difference, not everything behind it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from folkmoot.tape.leaf import SAID_OFFSET

_SURE_PARTS = 10  # so many in a row are no coincidence, as single silent ones are


class Difference(NamedTuple):
    """The signed parts `[signed, signed_end)` were replaced by the found ones `[found, found_end)`."""

    signed: int
    signed_end: int
    found: int
    found_end: int


class Pairing(NamedTuple):
    """What differs, and what is the same but stands elsewhere: (signed, found) numbers."""

    differences: list[Difference]
    moved: list[tuple[int, int]]


def pair(signed: Sequence[bytes], found: Sequence[bytes]) -> Pairing:
    """Compare encoded leaves; a found one that couldn't be read is empty, and the same as no other."""
    rows = _Rows(signed, found)
    differences: list[Difference] = []
    moved: list[tuple[int, int]] = []
    i = j = 0
    while i < len(signed) and j < len(found):
        if signed[i] == found[j]:
            i, j = i + 1, j + 1
        elif rows.same(i, j):
            moved.append((i, j))
            i, j = i + 1, j + 1
        else:
            next_i, next_j = rows.resume(i, j)
            differences.append(Difference(i, next_i, j, next_j))
            i, j = next_i, next_j
    if i < len(signed) or j < len(found):
        differences.append(Difference(i, len(signed), j, len(found)))
    return Pairing(differences, moved)


class _Rows:
    def __init__(self, signed: Sequence[bytes], found: Sequence[bytes]) -> None:
        self._signed = [leaf[SAID_OFFSET:] for leaf in signed]
        self._found = [leaf[SAID_OFFSET:] for leaf in found]
        self._places: dict[bytes, list[int]] | None = None

    def same(self, i: int, j: int) -> bool:
        return self._signed[i] == self._found[j]

    def resume(self, i: int, j: int) -> tuple[int, int]:
        """The nearest place behind a difference from where both go on alike; the ends, if there is none."""
        best, distance = (len(self._signed), len(self._found)), len(self._signed) - i + len(self._found) - j
        for next_j in range(j, len(self._found)):
            inserted = next_j - j
            if inserted >= distance:
                break
            for next_i in self._candidates(i, i + inserted, next_j):
                if next_i - i + inserted < distance and self._alike(next_i, next_j):
                    best, distance = (next_i, next_j), next_i - i + inserted
        return best

    def _candidates(self, i: int, straight_i: int, j: int) -> Iterator[int]:
        """Where among the signed parts from `i` on found part `j` may stand: straight ahead, or next."""
        if straight_i < len(self._signed) and self.same(straight_i, j):
            yield straight_i
        if self._places is None:
            self._places = {}
            for place, said in enumerate(self._signed):
                self._places.setdefault(said, []).append(place)
        places = self._places.get(self._found[j], [])
        at = bisect_left(places, i)
        if at < len(places):
            yield places[at]

    def _alike(self, i: int, j: int) -> bool:
        count = min(_SURE_PARTS, len(self._signed) - i, len(self._found) - j)
        if i - j == 0:  # nothing is shifted: one that is the same is enough
            count = min(count, 1)
        return self._signed[i : i + count] == self._found[j : j + count]
