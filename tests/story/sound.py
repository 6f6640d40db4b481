"""Recorded voices to say, and the comparison of what was heard with what was said."""

import wave
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RATE = 48_000
HOP = 480  # 10 ms
WINDOW = 1200  # 25 ms
BANDS = 40
ALSA = Path("/usr/share/sounds/alsa")
# What is this far below the loudest is silence to an ear, and noise to a correlation.
FLOOR_DB = 50.0
PIECE_S = 2

Sound = npt.NDArray[np.float32]


def read(path: Path) -> Sound:
    """Any sound file as mono float at 48 kHz."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray().ravel() for frame in frames]).astype(np.float32)


def write(path: Path, sound: Sound) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def recorded_voice(path: Path, names: tuple[str, ...], pause_s: float) -> Path:
    """A person's voice: recordings that Debian's alsa-utils ships, with pauses between."""
    assert ALSA.is_dir(), "install alsa-utils (scripts/install-system-packages)"
    silence = np.zeros(int(pause_s * RATE), np.float32)
    spoken = [piece for name in names for piece in (_level(read(ALSA / f"{name}.wav")), silence)]
    return write(path, np.concatenate(spoken))


def _level(sound: Sound) -> Sound:
    return sound * np.float32(0.5 / max(1e-6, float(np.abs(sound).max())))


def log_spectrogram(sound: Sound) -> npt.NDArray[np.float64]:
    """Frames × bands: mel-spaced energies in dB, floored at what one can hear beside the loudest."""
    count = max(0, (len(sound) - WINDOW) // HOP + 1)
    window = np.hanning(WINDOW)
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP][:count] * window
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    banded = power @ _mel_bands().T
    decibels = 10 * np.log10(banded + 1e-10)
    floored: npt.NDArray[np.float64] = np.maximum(decibels, decibels.max() - FLOOR_DB)
    return floored


def _mel_bands() -> npt.NDArray[np.float64]:
    """Triangles from 100 Hz to 7 kHz: where speech is, and where codecs and browsers leave it alone."""
    edges = 700 * (10 ** (np.linspace(_mel(100), _mel(7000), BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)
    rising = (bins[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rising, falling), 0, None)


def _mel(hertz: float) -> float:
    return 2595 * float(np.log10(1 + hertz / 700))


def likeness(said: Sound, heard: Sound) -> float:
    """The correlation of the log-spectrograms, each two seconds of it at the alignment where it is highest.

    `said` is repeated as the fake microphone repeats it; `heard` may begin anywhere in it. In pieces, because a
    live player plays 5% faster while it catches up: nobody hears that, and one rigid alignment does not survive it.
    """
    spoken = log_spectrogram(said)
    floor = spoken.max() - FLOOR_DB
    looped = np.tile(spoken, (3, 1))
    found = [
        _best(looped, len(spoken), piece, floor)
        for piece in np.array_split(log_spectrogram(heard), max(1, len(heard) // (PIECE_S * RATE)))
    ]
    return float(np.mean(found))


def most_alike(said: Sound, heard: Sound, seconds: int) -> float:
    """The likeness of the stretch of so many seconds that is most like what was said."""
    last = max(1, len(heard) - seconds * RATE)
    return max(likeness(said, heard[start : start + seconds * RATE]) for start in range(0, last, RATE))


def _best(looped: npt.NDArray[np.float64], lags: int, piece: npt.NDArray[np.float64], floor: float) -> float:
    """The highest correlation of the piece with what was said, over all lags at once."""
    target = np.maximum(piece, piece.max() - FLOOR_DB)
    target = (target - target.mean()) / (target.std() + 1e-9)
    spoken = np.maximum(looped[: lags - 1 + len(piece)], floor)
    products = sum(np.correlate(*bands, "valid") for bands in zip(spoken.T.copy(), target.T.copy(), strict=True))
    mean, power = (_sums(of.sum(axis=1), len(piece)) / piece.size for of in (spoken, spoken**2))
    return float(np.max(products / (piece.size * (np.sqrt(np.maximum(power - mean**2, 0)) + 1e-9))))


def _sums(values: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    """Of each so many values in a row."""
    so_far: npt.NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(values)])
    sums: npt.NDArray[np.float64] = so_far[count:] - so_far[:-count]
    return sums


def silences_s(heard: Sound, longer_than_s: float, below_db: float = -60.0) -> list[tuple[float, float]]:
    """Stretches in which nothing at all was heard: (start, length) in seconds."""
    frames = heard[: len(heard) // HOP * HOP].reshape(-1, HOP)
    level_db = 20 * np.log10(np.sqrt((frames**2).mean(axis=1)) + 1e-9)
    found, since = [], None
    for number, quiet in enumerate([*(level_db < below_db), False]):
        if quiet and since is None:
            since = number
        elif not quiet and since is not None:
            length_s = (number - since) * HOP / RATE
            if length_s > longer_than_s:
                found.append((since * HOP / RATE, length_s))
            since = None
    return found
