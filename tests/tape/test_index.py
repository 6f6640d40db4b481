from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.tape import index
from folkmoot.tape.model import Codec, PartRef, TapeDamaged

u32 = st.integers(0, 2**32 - 1)
refs = st.builds(
    PartRef,
    codec=st.just(Codec.AAC),
    number=st.just(0),
    start_samples=st.integers(0, 2**64 - 1),
    duration_samples=u32,
    offset=st.integers(0, 2**64 - 1),
    length=u32,
    header_bytes=st.integers(0, 2**16 - 1),
    segment=u32,
    checksum=u32,
    peak=st.integers(0, 255),
    has_note=st.booleans(),
    gap=st.booleans(),
)


@given(refs)
def test_a_record_comes_back(ref: PartRef) -> None:
    data = index.record(ref)
    assert len(data) == index.RECORD_BYTES
    assert index.parse_record(Codec.AAC, 0, data) == ref


@given(refs, st.integers(0, index.RECORD_BYTES - 1), st.integers(1, 255))
def test_a_damaged_record_is_noticed(ref: PartRef, at: int, flip: int) -> None:
    data = bytearray(index.record(ref))
    data[at] ^= flip
    with pytest.raises(TapeDamaged):
        index.parse_record(Codec.AAC, 0, bytes(data))


@given(st.binary(max_size=200))
def test_garbage_is_a_typed_error_or_no_record_at_all(data: bytes) -> None:
    whole = len(data) // index.RECORD_BYTES
    if whole:
        with pytest.raises(TapeDamaged):
            index.parse_records(Codec.OPUS, 0, data)
    else:
        assert index.parse_records(Codec.OPUS, 0, data) == []
    with pytest.raises(TapeDamaged):
        index.parse_header(data)


@given(st.lists(refs, max_size=5))
def test_columns_say_what_records_say(listed: list[PartRef]) -> None:
    data = b"".join(map(index.record, listed))
    block = index.columns(data + b"torn")
    assert block["start_samples"].tolist() == [ref.start_samples for ref in listed]
    assert block["peak"].tolist() == [ref.peak for ref in listed]
    assert index.has_note(block).tolist() == [ref.has_note for ref in listed]
    assert np.all(block["header_bytes"] == [ref.header_bytes for ref in listed])


def test_a_header_comes_back() -> None:
    for codec in Codec:
        for ended in (False, True):
            assert index.parse_header(index.header(codec, ended=ended)) == (codec, ended)


def test_the_end_is_one_byte_of_the_header() -> None:
    running, ended = index.header(Codec.AAC), index.header(Codec.AAC, ended=True)
    differing = [at for at in range(index.HEADER_BYTES) if running[at] != ended[at]]
    assert differing == [index.ENDED_OFFSET]


def test_a_partial_record_is_not_counted() -> None:
    for extra in range(index.RECORD_BYTES):
        assert index.record_count(index.record_offset(3) + extra) == 3
    assert index.record_count(0) == 0
