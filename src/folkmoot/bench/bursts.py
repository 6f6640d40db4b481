"""Bursts of noise that can be told apart, and how long each took from one recording to another."""

import wave
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 48_000
BURST_SAMPLES = 4_800
APART_SAMPLES = 36_000
KINDS = 60
# Two bursts of one kind are this far apart: longer delays can't be told from shorter ones.
CYCLE_MS = KINDS * APART_SAMPLES * 1000 // SAMPLE_RATE

_LOUDNESS = 0.15
_SIMILAR = 0.5
_LOW_HZ, _HIGH_HZ = 300, 3_400
# Nothing is lost at a quarter of the rate, and it is searched in a quarter of the time.
_COARSER = 4
_COARSE_RATE = SAMPLE_RATE // _COARSER
_COARSE_BURST = BURST_SAMPLES // _COARSER

Samples = npt.NDArray[np.float64]


class Recording(msgspec.Struct, frozen=True):
    """Mono sound at 48 kHz; `start_unix_ms` is when its first sample was rendered."""

    samples: Samples
    start_unix_ms: float


def burst(kind: int) -> Samples:
    """100 ms of noise in the band of a telephone, the same for a kind each time, and unlike that of others."""
    noise = np.random.default_rng(kind).standard_normal(BURST_SAMPLES)
    spectrum = np.fft.rfft(noise)
    frequencies = np.fft.rfftfreq(BURST_SAMPLES, 1 / SAMPLE_RATE)
    spectrum[(frequencies < _LOW_HZ) | (frequencies > _HIGH_HZ)] = 0
    shaped = np.fft.irfft(spectrum, BURST_SAMPLES) * np.hanning(BURST_SAMPLES)
    return np.asarray(shaped / np.sqrt(np.mean(shaped**2)) * _LOUDNESS)


def write_bursts(path: Path) -> None:
    """A WAV file with one burst of each kind, to be played in a loop."""
    samples = np.zeros(KINDS * APART_SAMPLES)
    for kind in range(KINDS):
        samples[kind * APART_SAMPLES : kind * APART_SAMPLES + BURST_SAMPLES] = burst(kind)
    _write(path, samples)


def write_silence(path: Path) -> None:
    """A WAV file for a microphone that hears nothing."""
    _write(path, np.zeros(SAMPLE_RATE))


def recording(pcm: bytes, stamps: Sequence[tuple[int, float]]) -> Recording:
    """From int16 samples, and (first frame, Unix ms) of each chunk.

    A busy browser stamps a chunk late, never early: the earliest of its stamps, against the frames, are right.
    """
    begins = sorted(unix_ms - (frame - stamps[0][0]) * 1000 / SAMPLE_RATE for frame, unix_ms in stamps)
    samples = np.frombuffer(pcm, np.int16).astype(np.float64) / 32768
    return Recording(samples, begins[len(begins) // 10])


def delays_ms(said: Recording, heard: Recording) -> list[float]:
    """For each burst that was heard, the time since it was said."""
    found = []
    said_searcher, heard_searcher = _Searcher(said), _Searcher(heard)
    for kind in range(KINDS):
        said_at = said_searcher.times_ms(kind)
        for heard_ms in heard_searcher.times_ms(kind):
            before = [heard_ms - said_ms for said_ms in said_at if said_ms < heard_ms]
            if before and min(before) < CYCLE_MS:
                found.append(min(before))
    return found


class _Searcher:
    """Looks for bursts in one recording."""

    def __init__(self, sound: Recording) -> None:
        samples = _coarse(sound.samples)
        self._start_unix_ms = sound.start_unix_ms
        self._length = _COARSE_BURST
        self._places = max(0, len(samples) - self._length + 1)
        self._size = 1 << (len(samples) + self._length).bit_length()
        self._spectrum = np.fft.rfft(samples, self._size)
        sums = np.cumsum(np.concatenate([[0.0], samples**2]))
        self._energy = sums[self._length :] - sums[: self._places]

    def times_ms(self, kind: int) -> list[float]:
        """When bursts of this kind begin."""
        likeness = self._likeness(_coarse(burst(kind)))
        times = []
        while likeness.size and likeness.max() > _SIMILAR:
            at = int(likeness.argmax())
            times.append(self._start_unix_ms + at * 1000 / _COARSE_RATE)
            likeness[max(0, at - self._length) : at + self._length] = 0
        return times

    def _likeness(self, pattern: Samples) -> Samples:
        """Correlation (0 to 1) of the pattern with the samples from each place on."""
        product = np.fft.irfft(self._spectrum * np.conj(np.fft.rfft(pattern, self._size)), self._size)
        energy = np.sum(pattern**2)
        # Far below a burst there is only noise, of which any pattern may be a part.
        return np.asarray(product[: self._places] / np.sqrt(energy * np.maximum(self._energy, energy * 0.01)))


def _coarse(samples: Samples) -> Samples:
    """The same sound at 12 kHz: bursts have nothing above 3.4."""
    length = len(samples) // _COARSER
    spectrum = np.fft.rfft(samples[: length * _COARSER])[: length // 2 + 1]
    return np.asarray(np.fft.irfft(spectrum, length) / _COARSER)


def _write(path: Path, samples: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((samples * 32767).astype(np.int16).tobytes())
