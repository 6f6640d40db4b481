"""Sound to record and a finished recording of it, made once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from folkmoot.tape.encode import StepEncoder
from folkmoot.tape.model import Codec, Note, Part
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

Pcm = NDArray[np.int16]
START_UNIX_MS = 1_700_000_000_000
RECORDED_MS = 36_000


class Clock:
    """Unix time that only moves when a test moves it."""

    def __init__(self) -> None:
        self.now_ms = START_UNIX_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def sound() -> Pcm:
    """A glide with syllables in it: it looks like itself at one place only, so a shift shows."""
    time_s = np.arange(RECORDED_MS * 48) / 48_000
    phase = 2 * np.pi * np.cumsum(300 + 200 * np.sin(2 * np.pi * 0.37 * time_s)) / 48_000
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * 3.1 * time_s + 5 * np.sin(0.2 * time_s))
    noise = np.random.default_rng(7).normal(0, 200, len(time_s))
    return np.asarray(8_000 * np.sin(phase) * syllables + noise, np.int16)


def note_at(step: int) -> Note:
    """Seat 1 speaks all the time; seat 2 in every other second."""
    return Note(speaking=(1, 2) if step // 10 % 2 else (1,), listeners=100, reactions={"👏": step // 10}, roster=3)


@pytest.fixture(scope="session")
def recorded(sound: Pcm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tape that has ended: `sound`, with a note for each step."""
    directory = tmp_path_factory.mktemp("tape")
    writer = TapeWriter.open(directory, lambda: START_UNIX_MS)
    encoder = StepEncoder(writer.next_samples)
    step = 0
    for at in range(0, len(sound), 960):
        if parts := encoder.encode(sound[at : at + 960]):
            writer.append(parts, note_at(step))
            step += 1
    writer.append(encoder.finish(), note_at(step))
    writer.close()
    return directory


@pytest.fixture
def reader(recorded: Path) -> Iterator[TapeReader]:
    with TapeReader(recorded) as opened:
        yield opened


def _step_parts(step: int, size_bytes: int = 20) -> tuple[Part, ...]:
    """What an encoder would give, but as bytes that say which step they are."""
    opus = tuple(f"opus {step} {frame}".encode().ljust(size_bytes, b".") for frame in range(5))
    first, past_last = step * 4800 // 1024, (step + 1) * 4800 // 1024
    aac = tuple(f"aac {frame}".encode().ljust(size_bytes, b".") for frame in range(first, past_last))
    return Part(Codec.OPUS, step * 4800, opus, step % 256), Part(Codec.AAC, first * 1024, aac, step % 256)


@pytest.fixture
def step_parts() -> Callable[..., tuple[Part, ...]]:
    return _step_parts


def _decoded(path: Path) -> Pcm:
    """What the ffmpeg program plays, as mono PCM at 48 kHz; it must not complain."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s16le", "-ac", "1", "-ar", "48000", "-"]
    # It takes keys from its standard input: where that is closed, the file it opens next has its number.
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60)
    assert result.stderr == b""
    return np.frombuffer(result.stdout, np.int16)


@pytest.fixture
def decoded() -> Callable[[Path], Pcm]:
    return _decoded


def _lateness_ms(heard: Pcm, said: Pcm) -> float:
    """By how much `heard` is late against `said` (±100 ms); fails where they aren't the same sound at all."""
    reach, length = 4_800, 48_000
    at = len(heard) // 2 - length // 2
    piece = heard[at : at + length].astype(float)
    window = said[at - reach : at + length + reach].astype(float)
    spectrum = np.fft.rfft(window) * np.conj(np.fft.rfft(piece, len(window)))
    best = int(np.argmax(np.fft.irfft(spectrum, len(window))[: 2 * reach]))
    assert np.corrcoef(piece, window[best : best + length])[0, 1] > 0.9
    return (reach - best) / 48


@pytest.fixture
def lateness_ms() -> Callable[[Pcm, Pcm], float]:
    return _lateness_ms
