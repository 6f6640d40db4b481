from hypothesis import given
from hypothesis import strategies as st

from folkmoot.audience.leases import Leases
from folkmoot.audience.wire import Stamp

subjects = st.sampled_from(["account:1", "account:2", "space:1", "token:9"])
stamps = st.lists(st.tuples(subjects, st.integers(0, 5)), max_size=4).map(tuple)


def test_a_raised_counter_takes_the_right_of_older_stamps_only() -> None:
    leases = Leases()
    assert leases.hold(1, (("account:1", 3), ("space:1", 0)))
    assert leases.hold(2, (("account:1", 4), ("space:1", 0)))
    assert leases.raise_counters({"account:1": 4}) == {1}
    assert leases.raise_counters({"space:1": 1}) == {1, 2}


def test_a_revocation_that_overtook_its_listener_holds() -> None:
    leases = Leases()
    leases.raise_counters({"account:1": 4})
    assert not leases.hold(1, (("account:1", 3),))
    assert leases.hold(1, (("account:1", 4),))


def test_a_counter_never_falls() -> None:
    leases = Leases()
    leases.raise_counters({"account:1": 4})
    leases.raise_counters({"account:1": 2})
    assert not leases.hold(1, (("account:1", 3),))


def test_of_too_many_counters_the_one_told_longest_ago_is_forgotten() -> None:
    leases = Leases(counters_max=2)
    for subject in ("a", "b", "a", "c"):
        leases.raise_counters({subject: 1})
    assert not leases.hold(1, (("a", 0),))
    assert leases.hold(1, (("b", 0),))


@given(st.dictionaries(st.integers(0, 9), stamps), st.dictionaries(subjects, st.integers(0, 6)))
def test_exactly_the_holders_of_older_stamps_lose(
    holders: dict[int, tuple[Stamp, ...]], counters: dict[str, int]
) -> None:
    leases = Leases()
    for holder, held in holders.items():
        assert leases.hold(holder, held)
    lost = {
        holder for holder, held in holders.items() if any(counter < counters.get(name, 0) for name, counter in held)
    }
    assert leases.raise_counters(counters) == lost
    for holder, held in holders.items():
        leases.release(holder, held)
    assert leases.raise_counters(dict.fromkeys(counters, 99)) == set()
