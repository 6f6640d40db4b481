"""Mixing: one sum of all seats for the tape and the listeners, and for each speaker the sum without themselves.

Every seat is brought to the same loudness (`loudness.py`), those who talk at once share it, and no mix goes over
the ceiling (`limiter.py`). All seats are computed together in the same arrays: they cost little more than one.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from folkmoot.stage.limiter import Limiter
from folkmoot.stage.loudness import Samples, SeatGain, Sharing, powers
from folkmoot.tape.opus import FRAME_SAMPLES, Pcm

PERSONAL_TICKS = 50
"""How long a seat keeps a mix of its own after it was heard last: a pause between two words changes nothing."""

_FULL_MIX = -1
_INAUDIBLE = 16
_SUDDENLY = 0.7
_SILENCE: Pcm = np.zeros(FRAME_SAMPLES, np.int16)
_SILENCE.flags.writeable = False
_RAMP = (np.arange(1, FRAME_SAMPLES + 1) / FRAME_SAMPLES).astype(np.float32)
# 2.5 ms: as fast as it goes without a click.
_STEEP_RAMP = np.minimum(_RAMP * 8, 1)


class Contribution(msgspec.Struct, frozen=True):
    """What one seat brings to this tick: 960 int16 samples or None, and whether it stays audible after them.

    `speaking`: the detector hears speech, which is what a seat's gain follows.
    """

    seat: int
    pcm: Pcm | None
    audible: bool
    speaking: bool = True


class Mixed(msgspec.Struct, frozen=True):
    """One tick's sound. `full` is what everybody hears who isn't in `minus`: those who contribute nothing.

    `minus` has, for each seat that was heard within the last second, the mix without it; a seat that stays under
    -66 dBFS (a muted microphone decodes to a few bits of noise) isn't heard. All arrays are 960 int16 samples.
    """

    full: Pcm
    minus: dict[int, Pcm]
    silent: bool


class _Seat:
    """What is remembered of a seat from tick to tick."""

    def __init__(self) -> None:
        self.gain = SeatGain()
        self.factor = 0.0
        self.personal_until = 0


class Mixer:
    """Sums frames, one tick a call. A seat that appears is faded in over its first frame, one that ends is faded
    out over its last, so that neither joining, leaving nor muting clicks."""

    def __init__(self) -> None:
        self._seats: dict[int, _Seat] = {}
        self._sharing = Sharing()
        self._limiter = Limiter()
        self._tick = 0

    def forget(self, seat: int) -> None:
        """The seat is gone for good: so is what was learned about its loudness."""
        self._seats.pop(seat, None)

    def mix(self, contributions: Sequence[Contribution]) -> Mixed:
        """One tick. A seat's frame with `audible=False` is its last: it is faded out."""
        self._tick += 1
        heard, frames = self._heard(contributions)
        sounding = {one.seat for one in heard}
        for number, known in self._seats.items():
            if number not in sounding:
                known.factor = 0.0
        if not heard and self._limiter.empty:
            return Mixed(_SILENCE, {}, silent=True)
        own = self._leveled(heard, frames) if heard else np.zeros((0, FRAME_SAMPLES), np.float32)
        personal = [seat for seat, known in self._seats.items() if known.personal_until > self._tick]
        mixes = np.empty((1 + len(personal), FRAME_SAMPLES), np.float32)
        mixes[:] = own.sum(axis=0)
        rows = {one.seat: row for row, one in enumerate(heard)}
        for at, seat in enumerate(personal, 1):
            if seat in rows:
                mixes[at] -= own[rows[seat]]
        limited = self._limiter.process((_FULL_MIX, *personal), mixes)
        out = np.rint(limited).astype(np.int16)
        return Mixed(out[0], dict(zip(personal, out[1:], strict=True)), silent=False)

    def _heard(self, contributions: Sequence[Contribution]) -> tuple[list[Contribution], npt.NDArray[np.int16]]:
        """Those who add to this tick, their frames, and who gets a mix of their own from now on."""
        present = [one for one in contributions if one.pcm is not None]
        if not present:
            return [], np.zeros((0, FRAME_SAMPLES), np.int16)
        frames = np.stack([one.pcm for one in present if one.pcm is not None])
        loud = (frames.max(axis=1) > _INAUDIBLE) | (frames.min(axis=1) < -_INAUDIBLE)
        kept: list[int] = []
        heard: list[Contribution] = []
        for row, one in enumerate(present):
            seat = self._seats.setdefault(one.seat, _Seat())
            stays = bool(loud[row]) and one.audible
            if not stays and seat.factor == 0:
                continue
            if loud[row]:
                seat.personal_until = self._tick + PERSONAL_TICKS
            kept.append(row)
            heard.append(one if stays == one.audible else Contribution(one.seat, one.pcm, stays, one.speaking))
        return heard, frames if len(kept) == len(present) else frames[kept]

    def _leveled(self, heard: Sequence[Contribution], frames: npt.NDArray[np.int16]) -> Samples:
        """Each frame with its gain, which moves in a straight line from where it was a frame ago."""
        own = frames.astype(np.float32)
        seats = [self._seats[one.seat] for one in heard]
        gains = [
            seat.gain.hear(power, one.speaking) for seat, one, power in zip(seats, heard, powers(own), strict=True)
        ]
        shared = self._sharing.factor(
            [seat.gain.block_power * gain * gain for seat, gain in zip(seats, gains, strict=True)]
        )
        after = [gain * shared if one.audible else 0.0 for gain, one in zip(gains, heard, strict=True)]
        before = np.array([seat.factor for seat in seats], np.float32)
        for seat, factor in zip(seats, after, strict=True):
            seat.factor = factor
        change = np.array(after, np.float32) - before
        own *= before[:, np.newaxis] + change[:, np.newaxis] * self._ramps(heard, before, after)
        return own

    @staticmethod
    def _ramps(heard: Sequence[Contribution], before: Samples, after: Sequence[float]) -> Samples:
        """How each gain gets there: over the frame, or within 2.5 ms where something suddenly is far too loud."""
        falls = zip(heard, before, after, strict=True)
        steep = [one.audible and now < _SUDDENLY * was for one, was, now in falls]
        if not any(steep):
            return _RAMP
        ramps: Samples = np.where(np.array(steep)[:, np.newaxis], _STEEP_RAMP, _RAMP)
        return ramps
