"""Mixing: the sum of all seats for the tape and the listeners, and for each speaker the sum without themselves."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from folkmoot.tape.opus import FRAME_SAMPLES, Pcm

_PEAK = 32767
_KNEE = 29490
_INAUDIBLE = 16
_SILENCE: Pcm = np.zeros(FRAME_SAMPLES, np.int16)
_SILENCE.flags.writeable = False
_RISING = (np.arange(1, FRAME_SAMPLES + 1, dtype=np.float32) / FRAME_SAMPLES).astype(np.float32)
_FALLING = _RISING[::-1].copy()


class Contribution(msgspec.Struct, frozen=True):
    """What one seat brings to this tick: 960 int16 samples or None, and whether it stays audible after them."""

    seat: int
    pcm: Pcm | None
    audible: bool


class Mixed(msgspec.Struct, frozen=True):
    """One tick's sound. `full` is what everybody hears who isn't in `minus`: those who contribute nothing.

    `minus` has, for each seat that can be heard now, the mix without it; a seat that stays under -66 dBFS (a muted
    microphone decodes to a few bits of noise) isn't heard. All arrays are 960 int16 samples.
    """

    full: Pcm
    minus: dict[int, Pcm]
    silent: bool


class Mixer:
    """Sums frames. A seat that appears is faded in over its first frame, one that ends is faded out over its last,
    so that neither joining, leaving nor muting clicks."""

    def __init__(self) -> None:
        self._audible: set[int] = set()

    def mix(self, contributions: Sequence[Contribution]) -> Mixed:
        """One tick. A seat's frame with `audible=False` is its last: it is faded out."""
        seats: list[int] = []
        frames: list[npt.NDArray[np.int32]] = []
        audible: set[int] = set()
        for one in contributions:
            if one.pcm is None:
                continue
            was_audible = one.seat in self._audible
            if not was_audible and not one.audible:
                continue
            seats.append(one.seat)
            frames.append(_ramped(one.pcm, was_audible, one.audible))
            if one.audible:
                audible.add(one.seat)
        self._audible = audible
        if not frames:
            return Mixed(_SILENCE, {}, silent=True)
        matrix = np.stack(frames)
        total = matrix.sum(axis=0, dtype=np.int32)
        heard = np.flatnonzero(np.abs(matrix).max(axis=1) > _INAUDIBLE)
        personal = limit(total[np.newaxis, :] - matrix[heard])
        minus = {seats[source]: personal[row] for row, source in enumerate(heard)}
        return Mixed(limit(total), minus, silent=False)


def limit(samples: npt.NDArray[np.int32]) -> Pcm:
    """int32 samples as int16: unchanged below 90% of full scale, bent smoothly towards it above (no hard clip)."""
    if int(samples.max(initial=0)) <= _KNEE and int(samples.min(initial=0)) >= -_KNEE:
        return samples.astype(np.int16)
    room = _PEAK - _KNEE
    size = np.abs(samples).astype(np.float32)
    bent = _KNEE + room * np.tanh((size - _KNEE) / room)
    return np.where(size > _KNEE, np.copysign(bent, samples), samples).astype(np.int16)


def _ramped(pcm: Pcm, was_audible: bool, audible: bool) -> npt.NDArray[np.int32]:
    if was_audible and audible:
        return pcm.astype(np.int32)
    return (pcm * (_RISING if audible else _FALLING)).astype(np.int32)
