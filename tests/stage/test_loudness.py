"""Loudness by spectrum is that of the standard's filters; a seat's gain stays in its bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stage.meters import k_weighted
from tests.stage.test_jitter import speech_like

from folkmoot.stage.loudness import GAIN_DB_MAX, SeatGain, Sharing, powers


@pytest.mark.parametrize("frequency", [100.0, 1000.0, 5000.0])
def test_a_tone_weighs_what_the_standard_says(frequency: float) -> None:
    pcm = (np.sin(2 * np.pi * frequency * np.arange(48_000) / 48_000) * 20_000).astype(np.int16)
    ours = np.mean(powers(pcm.reshape(-1, 960).astype(np.float32)))
    assert 10 * np.log10(ours / np.mean(k_weighted(pcm) ** 2)) == pytest.approx(0, abs=0.1)


def test_speech_weighs_what_the_standard_says() -> None:
    pcm = speech_like(4)
    ours = np.mean(powers(pcm.reshape(-1, 960).astype(np.float32)))
    assert 10 * np.log10(ours / np.mean(k_weighted(pcm) ** 2)) == pytest.approx(0, abs=0.2)


@given(st.lists(st.tuples(st.floats(0, 2), st.booleans()), max_size=300))
def test_any_sound_keeps_the_gain_in_its_bounds_and_noise_never_raises_it(frames: list[tuple[float, bool]]) -> None:
    gain = SeatGain()
    for power, speaking in frames:
        factor = gain.hear(power, speaking)
        assert 0 < factor <= 10 ** (GAIN_DB_MAX / 20) * 1.0001
        if not any(speaks for _, speaks in frames):
            assert factor <= 1
        assert power * factor * factor < 0.5  # -4 LUFS in the loudest 20 ms


def test_talkers_share_and_one_alone_has_all() -> None:
    alone, crowd = Sharing(), Sharing()
    for _ in range(500):
        one, many = alone.factor([0.02, 1e-6]), crowd.factor([0.02] * 13)
    assert one == pytest.approx(1, abs=0.01)
    assert many == pytest.approx(13**-0.6, rel=0.02)
