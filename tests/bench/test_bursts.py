"""Bursts are found where they are, whatever else is there."""

import wave

import numpy as np
import pytest

from folkmoot.bench.bursts import (
    APART_SAMPLES,
    CYCLE_MS,
    SAMPLE_RATE,
    Recording,
    Samples,
    burst,
    delays_ms,
    recording,
    write_bursts,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    path = tmp_path_factory.mktemp("bursts") / "bursts.wav"
    write_bursts(path)
    with wave.open(str(path)) as file:
        assert file.getnframes() * 1000 // SAMPLE_RATE == CYCLE_MS
        return np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768


@pytest.mark.parametrize("delay_ms", [37.0, 15_880.0])
def test_a_delay_is_found_beneath_noise_and_at_another_loudness(said: Samples, delay_ms: float) -> None:
    length = 10 * APART_SAMPLES
    noise = np.random.default_rng(1).standard_normal(length) * 0.01
    start = len(said) - length
    heard = Recording(said[start:] * 0.4 + noise, 1_000_000.0 + start * 1000 / SAMPLE_RATE + delay_ms)
    found = delays_ms(Recording(said, 1_000_000.0), heard)
    assert len(found) == 10
    assert found == pytest.approx([delay_ms] * 10, abs=0.2)


def test_what_was_not_said_is_not_heard() -> None:
    silence = Recording(np.zeros(SAMPLE_RATE * 3), 0.0)
    noise = Recording(np.random.default_rng(2).standard_normal(SAMPLE_RATE * 3) * 0.1, 0.0)
    assert delays_ms(noise, silence) == []
    assert delays_ms(silence, noise) == []


def test_bursts_are_unlike_each_other() -> None:
    for kind in range(1, 20):
        likeness = np.corrcoef(burst(0), burst(kind))[0, 1]
        assert abs(likeness) < 0.4


def test_late_stamps_do_not_move_a_recording() -> None:
    chunks = [(48_000 + number * 2560, 5_000.0 + number * 2560 / 48) for number in range(50)]
    late = [(frame, unix_ms + (40.0 if frame % 3 else 0.0)) for frame, unix_ms in chunks]
    assert recording(bytes(8), late).start_unix_ms == pytest.approx(5_000.0)
