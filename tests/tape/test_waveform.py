from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from folkmoot.tape.model import Note, Part
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.waveform import waveform
from folkmoot.tape.writer import TapeWriter


@pytest.fixture
def stairs(tmp_path: Path, step_parts: Callable[..., tuple[Part, ...]]) -> TapeReader:
    """A hundred steps, each as loud as its number."""
    writer = TapeWriter.open(tmp_path, lambda: 0)
    for step in range(100):
        writer.append(step_parts(step), Note())
    writer.close()
    return TapeReader(tmp_path)


def test_each_point_is_the_loudest_of_its_stretch(stairs: TapeReader) -> None:
    assert waveform(stairs, 0, 10_000, 10) == bytes(range(9, 100, 10))
    assert waveform(stairs, 0, 10_000, 100) == bytes(range(100))
    assert waveform(stairs, 2_000, 3_000, 2) == bytes([24, 29])
    assert max(waveform(stairs, 0, 10_000, 7)) == 99


def test_there_are_never_more_points_than_steps(stairs: TapeReader) -> None:
    assert waveform(stairs, 0, 300, 50) == bytes([0, 1, 2])
    assert waveform(stairs, 0, 10**12, 10**9) == bytes(range(100))


@pytest.mark.parametrize("points", [0, -5])
def test_nothing_is_nothing(points: int, stairs: TapeReader) -> None:
    assert waveform(stairs, 0, 10_000, points) == b""
    assert waveform(stairs, 50_000, 60_000, 10) == b""
    assert waveform(stairs, 500, 500, 10) == b""
