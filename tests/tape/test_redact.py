"""Taking a range out: nothing of it is left in any copy, everything else stays where and as it was."""

from __future__ import annotations

import os
import shutil
import signal
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.tape.conftest import START_UNIX_MS, Pcm, note_at

from folkmoot.tape import boxes, cut, redactions
from folkmoot.tape.encode import StepEncoder
from folkmoot.tape.leaf import leaf_data
from folkmoot.tape.model import Codec, TapeMissing
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.redact import redact
from folkmoot.tape.redactions import Redaction, read_redactions
from folkmoot.tape.taken_out import taken_out
from folkmoot.tape.waveform import waveform
from folkmoot.tape.writer import TapeWriter

FROM_MS, TO_MS = 12_340, 15_080
FADE_MS = 150
DECISION = Redaction("7", FROM_MS, TO_MS, "private_information", "host", START_UNIX_MS + 20_000)


@pytest.fixture
def tape(recorded: Path, tmp_path: Path) -> Path:
    return shutil.copytree(recorded, tmp_path / "tape")


def played(directory: Path, codec: Codec, decoded: Callable[[Path], Pcm], tmp_path: Path) -> Pcm:
    path = tmp_path / f"{codec}.mp4"
    path.write_bytes((directory / f"{codec}.mp4").read_bytes())
    return decoded(path)


def loudness(pcm: Pcm, from_ms: int, to_ms: int) -> float:
    return float(np.sqrt(np.mean(pcm[from_ms * 48 : to_ms * 48].astype(float) ** 2)))


@pytest.mark.parametrize("codec", Codec)
def test_nothing_of_the_range_is_heard_and_the_rest_is_as_it_was(
    codec: Codec, recorded: Path, tape: Path, decoded: Callable[[Path], Pcm], tmp_path: Path
) -> None:
    before = played(recorded, codec, decoded, tmp_path)
    assert redact(tape, DECISION) == TO_MS
    after = played(tape, codec, decoded, tmp_path)
    assert len(after) == len(before)
    assert loudness(before, FROM_MS, TO_MS) > 1_000
    assert loudness(after, FROM_MS, TO_MS) < 1
    early, late = (FROM_MS - FADE_MS) * 48, (TO_MS + FADE_MS) * 48
    assert np.array_equal(after[:early], before[:early])
    # Opus goes on from silence: a little unlike itself for a fifth of a second, and never louder.
    soon = late + 9_600
    assert np.corrcoef(after[late:soon], before[late:soon])[0, 1] > 0.85
    assert np.corrcoef(after[soon : soon + 9_600], before[soon : soon + 9_600])[0, 1] > 0.99
    assert np.corrcoef(after[soon + 9_600 :], before[soon + 9_600 :])[0, 1] > 0.999


@pytest.mark.parametrize("codec", Codec)
def test_there_is_no_click_at_the_edges(
    codec: Codec, recorded: Path, tape: Path, decoded: Callable[[Path], Pcm], tmp_path: Path
) -> None:
    before = played(recorded, codec, decoded, tmp_path).astype(int)
    redact(tape, DECISION)
    after = played(tape, codec, decoded, tmp_path).astype(int)
    for edge_ms in (FROM_MS, TO_MS):
        near = slice((edge_ms - 300) * 48, (edge_ms + 300) * 48)
        assert np.abs(after[near]).max() <= 1.1 * np.abs(before[near]).max()
        assert np.abs(np.diff(after[near])).max() <= 1.5 * np.abs(np.diff(before[near])).max()


def test_nothing_moves_and_the_index_says_what_was_taken_out(recorded: Path, tape: Path) -> None:
    redact(tape, DECISION)
    with TapeReader(recorded) as old, TapeReader(tape) as new:
        for codec in Codec:
            assert old.count(codec) == new.count(codec)
            pairs = zip(old.numbered(codec, 0, 10_000), new.numbered(codec, 0, 10_000), strict=True)
            for was, ref in pairs:
                chunk = new.read([ref])
                assert (was.offset, was.length, was.header_bytes, was.start_samples) == (
                    (ref.offset, ref.length, ref.header_bytes, ref.start_samples)
                )
                assert zlib.crc32(chunk) == ref.checksum
                assert ref.redacted or chunk == old.read([was])
                assert not ref.redacted or FROM_MS - 150 < ref.start_ms < TO_MS + 60
                parsed = boxes.parse_chunk(chunk)
                assert parsed.note == boxes.parse_chunk(old.read([was])).note
                if ref.redacted:
                    assert len({len(frame) for frame in parsed.frames}) <= 2
        assert new.speech(0, 36_000) == old.speech(0, 36_000)
        assert not np.frombuffer(waveform(new, FROM_MS, TO_MS, 100), np.uint8).any()
        touched = {segment.number for segment in new.segments(Codec.AAC) if segment.revision}
        assert touched == {FROM_MS // 4_000}


def test_the_journal_keeps_what_the_tree_holds(recorded: Path, tape: Path) -> None:
    redact(tape, DECISION)
    lines = read_redactions(tape)
    assert {line.redaction for line in lines} == {DECISION}
    with TapeReader(recorded) as old, TapeReader(tape) as new:
        for part in (part for line in lines for part in line.parts):
            (was,), (ref,) = (r.numbered(part.codec, part.number, part.number + 1) for r in (old, new))
            assert part.leaf == leaf_data(was, old.read([was]))
            assert part.now_frames_sha256 == leaf_data(ref, new.read([ref])).frames_sha256
            assert ref.redacted


def test_a_clip_cut_afterwards_and_a_download_are_silent_there(
    tape: Path, decoded: Callable[[Path], Pcm], tmp_path: Path
) -> None:
    redact(tape, DECISION)
    with TapeReader(tape) as reader:
        path = tmp_path / "clip.m4a"
        path.write_bytes(cut.cut_clip(reader, FROM_MS - 2_000, TO_MS + 2_000))
        heard = decoded(path)
        assert loudness(heard, 2_000, 2_000 + TO_MS - FROM_MS) < 1
        assert loudness(heard, 0, 1_800) > 1_000


def test_what_is_out_already_is_not_taken_out_again(tape: Path) -> None:
    redact(tape, DECISION)
    content, journal = (tape / "aac.mp4").read_bytes(), (tape / "redactions").read_bytes()
    assert redact(tape, DECISION) == TO_MS
    assert (tape / "redactions").read_bytes() == journal
    redact(tape, Redaction("8", FROM_MS - 1_000, TO_MS, "other", "moderator", START_UNIX_MS + 30_000))
    parts = [(part.codec, part.number) for line in read_redactions(tape) for part in line.parts]
    assert len(parts) == len(set(parts))
    assert (tape / "aac.mp4").read_bytes() != content


def test_many_ranges_at_once_are_what_one_after_the_other_is_and_wait_for_the_disk_as_often_as_one(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, many = (shutil.copytree(recorded, tmp_path / name) for name in ("one", "many"))
    decisions = [Redaction(str(at), at * 700, at * 700 + 800, "other", "host", 1) for at in range(20)]
    for decision in decisions:
        redact(one, decision)
    syncs = 0
    fsync = os.fsync

    def counted(file: int) -> None:
        nonlocal syncs
        syncs += 1
        fsync(file)

    monkeypatch.setattr(os, "fsync", counted)
    assert redact(many, *decisions) == decisions[-1].to_ms
    assert syncs <= 10
    for name in ("opus.mp4", "aac.mp4", "opus.index", "aac.index"):
        assert (one / name).read_bytes() == (many / name).read_bytes()
    parts = [
        {(line.redaction.id, part.codec, part.number) for line in read_redactions(tape) for part in line.parts}
        for tape in (one, many)
    ]
    assert parts[0] == parts[1]


def test_what_is_asked_for_again_and_again_is_read_once(tape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    redact(tape, DECISION)
    first = taken_out(tape, Codec.AAC)
    monkeypatch.setattr(Path, "read_bytes", lambda _path: pytest.fail("read anew"))
    assert taken_out(tape, Codec.AAC) is first
    monkeypatch.undo()
    redact(tape, Redaction("8", 1_000, 2_000, "other", "host", 1))
    assert set(first) < set(taken_out(tape, Codec.AAC))


def test_a_live_tape_is_taken_out_up_to_its_end_and_goes_on(
    sound: Pcm, tmp_path: Path, decoded: Callable[[Path], Pcm]
) -> None:
    directory = tmp_path / "live"
    writer = TapeWriter.open(directory, lambda: START_UNIX_MS)
    encoder = StepEncoder(writer.next_samples)
    for step in range(120):
        for frame in range(5):
            at = (step * 5 + frame) * 960
            if parts := encoder.encode(sound[at : at + 960]):
                writer.append(parts, note_at(step))
        if step == 80:
            until_ms = redact(directory, Redaction("1", 5_000, 60_000, "other", "host", START_UNIX_MS))
            assert 7_900 < until_ms <= 8_100
    writer.append(encoder.finish(), note_at(120))
    writer.release()
    # A stage that comes back finds every part whole.
    TapeWriter.open(directory, lambda: START_UNIX_MS).close()
    for codec in Codec:
        heard = played(directory, codec, decoded, tmp_path)
        assert len(heard) >= 11_900 * 48
        assert loudness(heard, 5_000, until_ms) < 1
        assert loudness(heard, 8_300, 11_500) > 1_000


def test_without_a_tape_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(TapeMissing):
        redact(tmp_path, DECISION)


def killed_at(directory: Path, write: int, decision: Redaction) -> bool:
    """Redact in a process that is killed before its n-th write, in the middle of it or before an fsync; whether it
    was killed at all."""
    child = os.fork()
    if child == 0:
        left = write

        def count(half: Callable[[], object]) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                half()
                os.kill(os.getpid(), signal.SIGKILL)

        pwrite, append, sync = os.pwrite, os.write, os.fsync

        def counted_pwrite(file: int, data: bytes, offset: int) -> int:
            count(lambda: pwrite(file, data[: len(data) // 2], offset))
            return pwrite(file, data, offset)

        def counted_write(file: int, data: bytes) -> int:
            count(lambda: append(file, data[: len(data) // 2]))
            return append(file, data)

        def counted_sync(file: int) -> None:
            count(lambda: None)
            sync(file)

        os.pwrite, os.write, os.fsync = counted_pwrite, counted_write, counted_sync  # type: ignore[assignment]
        try:
            redact(directory, decision)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.slow
@pytest.mark.parametrize("repair", ["the command again", "the stage comes back"])
def test_killed_at_every_write_it_is_finished_by_the_next_who_opens(
    recorded: Path, tmp_path: Path, repair: str
) -> None:
    decision = Redaction("7", 12_110, 12_190, "other", "host", START_UNIX_MS)
    expected = shutil.copytree(recorded, tmp_path / "expected")
    redact(expected, decision)
    write = 0
    killed = True
    while killed:
        tape = shutil.copytree(recorded, tmp_path / f"{repair}-{write}")
        (tape / "aac.index").write_bytes(_not_ended(tape / "aac.index"))
        (tape / "opus.index").write_bytes(_not_ended(tape / "opus.index"))
        killed = killed_at(tape, write, decision)
        if repair == "the stage comes back":
            TapeWriter.open(tape, lambda: 0).release()
            journaled = {(part.codec, part.number) for line in read_redactions(tape) for part in line.parts}
            with TapeReader(tape) as reader:
                for codec in Codec:
                    for ref in reader.numbered(codec, 0, 10_000):
                        assert ref.redacted == ((codec, ref.number) in journaled)
                        assert zlib.crc32(reader.read([ref])) == ref.checksum
        redact(tape, decision)
        for name in ("opus.mp4", "aac.mp4", "redactions"):
            if name != "redactions":
                assert (tape / name).read_bytes() == (expected / name).read_bytes()
        with TapeReader(recorded) as old:
            for part in (part for line in read_redactions(tape) for part in line.parts):
                (was,) = old.numbered(part.codec, part.number, part.number + 1)
                assert part.leaf == leaf_data(was, old.read([was]))
        shutil.rmtree(tape)
        write += 1
    assert write > 10


def _not_ended(index: Path) -> bytes:
    data = bytearray(index.read_bytes())
    data[20] = 0
    return bytes(data)


def test_a_line_that_was_cut_off_counts_for_nothing(tape: Path) -> None:
    redact(tape, DECISION)
    journal = tape / "redactions"
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole[: len(whole) // 3].replace(b"\n", b""))
    assert redactions.parse(whole) == read_redactions(tape)
    redact(tape, DECISION)
    assert journal.read_bytes() == whole
