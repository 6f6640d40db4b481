"""Trimming a replay, and positions as people read them."""

import pytest

from folkmoot.gate import Refused
from folkmoot.recordings.rules import clock, require_trim


@pytest.mark.parametrize("start_ms", [0, 1, 9_000])
def test_something_is_left(start_ms: int) -> None:
    require_trim(start_ms, 10_000)


@pytest.mark.parametrize("start_ms", [-1, 9_001, 10_000, 10**15])
def test_nothing_would_be_left(start_ms: int) -> None:
    with pytest.raises(Refused) as refusal:
        require_trim(start_ms, 10_000)
    assert refusal.value.status == 422


@pytest.mark.parametrize(("ms", "text"), [(0, "0:00"), (59_999, "0:59"), (65_000, "1:05"), (3_600_000, "1:00:00")])
def test_positions(ms: int, text: str) -> None:
    assert clock(ms) == text
