"""Leases: what stays open ends when a right is lost. Pure: counters come in, ended leases' callbacks go out.

A lease lives in the memory of the process that holds the connection. It is keyed by opaque subjects, each with the
revocation counter under which it was granted; when any of them rises, the lease ends, at once and once.
"""

from collections.abc import Callable, Iterable, Mapping

import structlog

from folkmoot.gate.model import Refused, Stamp

log = structlog.get_logger(__name__)
COUNTERS_MAX = 100_000


class Lease:
    """One thing that stays open. `release()` when it closes by itself."""

    __slots__ = ("_book", "_on_end", "is_open", "stamps")

    def __init__(self, book: "LeaseBook", stamps: tuple[Stamp, ...], on_end: Callable[[str], None]) -> None:
        self._book = book
        self._on_end = on_end
        self.stamps = stamps
        self.is_open = True

    def release(self) -> None:
        self._book._forget(self)

    def _end(self, subject: str) -> None:
        self._book._forget(self)
        try:
            self._on_end(subject)
        except Exception:
            # One connection that can't be closed must not keep the others open.
            log.exception("lease.end_failed", subject=subject)


class LeaseBook:
    """All leases of one process. Not thread-safe: one loop owns it."""

    def __init__(self, counters_max: int = COUNTERS_MAX) -> None:
        self._by_subject: dict[str, set[Lease]] = {}
        # The highest counters heard of. A lease can be asked for with stamps that were read before an event
        # which has already been handled here: without this memory it would slip through until the sweep. Of more
        # than `counters_max` the one heard of longest ago is forgotten, and left to the sweep.
        self._known: dict[str, int] = {}
        self._counters_max = counters_max

    def hold(self, stamps: Iterable[Stamp], on_end: Callable[[str], None]) -> Lease:
        """Grant a lease. `on_end(subject)` is called at most once, when a subject's counter rises.

        Raises Refused (`revoked`) if a stamp is already out of date.
        """
        lease = Lease(self, tuple(stamps), on_end)
        for stamp in lease.stamps:
            if self._known.get(stamp.subject, 0) > stamp.counter:
                raise Refused("revoked", "The right to this has ended.", status=403)
        for stamp in lease.stamps:
            self._by_subject.setdefault(stamp.subject, set()).add(lease)
        return lease

    def raised(self, subject: str, counter: int) -> None:
        """A counter rose (an event, or the sweep, says so): end what was granted under a lower one."""
        self._remember(subject, counter)
        stale = [
            lease
            for lease in self._by_subject.get(subject, ())
            if any(stamp.subject == subject and stamp.counter < counter for stamp in lease.stamps)
        ]
        for lease in stale:
            if lease.is_open:
                lease._end(subject)

    def compare(self, counters: Mapping[str, int]) -> None:
        """The sweep: the counters as the database has them now."""
        for subject, counter in counters.items():
            self.raised(subject, counter)

    def subjects(self) -> list[str]:
        """Every subject that a lease hangs on."""
        return list(self._by_subject)

    def __len__(self) -> int:
        return len({lease for leases in self._by_subject.values() for lease in leases})

    def _remember(self, subject: str, counter: int) -> None:
        known = max(counter, self._known.pop(subject, 0))
        if known > 0:
            self._known[subject] = known
        if len(self._known) > self._counters_max:
            del self._known[next(iter(self._known))]

    def _forget(self, lease: Lease) -> None:
        lease.is_open = False
        for stamp in lease.stamps:
            leases = self._by_subject.get(stamp.subject)
            if leases is not None:
                leases.discard(lease)
                if not leases:
                    del self._by_subject[stamp.subject]
