"""Meters of sound, written from the standards and apart from what they measure."""

import numpy as np
import numpy.typing as npt

RATE = 48_000
Sound = npt.NDArray[np.int16]

_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


def _filtered(
    samples: list[float], forward: tuple[float, float, float], back: tuple[float, float, float]
) -> list[float]:
    """A second-order section, sample by sample."""
    b0, b1, b2 = forward
    _, a1, a2 = back
    x1 = x2 = y1 = y2 = 0.0
    out = []
    for x in samples:
        y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        x2, x1, y2, y1 = x1, x, y1, y
        out.append(y)
    return out


def k_weighted(sound: Sound) -> npt.NDArray[np.float64]:
    """Through the two filters of ITU-R BS.1770-4, at 48 kHz; full scale is 1."""
    samples = (sound / 32768).tolist()
    return np.array(_filtered(_filtered(samples, *_SHELF), *_HIGH_PASS))


def _lufs(power: float) -> float:
    return float(-0.691 + 10 * np.log10(max(power, 1e-12)))


def integrated_lufs(sound: Sound) -> float:
    """Gated loudness of a mono programme (BS.1770-4): blocks of 400 ms, 75% overlap, gates at -70 and -10 LU."""
    squares = np.cumsum(np.concatenate([[0.0], k_weighted(sound) ** 2]))
    starts = np.arange(0, len(sound) - 19_200 + 1, 4_800)
    blocks = (squares[starts + 19_200] - squares[starts]) / 19_200
    blocks = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if not len(blocks):
        return float(-np.inf)
    return _lufs(blocks[blocks > blocks.mean() / 10].mean())


def true_peak_dbtp(sound: Sound) -> float:
    """The highest point of the band-limited wave, by way of a spectrum four times as wide."""
    wave = np.concatenate([sound / 32768, np.zeros(-len(sound) % 4_800)])
    wide = np.zeros(2 * len(wave) + 1, complex)
    spectrum = np.fft.rfft(wave)
    wide[: len(spectrum)] = spectrum
    return float(20 * np.log10(max(np.abs(np.fft.irfft(wide, 4 * len(wave)) * 4).max(), 1e-9)))


def click_ratio(sound: Sound, around: int) -> float:
    """How far the sharpest bend within 10 ms of a place stands out from those of the 200 ms on both sides.

    A bend is the third difference of the samples: a step or a kink has a large one, speech hardly any.
    """
    bends = np.abs(np.diff(sound.astype(float), n=3))
    near = bends[max(0, around - 480) : around + 480].max(initial=0)
    before, after = bends[max(0, around - 9_600) : max(0, around - 480)], bends[around + 480 : around + 9_600]
    return float(near / max(before.max(initial=0), after.max(initial=0), 60.0))
