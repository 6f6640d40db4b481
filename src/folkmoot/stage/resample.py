"""Plays samples a little faster or slower than they were taken, so that two clocks that differ stay in step."""

import math

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from folkmoot.tape.opus import FRAME_SAMPLES, Pcm

_TAPS = 8
_BEFORE = 3
_AFTER = 4
_PHASES = 512
_NUMBERS = np.arange(FRAME_SAMPLES, dtype=np.float64)


def _interpolation() -> npt.NDArray[np.float32]:
    """Taps for each of 513 places between two samples, shape (513, 8): sinc under a Kaiser window."""
    at = np.arange(-_BEFORE, _AFTER + 1) - np.linspace(0, 1, _PHASES + 1)[:, np.newaxis]
    window = np.i0(6 * np.sqrt(np.maximum(0, 1 - (at / (_AFTER + 0.1)) ** 2)))
    taps = np.sinc(at) * window
    scaled: npt.NDArray[np.float32] = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return scaled


_TABLE = _interpolation()


class Resampler:
    """A queue of samples that gives frames of 960. At a rate of exactly 1 it gives what was put in, untouched.

    At 1.01 a frame takes 969.6 samples. Rates may change from frame to frame: the wave goes on without a step.
    """

    def __init__(self) -> None:
        self._waiting: list[Pcm] = []
        self._samples = 0
        self._past: Pcm = np.zeros(_BEFORE, np.int16)
        self._fraction = 0.0

    def clear(self) -> None:
        """Forgets what waits: what comes next has nothing to do with it."""
        self._waiting.clear()
        self._samples = 0
        self._past = np.zeros(_BEFORE, np.int16)
        self._fraction = 0.0

    def put(self, pcm: Pcm) -> None:
        """Appends int16 samples."""
        self._waiting.append(pcm)
        self._samples += len(pcm)

    def missing(self, rate: float) -> int:
        """How many samples have to be put in before `take` can give the next frame; 0 or less when none."""
        if rate == 1 and self._fraction == 0:
            return FRAME_SAMPLES - self._samples
        return math.ceil(self._fraction + max(rate, 1) * FRAME_SAMPLES) + _AFTER - self._samples

    def take(self, rate: float) -> Pcm:
        """The next 960 samples; only when nothing is missing."""
        if rate == 1 and self._fraction == 0:
            whole_frame = self._whole()
            self._past = whole_frame[-_BEFORE:]
            return whole_frame
        end = self._fraction + rate * FRAME_SAMPLES
        if rate == 1:
            # Back in step: this one frame ends on a sample.
            end = float(round(end))
        joined = np.concatenate([self._past, *self._waiting])
        at = self._fraction + (end - self._fraction) / FRAME_SAMPLES * _NUMBERS
        whole = at.astype(np.intp)
        phases = ((at - whole) * _PHASES + 0.5).astype(np.intp)
        taps = sliding_window_view(joined, _TAPS)[whole].astype(np.float32)
        played = np.einsum("ij,ij->i", taps, _TABLE[phases])
        used = int(end)
        self._fraction = end - used
        self._past = joined[used : used + _BEFORE]
        self._waiting = [joined[used + _BEFORE :]]
        self._samples -= used
        pcm: Pcm = np.clip(np.rint(played), -32768, 32767).astype(np.int16)
        return pcm

    def _whole(self) -> Pcm:
        if len(self._waiting) > 1:
            self._waiting = [np.concatenate(self._waiting)]
        joined = self._waiting[0]
        self._samples -= FRAME_SAMPLES
        self._waiting = [joined[FRAME_SAMPLES:]] if self._samples else []
        return joined[:FRAME_SAMPLES]
