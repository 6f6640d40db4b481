"""Synthetic tapes of `bench audience`, written live as a stage writes them, and when each part was published.

Runs as a process of its own: `python -m folkmoot.bench.audience_tapes FOLDER SPACES`. Beside a tape's own files
lies `published`: eight bytes for each part, the monotonic time in nanoseconds at which its append began.
"""

import mmap
import os
import random
import struct
import sys
import time
from pathlib import Path

from folkmoot.tape.model import SAMPLES_PER_MS, STEP_SAMPLES, Codec, Note, Part
from folkmoot.tape.writer import TapeWriter

FIRST_SPACE = 1
STEP_MS = STEP_SAMPLES // SAMPLES_PER_MS
PARTS_MAX = 40_000  # a little more than an hour
LATE_MS_MAX = 50
TURNS = 20  # in each step: waking up costs more than an append
_FRAME_BYTES = 80  # 20 ms of Opus at 32 kbit/s
_FRAMES = STEP_SAMPLES // Codec.OPUS.frame_samples
_STAMP = struct.Struct("<Q")


class SyntheticTape:
    """One Space's tape: frames of the size that speech has, of bytes that nothing else has."""

    def __init__(self, folder: Path, space_id: int, noise: bytes) -> None:
        directory = folder / str(space_id)
        self._writer = TapeWriter.open(directory, lambda: time.time_ns() // 1_000_000)
        self._noise = noise
        self._random = random.Random(space_id)  # noqa: S311 - which bytes doesn't matter
        self._number = 0
        with (directory / "published").open("w+b") as file:
            os.ftruncate(file.fileno(), PARTS_MAX * _STAMP.size)
            self._published = mmap.mmap(file.fileno(), 0)

    def append(self) -> None:
        """Publishes the next part."""
        at = self._random.randrange(len(self._noise) - _FRAMES * _FRAME_BYTES)
        frames = tuple(self._noise[at + n * _FRAME_BYTES : at + (n + 1) * _FRAME_BYTES] for n in range(_FRAMES))
        part = Part(Codec.OPUS, self._number * STEP_SAMPLES, frames)
        _STAMP.pack_into(self._published, self._number * _STAMP.size, time.monotonic_ns())
        self._writer.append([part], Note())
        self._number += 1


def write_tapes(folder: Path, spaces: int) -> None:
    """Writes until it is killed; the tapes take turns within each step. What would be too late is left out."""
    noise = random.Random(0).randbytes(1 << 20)  # noqa: S311
    tapes = [SyntheticTape(folder, FIRST_SPACE + number, noise) for number in range(spaces)]
    for tape in tapes:
        tape.append()
    print("ready", flush=True)
    step_ns = STEP_MS * 1_000_000
    due_ns = time.monotonic_ns()
    while True:
        for turn in range(TURNS):
            wait_ns = due_ns + turn * step_ns // TURNS - time.monotonic_ns()
            if wait_ns > 0:
                time.sleep(wait_ns / 1e9)
            for tape in tapes[turn::TURNS]:
                tape.append()
        due_ns += step_ns
        if time.monotonic_ns() - due_ns > LATE_MS_MAX * 1_000_000:
            due_ns = time.monotonic_ns()


if __name__ == "__main__":
    write_tapes(Path(sys.argv[1]), int(sys.argv[2]))
