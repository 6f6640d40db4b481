from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from folkmoot.tape.model import Codec, Note, Part, TapeDamaged, TapeMissing
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

StepParts = Callable[..., tuple[Part, ...]]


def test_no_tape_is_a_typed_error(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(TapeMissing):
            TapeReader(directory)


def test_a_header_without_files_is_a_typed_error(tmp_path: Path) -> None:
    TapeWriter.open(tmp_path, lambda: 0).release()
    (tmp_path / "aac.mp4").unlink()
    with pytest.raises(TapeMissing):
        TapeReader(tmp_path)


@pytest.mark.parametrize("codec", Codec)
def test_seeking_finds_what_looking_at_every_part_finds(codec: Codec, reader: TapeReader) -> None:
    everything = reader.numbered(codec, 0, reader.count(codec))
    places = [-500, 0, 1, 20, 21, 22, 99, 100, 101, 12_345, 35_899, 35_999, 36_000, 36_100, 10**15]
    for from_ms in places:
        for to_ms in places:
            found = reader.parts(codec, from_ms, to_ms)
            assert found == [
                ref
                for ref in everything
                if ref.start_samples < to_ms * 48 and ref.end_samples > from_ms * 48 and from_ms < to_ms
            ]


def test_reading_many_parts_is_reading_each(reader: TapeReader) -> None:
    refs = [
        *reader.parts(Codec.OPUS, 500, 900),
        *reader.parts(Codec.AAC, 0, 300),
        *reader.parts(Codec.AAC, 700, 800),
    ]
    assert reader.read(refs) == b"".join(reader.read([ref]) for ref in refs)
    assert reader.read([]) == b""


def test_a_reader_follows_a_writer(tmp_path: Path, step_parts: StepParts) -> None:
    writer = TapeWriter.open(tmp_path, lambda: 0)
    with TapeReader(tmp_path) as reader:
        assert reader.newest(Codec.OPUS) is None
        assert (reader.start_ms, reader.end_ms, reader.ended) == (0, 0, False)
        assert reader.segments(Codec.AAC) == []
        assert reader.notes(0, 100) == []
        assert reader.parts(Codec.OPUS, 0, 1_000) == []
        for step in range(5):
            assert not reader.refresh()
            writer.append(step_parts(step), Note())
            assert reader.count(Codec.OPUS) == step
            assert reader.refresh()
            newest = reader.newest(Codec.OPUS)
            assert newest is not None
            assert newest.start_ms == step * 100
        writer.close()
        assert reader.refresh()
        assert reader.ended


def test_notes_come_back_and_start_with_the_one_in_force(reader: TapeReader) -> None:
    found = reader.notes(1_550, 3_000)
    assert [at_ms for at_ms, _ in found] == [1_000, 2_000]
    note = Note(speaking=(1, 2), listeners=100, reactions={"👏": 1}, roster=3)
    assert found[0][1] == note
    assert len(reader.notes(0, reader.end_ms)) == 36


def test_who_spoke_when(reader: TapeReader) -> None:
    assert reader.speech(0, 5_500) == [(1, 0, 5_500), (2, 1_000, 2_000), (2, 3_000, 4_000), (2, 5_000, 5_500)]
    assert reader.speech(1_500, 2_500) == [(1, 1_500, 2_500), (2, 1_500, 2_000)]
    assert reader.speech(35_500, 99_000)[0] == (1, 35_500, reader.end_ms)
    assert reader.speech(40_000, 50_000) == []


@pytest.mark.parametrize("codec", Codec)
def test_segments_are_all_parts_in_order(codec: Codec, reader: TapeReader) -> None:
    segments = reader.segments(codec)
    assert [segment.number for segment in segments] == list(range(9))
    parts = reader.numbered(codec, 0, reader.count(codec))
    assert reader.read(segments) == reader.read(parts)
    assert sum(segment.duration_samples for segment in segments) == parts[-1].end_samples
    for segment in segments:
        assert reader.segment(codec, segment.number) == segment
        assert abs(segment.start_samples - segment.number * 192_000) < 5_120
        assert abs(segment.duration_samples - 192_000) < 5_120
    assert reader.segment(codec, 9) is None
    assert reader.segment(codec, -1) is None
    assert reader.segment(codec, 10**18) is None


def test_a_trimmed_view_holds_nothing_from_before(reader: TapeReader) -> None:
    for codec in Codec:
        segments = reader.segments(codec, 5_250)
        assert [segment.number for segment in segments] == list(range(1, 9))
        assert 5_250 <= segments[0].start_samples / 48 < 5_360
        assert reader.segment(codec, 0, 5_250) is None
        assert reader.segment(codec, 1, 5_250) == segments[0]
        assert reader.segment(codec, 2, 5_250) == segments[1]
        assert reader.segments(codec, 0, 8_000) == reader.segments(codec)[:2]


def test_an_unfinished_segment_is_not_listed_until_the_end(tmp_path: Path, step_parts: StepParts) -> None:
    writer = TapeWriter.open(tmp_path, lambda: 0)
    with TapeReader(tmp_path) as reader:
        for step in range(40):
            assert reader.segments(Codec.OPUS) == []
            assert reader.segment(Codec.OPUS, 0) is None
            writer.append(step_parts(step), Note())
            reader.refresh()
        assert [segment.number for segment in reader.segments(Codec.OPUS)] == [0]
        writer.append(step_parts(40), Note())
        reader.refresh()
        assert [segment.number for segment in reader.segments(Codec.OPUS)] == [0]
        assert reader.segment(Codec.OPUS, 1) is None
        writer.close()
        reader.refresh()
        assert [segment.number for segment in reader.segments(Codec.OPUS)] == [0, 1]


def test_damage_is_a_typed_error(tmp_path: Path, step_parts: StepParts) -> None:
    writer = TapeWriter.open(tmp_path, lambda: 0)
    for step in range(5):
        writer.append(step_parts(step), Note())
    writer.close()
    with TapeReader(tmp_path) as reader:
        os.truncate(tmp_path / "opus.mp4", 700)
        with pytest.raises(TapeDamaged):
            reader.read(reader.parts(Codec.OPUS, 0, 1_000))
        with (tmp_path / "aac.index").open("r+b") as file:
            file.seek(70)
            file.write(b"\xff")
        with pytest.raises(TapeDamaged):
            reader.parts(Codec.AAC, 0, 1_000)
