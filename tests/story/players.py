"""A speaker whose voice says what time it is, and programs that play what listeners are sent."""

import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tests.stage.peers import Client, Tone

RATE = 48_000
STEP_S = 0.5
STEPS = 24
LOWEST_HZ = 400
APART_HZ = 50

Pcm = npt.NDArray[np.int16]


class Scale(Tone):
    """A tone that climbs a step every half second: of any stretch one hears which it was."""

    async def recv(self):  # type: ignore[no-untyped-def]
        self.frequency = LOWEST_HZ + APART_HZ * (int(self._sent * 0.02 / STEP_S) % STEPS)
        return await super().recv()


def singer() -> Client:
    client = Client(LOWEST_HZ)
    client.tone = Scale(LOWEST_HZ)
    return client


def steps_heard(pcm: Pcm) -> list[int]:
    """The steps of the scale in the order in which they are heard, each once for as long as it lasts."""
    window = int(0.1 * RATE)
    found: list[int] = []
    for at in range(0, len(pcm) - window + 1, window):
        piece = pcm[at : at + window].astype(float)
        if np.abs(piece).max() < 500:
            continue
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(window), 4 * window))
        step = round((int(np.argmax(spectrum)) * RATE / (4 * window) - LOWEST_HZ) / APART_HZ)
        if not found or found[-1] != step:
            found.append(step)
    return found


def climbs(steps: list[int]) -> bool:
    """Whether every step follows the one before it: nothing is missing, nothing comes twice."""
    return all((after - before) % STEPS == 1 for before, after in pairwise(steps))


def by_ffmpeg(address: str, seconds: float) -> Pcm:
    command = ["ffmpeg", "-v", "error", "-i", address, "-t", str(seconds)]
    command += ["-f", "s16le", "-ac", "1", "-ar", str(RATE), "-"]
    played = subprocess.run(command, capture_output=True, check=False, timeout=40)
    assert played.returncode == 0, played.stderr.decode()
    return np.frombuffer(played.stdout, np.int16)


def by_mpv(address: str, seconds: float, folder: Path) -> Pcm:
    path = folder / "mpv.pcm"
    command = ["mpv", "--no-config", "--no-video", "--msg-level=all=error", "--ao=pcm", "--ao-pcm-waveheader=no"]
    command += [
        f"--ao-pcm-file={path}",
        "--audio-samplerate=48000",
        "--audio-channels=mono",
        "--audio-format=s16",
        f"--length={seconds}",
    ]
    played = subprocess.run([*command, address], capture_output=True, text=True, check=False, timeout=40)
    assert played.returncode == 0, played.stdout + played.stderr
    return np.fromfile(path, np.int16)
