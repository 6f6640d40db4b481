"""`bench tape`: a long evening. Twelve hours are written on a simulated clock, then asked for as people do."""

import os
import random
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from folkmoot.bench.load import forked
from folkmoot.bench.machine import this_machine
from folkmoot.bench.report import Report, Result, at_most, beside, command_line, shown
from folkmoot.recordings.sound import LIVE_PLAYLIST_MS, Sound, peaks, replay_playlist
from folkmoot.tape import cut, hls, layout
from folkmoot.tape.hls_window import HlsWindow
from folkmoot.tape.model import SAMPLES_PER_MS, STEP_SAMPLES, Codec, Note, Part
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

SEEK_MS = 50.0
CLIP_MS = 100.0
RECOVERY_MS = 1000.0
MEMORY_GROWTH_MB = 8.0

_HOUR_MS = 3_600_000
_STEPS_PER_HOUR = _HOUR_MS // 100
_BEGAN_UNIX_MS = 1_700_000_000_000
_CLIP_LENGTH_MS = 30_000
_SEEKS = 2_000
_COLD_SEEKS = 100
_CLIPS = 50
_KILLED_STEPS = 5
_AWAY_MS = 3_000
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# What 32 and 64 kbit/s come to.
_FRAME_BYTES = {Codec.OPUS: 80, Codec.AAC: 171}


class Written(msgspec.Struct, frozen=True):
    """What writing took; memory is the process's own, after the first hour and after the last."""

    seconds: float
    first_hour_mb: float
    last_hour_mb: float


def run_tape_bench(hours: int) -> Report:
    """Writes to a temporary folder: about 60 MB an hour."""
    started_at, machine = datetime.now(UTC), this_machine()
    with tempfile.TemporaryDirectory(prefix="folkmoot-bench-") as folder:
        tape = Path(folder) / "1"
        written = write(tape, hours)
        recovery_ms = killed_and_recovered(tape, hours)
        results = [
            *_seeks(tape, Path(folder) / "floor.db"),
            *_reads(tape),
            at_most("recovery_ms", recovery_ms, "ms", RECOVERY_MS),
            at_most("memory_growth_mb", written.last_hour_mb - written.first_hour_mb, "MB", MEMORY_GROWTH_MB),
            shown("append_us", written.seconds / hours / _STEPS_PER_HOUR * 1e6, "µs"),
            shown("index_mb", sum(layout.index_path(tape, codec).stat().st_size for codec in Codec) / 1e6, "MB"),
            shown("mb_per_hour", sum(file.stat().st_size for file in tape.iterdir()) / hours / 1e6, "MB"),
        ]
        filled_s = _fill_gap(tape, hours)
    results.append(shown("gap_fill_s", filled_s, "s"))
    notes = [
        f"{hours} hours: {hours * _STEPS_PER_HOUR} parts of 100 ms in Opus and AAC each, frames of the sizes that "
        "32 and 64 kbit/s give. There is no load generator: one process.",
        "Seek: find the part at a random place and read it; cold: after the kernel was asked to forget the files. "
        "The floors read the same bytes: by one pread at a known place, and by a row of an indexed SQLite table.",
        f"Recovery: the writer is killed (SIGKILL), {_AWAY_MS / 1000:g} s later another opens the tape and fills "
        f"the gap. gap_fill_s: the same after {hours} hours of absence.",
    ]
    return Report(
        bench="tape",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=results,
        notes=notes,
    )


def write(tape: Path, hours: int) -> Written:
    """A tape of that many hours, left open for another writer to go on with."""
    writer = TapeWriter.open(tape, lambda: _BEGAN_UNIX_MS)
    began_s = time.monotonic()
    first_hour_mb = 0.0
    for step in range(hours * _STEPS_PER_HOUR):
        writer.append(parts_of_step(step), _note(step))
        if step == _STEPS_PER_HOUR - 1:
            first_hour_mb = _memory_mb()
    seconds = time.monotonic() - began_s
    writer.release()
    return Written(seconds, first_hour_mb, _memory_mb())


def killed_and_recovered(tape: Path, hours: int) -> float:
    """Milliseconds until a tape whose writer was killed can be written again."""
    steps = hours * _STEPS_PER_HOUR

    def die() -> None:
        writer = TapeWriter.open(tape, lambda: _BEGAN_UNIX_MS + steps * 100)
        for step in range(steps, steps + _KILLED_STEPS):
            writer.append(parts_of_step(step), _note(step))
        os.kill(os.getpid(), signal.SIGKILL)

    with forked(die) as writing:
        writing.join()
    began_s = time.monotonic()
    writer = TapeWriter.open(tape, lambda: _BEGAN_UNIX_MS + (steps + _KILLED_STEPS) * 100 + _AWAY_MS)
    recovery_ms = (time.monotonic() - began_s) * 1000
    writer.release()
    return recovery_ms


def _fill_gap(tape: Path, hours: int) -> float:
    with TapeReader(tape) as reader:
        now_ms = _BEGAN_UNIX_MS + reader.end_ms + hours * _HOUR_MS
    began_s = time.monotonic()
    TapeWriter.open(tape, lambda: now_ms).release()
    return time.monotonic() - began_s


def _seeks(tape: Path, floor: Path) -> list[Result]:
    places = random.Random(1)  # noqa: S311 - the same places each time
    with TapeReader(tape) as reader, _sound(tape, Codec.AAC) as sound, _rows(reader, floor) as rows:
        end_ms = reader.end_ms

        def seek(at_ms: int) -> None:
            reader.read(reader.parts(Codec.AAC, at_ms, at_ms + 100)[:1])

        def row(at_ms: int) -> None:
            statement = "SELECT offset, length FROM parts WHERE start_ms <= ? ORDER BY start_ms DESC LIMIT 1"
            offset, length = rows.execute(statement, (at_ms,)).fetchone()
            os.pread(sound, length, offset)

        def forget_and_seek(at_ms: int) -> None:
            for file in (layout.index_path(tape, Codec.AAC), layout.sound_path(tape, Codec.AAC)):
                _forget(file)
            cold_ms.append(_timed_ms(seek, at_ms))

        size_bytes = os.fstat(sound).st_size
        seeks = [_timed_ms(seek, places.randrange(end_ms)) for _ in range(_SEEKS)]
        reads = [_timed_ms(lambda at: os.pread(sound, 700, at), places.randrange(size_bytes)) for _ in seeks]
        by_row = [_timed_ms(row, places.randrange(end_ms)) for _ in seeks]
        cold_ms: list[float] = []
        for _ in range(_COLD_SEEKS):
            forget_and_seek(places.randrange(end_ms))
    ours = at_most("seek_p99_ms", _p99(seeks), "ms", SEEK_MS)
    sqlite = shown("sqlite_p99_ms", _p99(by_row), "ms")
    return [
        beside(ours, sqlite),
        at_most("seek_cold_p99_ms", _p99(cold_ms), "ms", SEEK_MS),
        shown("pread_p99_ms", _p99(reads), "ms"),
        sqlite,
    ]


def _reads(tape: Path) -> Iterator[Result]:
    """What a page, a player and a clip ask of it."""
    places = random.Random(2)  # noqa: S311 - the same places each time
    live = Sound(tape, is_live=True, is_public=True)
    whole = Sound(tape, is_live=False, is_public=True)
    with TapeReader(tape) as reader:
        starts = [places.randrange(reader.end_ms - _CLIP_LENGTH_MS) for _ in range(_CLIPS)]
        clips = [_timed_ms(lambda at: cut.cut_clip(reader, at, at + _CLIP_LENGTH_MS), at) for at in starts]
        yield at_most("clip_30s_ms", _p99(clips), "ms", CLIP_MS)
        yield shown("speech_10min_ms", _timed_ms(lambda at: reader.speech(at, at + 600_000), starts[0]), "ms")
        yield shown("live_playlist_ms", _timed_ms(lambda _: _live_playlist(reader), 0), "ms")
    first_ms = _timed_ms(lambda _: replay_playlist(whole, Codec.AAC), 0)  # it is kept from then on
    playlist = replay_playlist(whole, Codec.AAC) or ""
    yield shown("vod_playlist_ms", first_ms, "ms")
    yield shown("vod_playlist_kb", len(playlist) / 1000, "KB")
    yield shown("waveform_ms", _timed_ms(lambda points: peaks(live, points), 1000), "ms")


def _live_playlist(reader: TapeReader) -> str:
    """From nothing: what the first player costs that comes to a Space after twelve hours."""
    before = reader.segments(Codec.AAC, reader.end_ms - LIVE_PLAYLIST_MS)
    window = HlsWindow(Codec.AAC, before)
    begins_ms = before[-1].end_samples // SAMPLES_PER_MS
    window.append(
        ref for ref in reader.parts(Codec.AAC, begins_ms, reader.end_ms) if ref.segment > before[-1].number
    )
    return hls.live_playlist(window, timeline_unix_ms=reader.timeline_unix_ms)


@contextmanager
def _rows(reader: TapeReader, path: Path) -> Iterator[sqlite3.Connection]:
    """The index of the AAC parts as a table, on a disk."""
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE parts (start_ms INTEGER PRIMARY KEY, offset INTEGER, length INTEGER)")
    refs = reader.numbered(Codec.AAC, 0, reader.count(Codec.AAC))
    database.executemany("INSERT INTO parts VALUES (?, ?, ?)", ((r.start_ms, r.offset, r.length) for r in refs))
    database.commit()
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _sound(tape: Path, codec: Codec) -> Iterator[int]:
    file = os.open(layout.sound_path(tape, codec), os.O_RDONLY)
    try:
        yield file
    finally:
        os.close(file)


def parts_of_step(step: int) -> tuple[Part, Part]:
    """What the encoder would give, as bytes of the right size."""
    first, past_last = (at * STEP_SAMPLES // Codec.AAC.frame_samples for at in (step, step + 1))
    opus = (_FRAMES[Codec.OPUS],) * (STEP_SAMPLES // Codec.OPUS.frame_samples)
    aac = (_FRAMES[Codec.AAC],) * (past_last - first)
    aac_start = first * Codec.AAC.frame_samples
    return Part(Codec.OPUS, step * STEP_SAMPLES, opus, step % 256), Part(Codec.AAC, aac_start, aac, step % 256)


_FRAMES = {codec: bytes(size) for codec, size in _FRAME_BYTES.items()}


def _note(step: int) -> Note:
    """Two people take turns of two seconds."""
    return Note(speaking=(1 + step // 20 % 2,), listeners=36_000, reactions={"👏": step // 100}, roster=7)


def _forget(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _memory_mb() -> float:
    """What this process holds in memory of its own and shared pages (RSS)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES / 1024**2


def _timed_ms(work: Callable[[int], object], at: int) -> float:
    began_s = time.perf_counter()
    work(at)
    return (time.perf_counter() - began_s) * 1000


def _p99(values: list[float]) -> float:
    return sorted(values)[len(values) * 99 // 100]
