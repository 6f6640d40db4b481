"""Which ranges can be clipped, and what a clip is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.clips.rules import description, require_range
from folkmoot.gate import Refused

MS = st.integers(-(10**13), 10**13)


@given(MS, MS, st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_range_that_is_let_through_is_there_and_has_the_right_length(
    start_ms: int, end_ms: int, from_ms: int, to_ms: int
) -> None:
    try:
        require_range(start_ms, end_ms, from_ms, to_ms)
    except Refused:
        return
    assert from_ms <= start_ms < end_ms <= to_ms
    assert 1_000 <= end_ms - start_ms <= 120_000


@pytest.mark.parametrize(("start_ms", "end_ms"), [(0, 1_000), (0, 120_000), (5_000, 65_000), (119_000, 120_000)])
def test_the_bounds_are_in(start_ms: int, end_ms: int) -> None:
    require_range(start_ms, end_ms, 0, 120_000)


def test_a_clip_is_called_by_its_title_and_place() -> None:
    assert description("The Moot", 65_400, 3_725_000) == "Clip of “The Moot”, 1:05–1:02:05"
