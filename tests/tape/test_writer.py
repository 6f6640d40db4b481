from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from folkmoot.tape import boxes, layout
from folkmoot.tape.model import (
    Codec,
    Note,
    Part,
    TapeBusy,
    TapeDamaged,
    TapeEnded,
    TapeError,
    TapeFull,
    TapeWriteError,
)
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

StepParts = Callable[..., tuple[Part, ...]]
NOTE = Note(speaking=(1,), listeners=5, roster=2)


class SmallDisk:
    """Stands in for os.pwrite: takes so many bytes, the last write perhaps in part, then says that it is full."""

    def __init__(self, room_bytes: int) -> None:
        self.room_bytes = room_bytes
        self._pwrite = os.pwrite

    def __call__(self, descriptor: int, data: bytes, offset: int) -> int:
        if self.room_bytes == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._pwrite(descriptor, data[: self.room_bytes], offset)
        self.room_bytes -= written
        return written


def write(directory: Path, steps: Sequence[tuple[Part, ...]], note: Note = NOTE) -> None:
    writer = TapeWriter.open(directory, lambda: 0)
    for parts in steps:
        writer.append(parts, note)
    writer.release()


def frames(reader: TapeReader, codec: Codec) -> list[bytes]:
    """Every frame on the tape, after checking that it is one timeline without holes."""
    found: list[bytes] = []
    for ref in reader.numbered(codec, 0, reader.count(codec)):
        chunk = boxes.parse_chunk(reader.read([ref]))
        assert chunk.start_samples == ref.start_samples == len(found) * codec.frame_samples
        assert chunk.sequence == ref.number + 1
        assert (chunk.note is not None) == ref.has_note
        found += chunk.frames
    return found


def expected(steps: Sequence[tuple[Part, ...]], codec: Codec) -> list[bytes]:
    return [frame for parts in steps for part in parts if part.codec is codec for frame in part.frames]


def test_what_was_appended_is_there(tmp_path: Path, step_parts: StepParts) -> None:
    steps = [step_parts(step) for step in range(30)]
    write(tmp_path, steps)
    with TapeReader(tmp_path) as reader:
        for codec in Codec:
            assert frames(reader, codec) == expected(steps, codec)
        assert [ref.peak for ref in reader.numbered(Codec.OPUS, 0, 30)] == list(range(30))
        assert not reader.ended
    for codec in Codec:
        data = (tmp_path / f"{codec}.mp4").read_bytes()
        assert [kind for kind, _, _ in boxes.iterate_boxes(data)][:2] == [b"ftyp", b"moov"]


def test_the_sound_is_nobody_elses(tmp_path: Path, step_parts: StepParts) -> None:
    write(tmp_path, [step_parts(0)])
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_going_on_after_a_crash_fills_the_time_with_silence(tmp_path: Path, step_parts: StepParts) -> None:
    now_ms = 5_000
    writer = TapeWriter.open(tmp_path, lambda: now_ms)
    for step in range(10):
        writer.append(step_parts(step), NOTE)
    writer.release()
    now_ms = 5_000 + 61_234
    writer = TapeWriter.open(tmp_path, lambda: now_ms)
    assert writer.next_samples == 61_200 * 48
    with TapeReader(tmp_path) as reader:
        assert reader.timeline_unix_ms == 5_000
        assert 61_200 - 22 <= reader.end_ms <= 61_200
        assert len(frames(reader, Codec.OPUS)) == 612 * 5
        assert len(frames(reader, Codec.AAC)) == 61_200 * 48 // 1024
        gaps = [ref for ref in reader.parts(Codec.OPUS, 0, 70_000) if ref.gap]
        assert (gaps[0].start_ms, gaps[-1].end_ms) == (1_000, 61_200)
        notes = dict(reader.notes(900, 2_000))
        assert notes[1_000] == msgspec.structs.replace(NOTE, speaking=(), gap=True)
        writer.append(step_parts(612), NOTE)
        assert reader.refresh()
        assert frames(reader, Codec.OPUS)[-5:] == list(step_parts(612)[0].frames)
        assert not reader.parts(Codec.OPUS, 61_200, 61_300)[0].gap
    writer.close()


def test_a_clock_that_went_back_makes_no_gap(tmp_path: Path, step_parts: StepParts) -> None:
    writer = TapeWriter.open(tmp_path, lambda: 100_000)
    writer.append(step_parts(0), NOTE)
    writer.release()
    writer = TapeWriter.open(tmp_path, lambda: 10)
    assert writer.next_samples == 4_800
    writer.release()


def test_a_tape_that_ended_stays_as_it_is(tmp_path: Path, step_parts: StepParts) -> None:
    writer = TapeWriter.open(tmp_path, lambda: 0)
    writer.append(step_parts(0), NOTE)
    with TapeReader(tmp_path) as reader:
        ended = [reader.ended]
        writer.close()
        news = [reader.refresh(), reader.refresh()]
        ended.append(reader.ended)
        assert (ended, news) == ([False, True], [True, False])
    with pytest.raises(TapeEnded):
        TapeWriter.open(tmp_path, lambda: 90_000)
    with TapeReader(tmp_path) as reader:
        assert reader.count(Codec.OPUS) == 1


def test_two_writers_are_one_too_many(tmp_path: Path) -> None:
    writer = TapeWriter.open(tmp_path, lambda: 0)
    with pytest.raises(TapeBusy):
        TapeWriter.open(tmp_path, lambda: 0)
    writer.release()
    TapeWriter.open(tmp_path, lambda: 0).release()


def test_a_step_given_twice_is_written_once(tmp_path: Path, step_parts: StepParts) -> None:
    steps = [step_parts(step) for step in range(3)]
    write(tmp_path, [steps[0], steps[1], steps[1], steps[0], steps[2]])
    with TapeReader(tmp_path) as reader:
        assert frames(reader, Codec.OPUS) == expected(steps, Codec.OPUS)


def test_notes_are_written_when_they_change_and_every_second(tmp_path: Path, step_parts: StepParts) -> None:
    writer = TapeWriter.open(tmp_path, lambda: 0)
    for step in range(45):
        writer.append(step_parts(step), NOTE if step < 25 else Note(speaking=(2,)))
    writer.release()
    with TapeReader(tmp_path) as reader:
        noted = [ref.number for ref in reader.numbered(Codec.OPUS, 0, 45) if ref.has_note]
    assert noted == [0, 10, 20, 25, 35, 40]  # 40 starts a segment


@pytest.mark.slow
@pytest.mark.parametrize("name", ["opus.mp4", "aac.mp4", "opus.index", "aac.index"])
def test_a_tail_torn_anywhere_is_cut(name: str, tmp_path: Path, step_parts: StepParts) -> None:
    steps = [step_parts(step, 12) for step in range(2)]
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    write(whole, steps)
    shutil.copytree(whole, torn)
    files = {path.name: path.read_bytes() for path in whole.iterdir()}
    for left_bytes in range(len(files[name])):
        for other, data in files.items():
            (torn / other).write_bytes(data[:left_bytes] if other == name else data)
        write(torn, [])
        with TapeReader(torn) as reader:
            for codec in Codec:
                refs = reader.numbered(codec, 0, reader.count(codec))
                kept = sum(not ref.gap for ref in refs)  # AAC may be filled up to where Opus ends
                truth = expected(steps[:kept], codec)
                assert frames(reader, codec)[: len(truth)] == truth
                assert kept == 2 or (codec.value == name.split(".")[0] and kept < 2)


def test_rubbish_at_the_tail_is_cut(tmp_path: Path, step_parts: StepParts) -> None:
    steps = [step_parts(step) for step in range(4)]
    write(tmp_path, steps[:3])
    for path in (*tmp_path.glob("*.mp4"), *tmp_path.glob("*.index")):
        with path.open("ab") as file:
            file.write(bytes(100))
    write(tmp_path, steps[3:])
    with TapeReader(tmp_path) as reader:
        for codec in Codec:
            assert frames(reader, codec) == expected(steps, codec)


def test_a_full_disk_loses_only_what_found_no_room(
    tmp_path: Path, step_parts: StepParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every place where a write may fail, in the middle too; then there is room again."""
    steps = [step_parts(step) for step in range(6)]
    for room_bytes in range(0, 1_300, 17):
        directory = tmp_path / str(room_bytes)
        writer = TapeWriter.open(directory, lambda: 0)
        writer.append(steps[0], NOTE)
        disk = SmallDisk(room_bytes)
        acknowledged = [0]
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", disk)
            for step in (1, 2, 3, 4):
                try:
                    writer.append(steps[step], NOTE)
                except TapeFull:
                    continue
                acknowledged.append(step)
        with TapeReader(directory) as reader:
            for codec in Codec:
                found = frames(reader, codec)
                assert set(expected([steps[step] for step in acknowledged], codec)) <= set(found)
        writer.append(steps[5], NOTE)
        acknowledged.append(5)
        writer.close()
        with TapeReader(directory) as reader:
            assert reader.ended
            for codec in Codec:
                found = frames(reader, codec)
                assert set(expected([steps[step] for step in acknowledged], codec)) <= set(found)
                assert len(found) == len(expected(steps, codec))
        assert len(acknowledged) < 6


def test_a_limit_of_the_system_is_a_full_disk(tmp_path: Path) -> None:
    script = """
        import resource, sys
        from pathlib import Path
        from folkmoot.tape.model import Codec, Note, Part, TapeFull
        from folkmoot.tape.writer import TapeWriter
        writer = TapeWriter.open(Path(sys.argv[1]), lambda: 0)
        def append(step):
            frames = (bytes(80),) * 5
            writer.append([Part(Codec.OPUS, step * 4800, frames), Part(Codec.AAC, step * 5120, frames)], Note())
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        kept = []
        for step in range(60):
            try:
                append(step)
                kept.append(step)
            except TapeFull:
                pass
        assert 20 < len(kept) < 60, kept
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        append(60)
        writer.close()
        print(len(kept))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    kept = int(result.stdout)
    with TapeReader(tmp_path) as reader:
        assert reader.ended
        for codec in Codec:
            found = frames(reader, codec)
            assert len(found) == 61 * 5
            assert found[: kept * 5] == [bytes(80)] * (kept * 5)
            assert found[-5:] == [bytes(80)] * 5


def test_other_trouble_is_not_called_a_full_disk(
    tmp_path: Path, step_parts: StepParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    writer = TapeWriter.open(tmp_path, lambda: 0)
    monkeypatch.setattr(os, "pwrite", broken)
    with pytest.raises(TapeWriteError) as caught:
        writer.append(step_parts(0), NOTE)
    assert not isinstance(caught.value, TapeFull)
    with pytest.raises(TapeWriteError):
        writer.close()


def test_no_room_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", SmallDisk(100))
        with pytest.raises(TapeFull):
            TapeWriter.open(tmp_path, lambda: 0)
    TapeWriter.open(tmp_path, lambda: 0).close()


def test_a_broken_header_is_a_typed_error(tmp_path: Path, step_parts: StepParts) -> None:
    write(tmp_path, [step_parts(0)])
    path = layout.header_path(tmp_path)
    whole = path.read_bytes()
    for rubbish in (b"", b"{}", b"\xff" * 20, whole[:-3], whole.replace(b'"version":1', b'"version":2')):
        path.write_bytes(rubbish)
        for attempt in (lambda: TapeReader(tmp_path), lambda: TapeWriter.open(tmp_path, lambda: 0)):
            with pytest.raises(TapeDamaged):
                attempt()
    path.unlink()
    with pytest.raises(TapeDamaged):
        TapeWriter.open(tmp_path, lambda: 0)


@pytest.mark.parametrize("name", ["opus.mp4", "aac.index"])
def test_files_with_another_start_are_not_overwritten(name: str, tmp_path: Path, step_parts: StepParts) -> None:
    write(tmp_path, [step_parts(0)])
    damaged = b"x" + (tmp_path / name).read_bytes()[1:]
    (tmp_path / name).write_bytes(damaged)
    with pytest.raises(TapeDamaged):
        TapeWriter.open(tmp_path, lambda: 0)
    assert (tmp_path / name).read_bytes() == damaged


def test_a_folder_that_can_not_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TapeError):
        TapeWriter.open(tmp_path / "file" / "tape", lambda: 0)
