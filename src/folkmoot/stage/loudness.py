"""How loud a speaker is, and the gain that makes everybody about equally loud. Pure: a frame of 20 ms is the clock.

Loudness is that of ITU-R BS.1770-4: the power behind its K-weighting, here taken from each frame's spectrum, which
costs less than its two filters and gives the same mean (`tests/stage/test_loudness.py` compares the two).
"""

import math

import numpy as np
import numpy.typing as npt

from folkmoot.tape.opus import FRAME_SAMPLES, SAMPLE_RATE

Samples = npt.NDArray[np.float32]

TARGET_LUFS = -16.0
GAIN_DB_MAX = 24.0
GAIN_DB_MIN = -24.0

_FULL_SCALE = 32768.0
_LUFS_OFFSET_DB = -0.691
_BLOCK_KEEP = 0.95
_SHORT_KEEP = 0.75
_FLOOR_RISE = 1.03
_SPEECH_OVER_FLOOR = 4.0
_RELATIVE_GATE = 0.1
_FRAMES_AVERAGED_MAX = 90
_FRAMES_FOR_FIRST_GUESS = 60
_FRAMES_UNDER_GATE_MAX = 100
_FIRST_STEP_DB = 0.6
_STEP_UP_DB = 0.06
_STEP_DOWN_DB = 0.2
_BLOCK_CAP_LU = 4.0
_SHORT_CAP_LU = 8.0
_FRAME_CAP_LU = 11.0
_STEP_DOWN_NOISE_DB = 0.1
_SHARE_KEEP = 0.96
# 0.5 keeps the sum of their powers; a little more, because together they leave no pauses.
_SHARE = 0.6


def _power_of_lufs(loudness_lufs: float) -> float:
    return math.pow(10, (loudness_lufs - _LUFS_OFFSET_DB) / 10)


# The limiter takes what is over, and a gated measurement counts the pauses within 400 ms: aim higher by that.
_AIMED_POWER = _power_of_lufs(TARGET_LUFS + 1.5)
_TARGET_POWER = _power_of_lufs(TARGET_LUFS)
_QUIETEST_POWER = _power_of_lufs(-60.0)
_BLOCK_CAP, _SHORT_CAP, _FRAME_CAP = (
    _power_of_lufs(TARGET_LUFS + over) for over in (_BLOCK_CAP_LU, _SHORT_CAP_LU, _FRAME_CAP_LU)
)


def _k_weights() -> Samples:
    """What each bin of a frame's spectrum adds to its K-weighted mean square (BS.1770-4, tables 1 and 2)."""
    turn = np.exp(-2j * np.pi * np.arange(FRAME_SAMPLES // 2 + 1) / FRAME_SAMPLES)
    shelf = (1.53512485958697 - 2.69169618940638 * turn + 1.19839281085285 * turn**2) / (
        1 - 1.69065929318241 * turn + 0.73248077421585 * turn**2
    )
    high_pass = (1 - turn) ** 2 / (1 - 1.99004745483398 * turn + 0.99007225036621 * turn**2)
    twice = np.full(len(turn), 2.0)
    twice[[0, -1]] = 1
    weights = np.abs(shelf * high_pass) ** 2 * twice / (FRAME_SAMPLES * _FULL_SCALE) ** 2
    rounded: Samples = weights.astype(np.float32)
    return rounded


assert SAMPLE_RATE == 48_000  # what the coefficients above are for
_WEIGHTS = _k_weights()


def powers(frames: Samples) -> list[float]:
    """K-weighted mean square of each row of 960 samples (units of int16): 0.59 for a full-scale sine at 1 kHz."""
    spectrum = np.fft.rfft(frames)
    return [float(power) for power in (spectrum.real**2 + spectrum.imag**2) @ _WEIGHTS]


class SeatGain:
    """One seat's gain: slow, within ±24 dB, moved by speech alone.

    What counts is at least 6 dB above the seat's own noise floor, while the detector hears speech, so neither
    silence nor a fan is turned up; nor are the ends of words, more than 10 LU under the speech before. What stays
    there for 2 s of speech is somebody who moved away, or somebody else: the gain starts over. In the first second
    of speech it finds its place, later it moves 3 dB a second up and 10 dB down. What is louder than the target
    without being speech (noise of any kind) is turned down, never up, and whatever comes at once is capped: 4 LU
    above the target over 400 ms, 8 over 100 ms, 11 over 20 ms, which speech hardly reaches. Before a second of
    speech was heard, 4 LU is the most for each frame: what begins loud may be no voice at all.
    """

    def __init__(self) -> None:
        self._gain_db = 0.0
        self._block = 0.0
        self._short = 0.0
        self._floor = math.inf
        self._speech = 0.0
        self._frames = 0
        self._frames_under_gate = 0

    @property
    def block_power(self) -> float:
        """The seat's own power lately (400 ms), before the gain."""
        return self._block

    def hear(self, power: float, speaking: bool) -> float:
        """Takes the power of the frame that is due, and returns the factor it is to be played with."""
        self._block += (power - self._block) * (1 - _BLOCK_KEEP)
        self._short += (power - self._short) * (1 - _SHORT_KEEP)
        self._floor = max(min(power, self._floor * _FLOOR_RISE), _QUIETEST_POWER)
        square = math.pow(10, self._gain_db / 10)
        if speaking and power > _SPEECH_OVER_FLOOR * self._floor and self._passes_gate():
            self._learn()
        elif self._block * square > _TARGET_POWER:
            self._gain_db = max(self._gain_db - _STEP_DOWN_NOISE_DB, GAIN_DB_MIN)
        new = self._frames < _FRAMES_FOR_FIRST_GUESS
        short_cap, frame_cap = (_BLOCK_CAP, _BLOCK_CAP) if new else (_SHORT_CAP, _FRAME_CAP)
        over = max(self._block / _BLOCK_CAP, self._short / short_cap, power / frame_cap) * square
        return math.sqrt(square / over if over > 1 else square)

    def _passes_gate(self) -> bool:
        if self._block > _RELATIVE_GATE * self._speech:
            self._frames_under_gate = 0
        else:
            self._frames_under_gate += 1
            if self._frames_under_gate < _FRAMES_UNDER_GATE_MAX:
                return False
            self._frames = self._frames_under_gate = 0
        return True

    def _learn(self) -> None:
        self._frames = min(self._frames + 1, _FRAMES_AVERAGED_MAX)
        self._speech += (max(self._block, _QUIETEST_POWER) - self._speech) / self._frames
        wanted_db = 10 * math.log10(_AIMED_POWER / self._speech)
        wanted_db = min(max(wanted_db, GAIN_DB_MIN), GAIN_DB_MAX)
        first = self._frames < _FRAMES_FOR_FIRST_GUESS
        up_db, down_db = (_FIRST_STEP_DB, _FIRST_STEP_DB) if first else (_STEP_UP_DB, _STEP_DOWN_DB)
        self._gain_db += min(max(wanted_db - self._gain_db, -down_db), up_db)


class Sharing:
    """Several who talk at once share the loudness of one: the factor for all of them, without a jump."""

    def __init__(self) -> None:
        self._talkers = 1.0

    def factor(self, seats: list[float]) -> float:
        """`seats` are the powers of all seats, after their gains; their sum over the loudest counts the talkers."""
        loudest = max(seats, default=0.0)
        talkers = sum(seats) / loudest if loudest > _QUIETEST_POWER else 1.0
        self._talkers += (talkers - self._talkers) * (1 - _SHARE_KEEP)
        return math.pow(self._talkers, -_SHARE)
