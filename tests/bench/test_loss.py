"""The loss bench measures what it says: known losses and delays come out as known figures."""

import numpy as np
import pytest

from folkmoot.bench.loss import best_match, measure_loss
from folkmoot.tape.opus import FRAME_SAMPLES, SAMPLE_RATE, Pcm


@pytest.fixture(scope="module")
def voice() -> Pcm:
    """Six seconds of something between a voice and a siren."""
    at = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    wave = np.sin(2 * np.pi * (180 + 40 * np.sin(2 * np.pi * 0.7 * at)) * at) * (1 + np.sin(2 * np.pi * 3 * at))
    scaled: Pcm = (wave * 8000).astype(np.int16)
    return scaled


def test_without_loss_all_comes_out_two_frames_later(voice: Pcm) -> None:
    result = measure_loss(voice, 0)
    assert result.correlation == pytest.approx(1.0)
    assert result.buffer_ms == 45
    assert (result.lost_packets, result.packets) == (0, 300)


def test_the_same_packets_are_lost_each_time_and_it_is_heard(voice: Pcm) -> None:
    first, second = measure_loss(voice, 8), measure_loss(voice, 8)
    assert first == second
    assert 10 < first.lost_packets < 40
    assert 0.5 < first.correlation < 1


def test_the_delay_with_the_best_match_is_found() -> None:
    noise = np.random.default_rng(1).integers(-9000, 9000, (60, FRAME_SAMPLES)).astype(np.int16)
    silence = np.zeros((7, FRAME_SAMPLES), np.int16)
    correlation, delay = best_match(list(noise), [*silence, *noise[:-7]])
    assert delay == 7
    assert correlation == pytest.approx(1.0)


def test_silence_is_like_nothing() -> None:
    silence = np.zeros((60, FRAME_SAMPLES), np.int16)
    assert best_match(list(silence), list(silence))[0] == 0
