"""A leaf is computed alike from every copy of a part, and from nothing else."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from folkmoot.tape import boxes
from folkmoot.tape.leaf import LEAF_BYTES, LeafData, leaf_data
from folkmoot.tape.model import Codec, Note, PartRef, TapeDamaged
from folkmoot.tape.reader import TapeReader

FRAMES = (b"one", b"", b"three")
NOTE = Note(speaking=(1, 4), listeners=36_000)


def chunk_of(note: Note | None = NOTE) -> tuple[PartRef, bytes]:
    """Part 7 of Opus."""
    event = boxes.note_event(note, 6720, 7) if note else b""
    head = boxes.chunk_header(8, 6720, 960, [len(frame) for frame in FRAMES], event)
    chunk = head + b"".join(FRAMES)
    ref = PartRef(Codec.OPUS, 7, 6720, 3 * 960, 0, len(chunk), len(head), 0, 0, 200, note is not None, False)
    return ref, chunk


def test_the_layout_is_the_documented_one() -> None:
    ref, chunk = chunk_of()
    note = hashlib.sha256(msgspec.json.encode(NOTE)).digest()
    frames = hashlib.sha256(struct.pack(">3I", 3, 0, 5) + b"onethree").digest()
    encoded = leaf_data(ref, chunk).encode()
    assert encoded == struct.pack(">QIB", 6720, 2880, 0) + note + frames
    assert len(encoded) == LEAF_BYTES


def test_a_part_without_a_note_has_the_hash_of_nothing() -> None:
    assert leaf_data(*chunk_of(note=None)).note_sha256 == hashlib.sha256().digest()


def test_free_boxes_behind_the_frames_say_nothing() -> None:
    ref, chunk = chunk_of()
    padded = chunk + boxes.box(b"free", bytes(30))
    assert leaf_data(msgspec.structs.replace(ref, length=len(padded)), padded) == leaf_data(ref, chunk)
    other = chunk + boxes.box(b"mdat", bytes(30))
    with pytest.raises(TapeDamaged, match="frames"):
        leaf_data(msgspec.structs.replace(ref, length=len(other)), other)


def test_a_leaf_travels_as_json() -> None:
    leaf = leaf_data(*chunk_of())
    assert msgspec.json.decode(msgspec.json.encode(leaf), type=LeafData) == leaf


def test_every_part_of_a_recording_has_a_leaf(recorded: Path) -> None:
    with TapeReader(recorded) as reader:
        for codec in Codec:
            refs = reader.numbered(codec, 0, reader.count(codec))
            leaves = [leaf_data(ref, reader.read([ref])) for ref in refs]
            assert len({leaf.encode() for leaf in leaves}) == len(refs) > 300


@given(st.data())
def test_any_altered_byte_changes_the_leaf_or_is_refused(data: st.DataObject) -> None:
    ref, chunk = chunk_of()
    at = data.draw(st.integers(0, len(chunk) - 1))
    altered = bytearray(chunk)
    altered[at] ^= data.draw(st.integers(1, 255))
    try:
        found = leaf_data(ref, bytes(altered))
    except TapeDamaged:
        return
    assert found != leaf_data(ref, chunk)


@given(st.binary(max_size=400), st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1), st.integers(0, 10**6))
@example(chunk_of()[1].replace(struct.pack(">3I", 3, 0, 5), b"\xff" * 12), 2880, 220, 7)
def test_bytes_of_any_kind_are_refused(chunk: bytes, duration: int, header_bytes: int, number: int) -> None:
    ref = PartRef(Codec.OPUS, number, 0, duration, 0, len(chunk), header_bytes, 0, 0, 0, False, False)
    with pytest.raises(TapeDamaged):
        leaf_data(ref, chunk)
