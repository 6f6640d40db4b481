"""Run by test_kill: forks one writer of the same tape after the other, each killed by the test.

Says `pid N` for each, and `STEP CRC` on one line once a step is acknowledged.
"""

import os
import sys
import time
import zlib
from pathlib import Path

from folkmoot.tape.model import Codec, Note, Part
from folkmoot.tape.writer import TapeWriter


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def write_until_killed(directory: Path) -> None:
    say(f"pid {os.getpid()}")
    writer = TapeWriter.open(directory, lambda: time.time_ns() // 1_000_000)
    while True:
        start_samples = writer.next_samples
        frames = tuple(os.urandom(80) for _ in range(5))
        first, past_last = start_samples // 1024, (start_samples + 4_800) // 1024
        aac = tuple(os.urandom(120) for _ in range(first, past_last))
        parts = [Part(Codec.OPUS, start_samples, frames), Part(Codec.AAC, first * 1024, aac)]
        writer.append(parts, Note(speaking=(start_samples // 48_000,)))
        say(f"{start_samples // 48} {zlib.crc32(b''.join(frames))} {zlib.crc32(b''.join(aac))}")


def main() -> None:
    directory, rounds = Path(sys.argv[1]), int(sys.argv[2])
    for _ in range(rounds):
        child = os.fork()
        if child == 0:
            write_until_killed(directory)
        os.waitpid(child, 0)
    say("done")


if __name__ == "__main__":
    main()
