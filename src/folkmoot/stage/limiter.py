"""A look-ahead limiter for several mixes at once: no true peak above the ceiling, no distortion, 2.6 ms of delay.

The true peak is looked for as in ITU-R BS.1770-4, annex 2: four times as many samples by a 48-tap interpolation.
Pure; all rows are done in the same array operations, and rows that stay low cost next to nothing.
"""

import numpy as np
import numpy.typing as npt

from folkmoot.tape.opus import FRAME_SAMPLES

Samples = npt.NDArray[np.float32]

CEILING = 32768 * 10 ** (-3.5 / 20)
"""-3.5 dBTP: Opus and AAC overshoot by up to 2 dB, and what a listener hears has to stay under -1 dBTP."""

_BLOCK = 120
_BLOCKS = FRAME_SAMPLES // _BLOCK
_TAPS = 12
_BEFORE = _TAPS // 2 - 1
_AFTER = _TAPS // 2
DELAY_SAMPLES = _BLOCK + _AFTER
_RELEASE = 0.03
_RAMP = (np.arange(1, _BLOCK + 1) / _BLOCK).astype(np.float32)
# Between two samples speech rises by less than 1 dB, a tone at a quarter of the rate by 3.
_LOOK_CLOSER_FROM = CEILING * 0.7


def _interpolation() -> Samples:
    """Taps for a quarter, a half and three quarters of the way from one sample to the next, shape (3, 12)."""
    at = np.arange(-_BEFORE, _AFTER + 1) - np.array([[0.25], [0.5], [0.75]])
    taps = np.sinc(at) * np.i0(5 * np.sqrt(1 - (at / (_AFTER + 0.25)) ** 2)) / np.i0(5)
    scaled: Samples = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return scaled


_INTERPOLATION = _interpolation()


class Limiter:
    """One row for each mix, named by a number. The first row's past is where a new row starts from."""

    def __init__(self) -> None:
        self._names: tuple[int, ...] = ()
        self._tail = np.zeros((1, DELAY_SAMPLES), np.float32)
        self._needed = np.ones(1, np.float32)
        self._gain = np.ones(1, np.float32)

    @property
    def empty(self) -> bool:
        """Whether nothing is left to come out: silence in gives silence out."""
        return not self._tail.any()

    def process(self, names: tuple[int, ...], mixes: Samples) -> Samples:
        """The next 960 samples of each mix, `DELAY_SAMPLES` late; shape (len(names), 960), units of int16."""
        if names != self._names:
            self._arrange(names)
        joined = np.concatenate((self._tail, mixes), axis=1)
        self._tail = joined[:, FRAME_SAMPLES:].copy()
        needed = self._gains_needed(joined)
        out = joined[:, :FRAME_SAMPLES]
        if needed.min() < 1 or self._needed.min() < 1 or self._gain.min() < 1:
            out = self._turned_down(out, needed)
        self._needed = needed[:, -1]
        return out

    def _arrange(self, names: tuple[int, ...]) -> None:
        """Rows for these names: those that were here keep their past, new ones take the first row's."""
        known = {name: row for row, name in enumerate(self._names)}
        rows = [known.get(name, 0) for name in names]
        self._tail, self._needed, self._gain = self._tail[rows], self._needed[rows], self._gain[rows]
        self._names = names

    def _gains_needed(self, joined: Samples) -> Samples:
        """For each of the 8 blocks that are new, the gain that keeps its true peak under the ceiling."""
        end = _BLOCK + FRAME_SAMPLES
        blocks = np.abs(joined[:, _BLOCK:end]).reshape(len(joined), _BLOCKS, _BLOCK)
        peaks = blocks.max(axis=2)
        rows, columns = np.nonzero(peaks > _LOOK_CLOSER_FROM)
        if len(rows):
            peaks[rows, columns] = np.maximum(peaks[rows, columns], _peaks_between(joined, rows, columns))
        gains: Samples = np.minimum(1, CEILING / np.maximum(peaks, 1)).astype(np.float32)
        return gains

    def _turned_down(self, out: Samples, needed: Samples) -> Samples:
        """Gains move in straight lines from block to block, and are where they must be before a peak is."""
        nodes = np.empty((len(out), _BLOCKS + 1), np.float32)
        nodes[:, 0] = self._gain
        here = self._needed
        for block in range(_BLOCKS):
            following = needed[:, block]
            released = nodes[:, block] + (1 - nodes[:, block]) * _RELEASE
            nodes[:, block + 1] = np.minimum(np.minimum(here, following), released)
            here = following
        self._gain = np.where(nodes[:, -1] > 0.9999, 1, nodes[:, -1]).astype(np.float32)
        steps = nodes[:, 1:] - nodes[:, :-1]
        gains = nodes[:, :-1, np.newaxis] + steps[:, :, np.newaxis] * _RAMP
        return (out * gains.reshape(out.shape)).astype(np.float32)


def _peaks_between(joined: Samples, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> Samples:
    """The highest of the interpolated samples in these blocks."""
    starts = _BLOCK + columns * _BLOCK - _BEFORE
    windows = joined[rows[:, np.newaxis], starts[:, np.newaxis] + np.arange(_BLOCK + _TAPS - 1)]
    between = np.zeros((3, len(rows), _BLOCK), np.float32)
    for tap in range(_TAPS):
        between += _INTERPOLATION[:, tap, np.newaxis, np.newaxis] * windows[np.newaxis, :, tap : tap + _BLOCK]
    peaks: Samples = np.abs(between).max(axis=(0, 2))
    return peaks
