"""A clip or a download against what was signed of the recording that it is of."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from folkmoot.tape.cut import cut_clip
from folkmoot.tape.excerpt import findings_of
from folkmoot.tape.leaf import frames_sha256, leaf_data
from folkmoot.tape.loose import read_loose
from folkmoot.tape.model import Codec
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.redact import redact
from folkmoot.tape.redactions import Redaction
from folkmoot.tape.taken_out import TakenOut, taken_out
from folkmoot.tape.verify import Kind

Found = list[tuple[Kind, int, int]]


@pytest.fixture(scope="module")
def signed(recorded: Path) -> list[bytes]:
    with TapeReader(recorded) as reader:
        refs = reader.numbered(Codec.AAC, 0, reader.count(Codec.AAC))
        return [leaf_data(ref, reader.read([ref])).encode() for ref in refs]


@pytest.fixture
def clip(reader: TapeReader, tmp_path: Path) -> list[bytes]:
    """10.000 to 15.000 s, as a player takes it from the file."""
    path = tmp_path / "clip.m4a"
    path.write_bytes(cut_clip(reader, 10_000, 15_000))
    return read_loose(path).frames


def found(frames: list[bytes], signed: list[bytes], out: Mapping[int, TakenOut] | None = None) -> Found:
    findings = findings_of(frames, signed, out or {}, Codec.AAC)
    return [(finding.kind, finding.from_ms, finding.to_ms) for finding in findings]


def test_a_clip_says_where_it_is_from(clip: list[bytes], signed: list[bytes]) -> None:
    ((kind, from_ms, to_ms),) = found(clip, signed)
    assert kind is Kind.EXCERPT
    assert 9_900 < from_ms <= 10_110
    assert 14_890 <= to_ms < 15_100


def test_a_whole_download(reader: TapeReader, signed: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "space.m4a"
    path.write_bytes(cut_clip(reader, 0, reader.end_ms))
    ((kind, from_ms, _),) = found(read_loose(path).frames, signed)
    assert (kind, from_ms) == (Kind.EXCERPT, 0)


def test_an_altered_frame(clip: list[bytes], signed: list[bytes]) -> None:
    clip[100] = clip[100][:-1] + bytes([clip[100][-1] ^ 1])
    _, (kind, from_ms, to_ms) = found(clip, signed)
    assert kind is Kind.ALTERED
    assert from_ms <= 9_980 + 100 * 1024 / 48 <= to_ms
    assert to_ms - from_ms < 110


def test_a_middle_that_was_cut_out(clip: list[bytes], signed: list[bytes]) -> None:
    kinds = [kind for kind, _, _ in found(clip[:60] + clip[140:], signed)]
    assert kinds[0] is Kind.EXCERPT
    assert len(kinds) == 2
    assert kinds[1] in (Kind.MISSING, Kind.ALTERED)  # the cut may go through two parts


def test_sound_that_was_put_in_front_between_and_behind(clip: list[bytes], signed: list[bytes]) -> None:
    other = [bytes([number]) * 90 for number in range(12)]
    whole = next(n for n in range(100, 110) if found(clip[:n] + other + clip[n:], signed)[1][0] is Kind.INSERTED)
    assert whole
    for frames in (other + clip, clip + other):
        assert [kind for kind, _, _ in found(frames, signed)] == [Kind.EXCERPT, Kind.ALTERED]


def test_pieces_in_another_order(clip: list[bytes], signed: list[bytes]) -> None:
    kinds = [kind for kind, _, _ in found(clip[120:] + clip[:120], signed)]
    assert Kind.MOVED in kinds


def test_parts_of_every_length_are_not_all_looked_for(
    clip: list[bytes], signed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[int] = []

    def counted(sizes: bytes, frames: bytes) -> bytes:
        hashed.append(len(frames))
        return frames_sha256(sizes, frames)

    monkeypatch.setattr("folkmoot.tape.excerpt.frames_sha256", counted)
    strange = [struct.pack(">QIB32s32s", 0, n * 1024, 0, b"", n.to_bytes(32, "big")) for n in range(400)]
    assert [kind for kind, _, _ in found(clip, strange)] == [Kind.ALTERED]
    assert len(hashed) <= 8 * len(clip)
    assert sum(hashed) <= 8 * 64 * sum(map(len, clip))
    assert [kind for kind, _, _ in found(clip, signed + strange)] == [Kind.EXCERPT]


def test_another_recording(signed: list[bytes]) -> None:
    assert found([b"other"] * 50, signed) == [(Kind.ALTERED, 0, 0)]
    assert found([], signed) == [(Kind.ALTERED, 0, 0)]


def test_what_was_taken_out(recorded: Path, signed: list[bytes], tmp_path: Path) -> None:
    directory = Path(shutil.copytree(recorded, tmp_path / "7"))
    redact(directory, Redaction("12", 12_000, 13_000, "an address", "host", 1))
    path = tmp_path / "clip.m4a"
    with TapeReader(directory) as reader:
        path.write_bytes(cut_clip(reader, 10_000, 15_000))
    (excerpt, (kind, from_ms, to_ms)) = found(read_loose(path).frames, signed, taken_out(directory, Codec.AAC))
    assert (excerpt[0], kind) == (Kind.EXCERPT, Kind.REDACTED)
    assert from_ms <= 12_000 < 13_000 <= to_ms


def test_a_clip_from_before_something_was_taken_out(
    clip: list[bytes], recorded: Path, signed: list[bytes], tmp_path: Path
) -> None:
    directory = Path(shutil.copytree(recorded, tmp_path / "7"))
    redact(directory, Redaction("12", 12_000, 13_000, "an address", "host", 1))
    _, finding = findings_of(clip, signed, taken_out(directory, Codec.AAC), Codec.AAC)
    assert finding.kind is Kind.REDACTED
    assert finding.what == "Taken out by decision 12: an address. This file is from before."
