"""Leases: any interleaving of holding, events and sweeps, with events lost, doubled and out of order."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from folkmoot.gate import Lease, LeaseBook, Refused, Stamp

SUBJECTS = st.sampled_from(["account:1", "account:2", "space:5", "seat:5:1"])


class Leases(RuleBasedStateMachine):
    """`truth` is the database. Events travel separately from it: some arrive late, twice, or never."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.book = LeaseBook()
        self.truth: Counter[str] = Counter()
        self.sent: list[tuple[str, int]] = []
        self.ends: Counter[int] = Counter()
        self.released: set[int] = set()
        self.leases: list[Lease] = []

    @rule(subject=SUBJECTS)
    def a_right_is_lost(self, subject: str) -> None:
        self.truth[subject] += 1
        self.sent.append((subject, self.truth[subject]))

    @rule(data=st.data())
    def any_event_arrives_or_arrives_again(self, data: st.DataObject) -> None:
        if self.sent:
            self.book.raised(*data.draw(st.sampled_from(self.sent)))

    @rule(target=held, subjects=st.lists(SUBJECTS, min_size=1, max_size=3), age=st.integers(0, 2))
    def somebody_holds_with_stamps_read_a_while_ago(self, subjects: list[str], age: int) -> int | None:
        stamps = [Stamp(subject, max(0, self.truth[subject] - age)) for subject in subjects]
        number = len(self.leases)
        try:
            self.leases.append(self.book.hold(stamps, self._count_end(number)))
        except Refused:
            assert any(stamp.counter < self.truth[stamp.subject] for stamp in stamps), "refused without a loss"
            return None
        return number

    @rule(number=consumes(held))
    def somebody_leaves(self, number: int | None) -> None:
        if number is not None:
            self.leases[number].release()
            self.released.add(number)

    @rule()
    def the_sweep(self) -> None:
        # Held subjects only, as the watch does; the counters may be those of a moment ago, but never less than
        # what they were when the sweep began.
        self.book.compare({subject: self.truth[subject] for subject in self.book.subjects()})
        for lease in self.leases:
            if lease.is_open:
                assert all(stamp.counter >= self.truth[stamp.subject] for stamp in lease.stamps)

    @invariant()
    def each_ends_at_most_once_and_never_without_a_loss(self) -> None:
        for number, lease in enumerate(self.leases):
            ended = self.ends[number]
            assert ended <= 1
            assert lease.is_open == (ended == 0 and number not in self.released)
            if ended:
                assert any(stamp.counter < self.truth[stamp.subject] for stamp in lease.stamps)

    @invariant()
    def nothing_that_is_over_is_remembered(self) -> None:
        assert len(self.book) == sum(lease.is_open for lease in self.leases)

    def _count_end(self, number: int) -> Callable[[str], None]:
        def on_end(subject: str) -> None:
            assert number not in self.released, "a lease that was given back is no longer anybody's business"
            self.ends[number] += 1

        return on_end


TestLeases = Leases.TestCase


def test_stamps_read_before_an_event_that_was_handled_meanwhile_hold_nothing() -> None:
    book = LeaseBook()
    stamps = [Stamp("account:1", 0)]
    book.raised("account:1", 1)
    with pytest.raises(Refused, match="ended"):
        book.hold(stamps, lambda subject: None)
    assert len(book) == 0


def test_one_connection_that_cannot_be_closed_keeps_no_other_open() -> None:
    book = LeaseBook()
    closed: list[str] = []

    def breaks(subject: str) -> None:
        raise OSError("the socket is gone")

    for on_end in (closed.append, breaks, closed.append):
        book.hold([Stamp("account:1", 0)], on_end)
    book.raised("account:1", 1)
    assert closed == ["account:1", "account:1"]
    assert len(book) == 0


def test_an_end_that_ends_another_lease_does_it_once() -> None:
    book = LeaseBook()
    leases: list[Lease] = []
    ended: list[str] = []

    def end_all(subject: str) -> None:
        ended.append(subject)
        for lease in leases:
            lease.release()

    leases += [book.hold([Stamp("account:1", 0)], end_all) for _ in range(2)]
    book.raised("account:1", 1)
    assert ended == ["account:1"]
    assert not any(lease.is_open for lease in leases)


def test_what_was_heard_of_is_bounded_and_the_sweep_catches_what_was_forgotten() -> None:
    book = LeaseBook(counters_max=2)
    ended: list[str] = []
    for number in (1, 2, 3):
        book.raised(f"account:{number}", 1)
    book.hold([Stamp("account:1", 0)], ended.append)
    with pytest.raises(Refused):
        book.hold([Stamp("account:3", 0)], ended.append)
    book.compare({"account:1": 1})
    assert ended == ["account:1"]
