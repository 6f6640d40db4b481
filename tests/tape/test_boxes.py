from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.tape import boxes
from folkmoot.tape.model import CODEC_CONFIGS, Codec, CodecConfig, Note

notes = st.builds(
    Note,
    speaking=st.lists(st.integers(1, 10_000), max_size=13).map(tuple),
    listeners=st.integers(0, 10**9),
    reactions=st.dictionaries(st.text(max_size=8), st.integers(0, 10**9), max_size=6),
    roster=st.integers(0, 2**31),
    gap=st.booleans(),
)
frames = st.lists(st.binary(max_size=60), max_size=8)


def chunk(
    coded: list[bytes],
    note: Note | None = None,
    *,
    sequence: int = 1,
    start_samples: int = 0,
    frame_samples: int = 960,
) -> bytes:
    event = b"" if note is None else boxes.note_event(note, start_samples, sequence)
    head = boxes.chunk_header(sequence, start_samples, frame_samples, [len(frame) for frame in coded], event)
    return head + b"".join(coded)


@given(
    frames, st.none() | notes, st.integers(1, 2**32 - 1), st.integers(0, 2**64 - 1), st.sampled_from([960, 1024])
)
def test_a_chunk_comes_back(
    coded: list[bytes], note: Note | None, sequence: int, start_samples: int, frame_samples: int
) -> None:
    data = chunk(coded, note, sequence=sequence, start_samples=start_samples, frame_samples=frame_samples)
    assert boxes.parse_chunk(data) == boxes.Chunk(sequence, start_samples, frame_samples, tuple(coded), note)
    assert boxes.leading_note(data) == note
    head = data[: len(data) - sum(map(len, coded))]
    assert boxes.frame_sizes(head, len(coded)) == tuple(map(len, coded))


@given(notes, st.integers(0, 2**64 - 1))
def test_a_note_comes_back_with_its_time(note: Note, at_samples: int) -> None:
    assert boxes.parse_note_event(boxes.note_event(note, at_samples, 7)) == (at_samples, note)


@given(st.binary(max_size=300))
def test_garbage_is_a_typed_error(data: bytes) -> None:
    for parse in (boxes.parse_chunk, boxes.parse_init_segment, boxes.parse_note_event):
        with pytest.raises(boxes.BoxError):
            parse(data)


@given(frames, notes, st.data())
def test_a_damaged_chunk_is_an_error_or_another_chunk(coded: list[bytes], note: Note, data: st.DataObject) -> None:
    whole = chunk(coded, note)
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[at] ^= data.draw(st.integers(1, 255))
    for parse in (boxes.parse_chunk, boxes.leading_note):
        try:
            parse(bytes(damaged))
        except boxes.BoxError:
            continue


def test_a_chunk_cut_anywhere_is_an_error() -> None:
    whole = chunk([b"one", b"three"], Note(speaking=(1,)))
    for end in range(len(whole)):
        with pytest.raises(boxes.BoxError):
            boxes.parse_chunk(whole[:end])


@given(
    st.builds(CodecConfig, st.just(Codec.OPUS), preskip_samples=st.integers(0, 65_535))
    | st.builds(CodecConfig, st.just(Codec.AAC), audio_specific_config=st.binary(min_size=2, max_size=20))
)
def test_an_init_segment_comes_back(config: CodecConfig) -> None:
    assert boxes.parse_init_segment(boxes.init_segment(config)) == config


@given(st.sampled_from(Codec), st.integers(0), st.integers(1, 255))
def test_a_damaged_init_segment_is_an_error_or_another_configuration(codec: Codec, at: int, flip: int) -> None:
    damaged = bytearray(boxes.init_segment(CODEC_CONFIGS[codec]))
    damaged[at % len(damaged)] ^= flip
    try:
        assert boxes.parse_init_segment(bytes(damaged)) != CODEC_CONFIGS[codec]
    except boxes.BoxError:
        return


def test_a_broken_letter_in_a_note_is_a_typed_error() -> None:
    whole = boxes.note_event(Note(reactions={"é": 1}), 0, 1)
    with pytest.raises(boxes.BoxError):
        boxes.parse_note_event(whole.replace("é".encode(), b"\xc0\x80"))


def test_a_note_says_little() -> None:
    event = boxes.note_event(Note(speaking=(1, 3), listeners=36_000), 48_000, 1)
    assert b'{"speaking":[1,3],"listeners":36000}' in event
    assert len(event) < 150
