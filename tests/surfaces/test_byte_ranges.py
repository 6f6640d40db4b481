"""Ranges of bytes, as RFC 9110 has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.surfaces.byte_ranges import Unsatisfiable, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
    ],
)
def test_a_range(header: str, expected: tuple[int, int]) -> None:
    found = parse_range(header, 100)
    assert found is not None
    assert (found.start, found.end) == expected


@pytest.mark.parametrize("header", [None, "", "bytes=", "bytes=-", "bytes=5-3", "bytes=0-1,5-6", "lines=1-2", "x"])
def test_what_is_no_single_range_asks_for_the_whole(header: str | None) -> None:
    assert parse_range(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_what_begins_behind_the_end_cannot_be_answered(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, 100)


@given(st.text(max_size=30) | st.from_regex(r"bytes=[0-9]*-[0-9]*", fullmatch=True), st.integers(1, 10**6))
def test_whatever_is_asked_for_the_answer_lies_in_the_file(header: str, size_bytes: int) -> None:
    try:
        found = parse_range(header, size_bytes)
    except Unsatisfiable:
        return
    assert found is None or 0 <= found.start < found.end <= size_bytes
