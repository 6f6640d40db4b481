from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from folkmoot.tape import boxes
from folkmoot.tape.model import Codec
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

ROUNDS = 60


@pytest.mark.slow
def test_every_acknowledged_part_survives_kill_9(tmp_path: Path) -> None:
    acknowledged = killed_writers(tmp_path)
    assert len(acknowledged) > ROUNDS
    TapeWriter.open(tmp_path, lambda: 0).close()
    with TapeReader(tmp_path) as reader:
        for codec, position in ((Codec.OPUS, 0), (Codec.AAC, 1)):
            end_samples = 0
            kept: dict[int, int] = {}
            for ref in reader.numbered(codec, 0, reader.count(codec)):
                data = reader.read([ref])
                assert zlib.crc32(data) == ref.checksum
                assert ref.start_samples == end_samples
                end_samples = ref.end_samples
                kept[ref.start_samples] = zlib.crc32(b"".join(boxes.parse_chunk(data).frames))
            for at_ms, checksums in acknowledged.items():
                start_samples = at_ms * 48 // codec.frame_samples * codec.frame_samples
                assert kept[start_samples] == checksums[position]


def killed_writers(directory: Path) -> dict[int, list[int]]:
    """What writers that were killed at random points had acknowledged: step (ms) to checksums."""
    randomness = random.Random(29)
    acknowledged: dict[int, list[int]] = {}
    script = Path(__file__).with_name("killed_writer.py")
    with subprocess.Popen(
        [sys.executable, str(script), str(directory), str(ROUNDS)], stdout=subprocess.PIPE, text=True
    ) as writers:
        assert writers.stdout is not None
        child, left = 0, 0
        for line in writers.stdout:
            first, *rest = line.split()
            if first == "done":
                break
            if first == "pid":
                child, left = int(rest[0]), randomness.randrange(40)
            else:
                assert int(first) not in acknowledged
                acknowledged[int(first)] = [int(number) for number in rest]
                left -= 1
            if left <= 0 and child:
                pause_until = time.perf_counter() + randomness.random() * 0.003
                while time.perf_counter() < pause_until:
                    pass
                os.kill(child, signal.SIGKILL)
                child = 0
    return acknowledged
