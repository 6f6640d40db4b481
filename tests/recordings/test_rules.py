"""Trimming a replay, and positions as people read them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.gate import Refused
from folkmoot.recordings.rules import clock, require_trim, spoken_ranges, without


@pytest.mark.parametrize("start_ms", [0, 1, 9_000])
def test_something_is_left(start_ms: int) -> None:
    require_trim(start_ms, 10_000, 10_000)


@pytest.mark.parametrize("start_ms", [-1, 9_001, 10_000, 10**15])
def test_nothing_would_be_left(start_ms: int) -> None:
    with pytest.raises(Refused) as refusal:
        require_trim(start_ms, 10_000, 10_000)
    assert refusal.value.status == 422


@pytest.mark.parametrize(("ms", "text"), [(0, "0:00"), (59_999, "0:59"), (65_000, "1:05"), (3_600_000, "1:00:00")])
def test_positions(ms: int, text: str) -> None:
    assert clock(ms) == text


def test_where_somebody_spoke_with_a_little_around_it_in_whole_steps() -> None:
    turns = [(1, 1_050, 2_000), (2, 1_900, 2_500), (1, 2_800, 3_210), (1, 9_000, 9_950)]
    assert spoken_ranges(turns, {1}, 10_000) == [(700, 3_600), (8_700, 10_000)]
    assert spoken_ranges(turns, {2}, 10_000) == [(1_600, 2_800)]
    assert spoken_ranges(turns, {3}, 10_000) == []


RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda one: (one[0], one[0] + one[1])))


@given(RANGES, RANGES)
def test_what_is_left_of_ranges_is_all_that_is_not_in_others(
    ranges: list[tuple[int, int]], taken: list[tuple[int, int]]
) -> None:
    left = without(sorted(ranges), sorted(taken))
    asked, gone, found = ({at for one in some for at in range(*one)} for some in (ranges, taken, left))
    assert found == asked - gone


def test_an_evening_of_turns_is_compared_in_one_go() -> None:
    turns = [(at * 2_000, at * 2_000 + 900) for at in range(20_000)]

    class Counted(list[tuple[int, int]]):
        looks = 0

        def __getitem__(self, at: Any) -> Any:
            self.looks += 1
            return super().__getitem__(at)

    taken = Counted(turns)
    assert without(turns, taken) == []
    assert taken.looks <= 6 * len(turns)
