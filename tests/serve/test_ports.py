"""Shares of the UDP ports: disjoint, within the range, given back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.serve.ports import NoPortsLeft, PortShares, shares
from folkmoot.settings import UDP_PORTS_PER_STAGE

ports = st.builds(
    lambda first, count: range(first, min(first + count, 65_536)), st.integers(1024, 65_000), st.integers(0, 1_000)
)


@given(ports, st.lists(st.tuples(st.booleans(), st.integers(0, 9))))
def test_no_two_have_the_same_port_and_none_is_outside(ports: range, steps: list[tuple[bool, int]]) -> None:
    made = PortShares(ports)
    held: dict[str, range] = {}
    for takes, number in steps:
        owner = f"stage-{number}"
        if not takes:
            made.give_back(owner)
            held.pop(owner, None)
            continue
        try:
            share = made.take(owner)
        except NoPortsLeft:
            assert len(held) == len(shares(ports))
            assert owner not in held
            continue
        assert share is not None
        assert held.get(owner, share) == share
        held[owner] = share
        used = [port for one in held.values() for port in one]
        assert len(used) == len(set(used)) == len(held) * UDP_PORTS_PER_STAGE
        assert set(used) <= set(ports)


def test_without_a_range_everybody_may_take_any() -> None:
    made = PortShares(None)
    assert [made.take(f"stage-{number}") for number in range(100)] == [None] * 100


def test_what_was_given_back_is_used_last() -> None:
    made = PortShares(range(50_000, 50_000 + 3 * UDP_PORTS_PER_STAGE))
    first, second = made.take("one"), made.take("two")
    made.give_back("one")
    assert made.take("three") not in (first, second)
    assert made.take("four") == first
    with pytest.raises(NoPortsLeft, match="enough for 3 live Spaces"):
        made.take("five")
