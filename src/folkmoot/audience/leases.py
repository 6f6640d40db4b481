"""Which connected sockets hang on which subject: the audience's side of the gate's leases."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from folkmoot.audience.wire import Stamp

COUNTERS_MAX = 100_000


class Leases:
    """An index from subject to the holders (sockets) of its stamps, and the newest counters that were told.

    The counters outlive their holders, because a listener admitted under an old counter may still be on the way
    here. Of more than `counters_max` subjects the one told longest ago is forgotten.
    """

    def __init__(self, counters_max: int = COUNTERS_MAX) -> None:
        self._counters: dict[str, int] = {}
        self._counters_max = counters_max
        self._holders: dict[str, dict[int, int]] = {}

    def hold(self, holder: int, stamps: Iterable[Stamp]) -> bool:
        """Indexes a holder. False, and nothing indexed, when one of the stamps has been revoked already."""
        stamps = tuple(stamps)
        if self.are_over(stamps):
            return False
        for subject, counter in stamps:
            holders = self._holders.setdefault(subject, {})
            holders[holder] = min(counter, holders.get(holder, counter))
        return True

    def are_over(self, stamps: Iterable[Stamp]) -> bool:
        """Whether one of them has been revoked, as far as was told."""
        return any(counter < self._counters.get(subject, 0) for subject, counter in stamps)

    def release(self, holder: int, stamps: Iterable[Stamp]) -> None:
        """Forgets a holder."""
        for subject, _ in stamps:
            holders = self._holders.get(subject)
            if holders is not None:
                holders.pop(holder, None)
                if not holders:
                    del self._holders[subject]

    def subjects(self) -> list[str]:
        """Every subject that a holder hangs on."""
        return list(self._holders)

    def raise_counters(self, counters: Mapping[str, int]) -> set[int]:
        """Takes note of raised counters; returns the holders of an older stamp, who lost their right."""
        lost: set[int] = set()
        for subject, counter in counters.items():
            known = max(counter, self._counters.pop(subject, 0))
            self._counters[subject] = known
            holders = self._holders.get(subject, {})
            lost.update(holder for holder, held in holders.items() if held < known)
        while len(self._counters) > self._counters_max:
            del self._counters[next(iter(self._counters))]
        return lost


class RevocationSource(Protocol):
    """Where raised counters come from. The wiring decides how; neither method may block."""

    def poll(self) -> Mapping[str, int]:
        """Subjects whose counter was raised since the last call, with the counter they have now.

        The first call also returns those raised during the last minute: a listener may have been admitted
        before this worker started. Called every 200 ms, and when `fileno` is readable.
        """

    def fileno(self) -> int | None:
        """A descriptor that becomes readable when there is something to poll (`poll` drains it), or None."""

    def compare(self, subjects: Collection[str]) -> None:
        """Look these up whenever they were raised, for the next `poll`: now and then, should a clock have lied."""
