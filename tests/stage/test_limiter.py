"""The limiter: nothing over the ceiling, nothing changed below it, rows that come and go."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stage.meters import true_peak_dbtp
from tests.stage.test_jitter import speech_like

from folkmoot.stage.limiter import CEILING, DELAY_SAMPLES, Limiter, Samples


def limited(sound: Samples) -> Samples:
    limiter = Limiter()
    return np.concatenate([limiter.process((0,), piece[np.newaxis])[0] for piece in sound.reshape(-1, 960)])


def test_what_is_low_is_only_delayed() -> None:
    said = speech_like(2).astype(np.float32)
    assert np.array_equal(limited(said)[DELAY_SAMPLES:], said[:-DELAY_SAMPLES])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 30), st.integers(1, 40))
def test_no_sample_is_over_the_ceiling(seed: int, loud: float, pieces: int) -> None:
    random = np.random.default_rng(seed)
    envelope = np.repeat(random.random(pieces * 8) ** 4, 120)
    sound = (random.standard_normal(pieces * 960) * envelope * loud * 10_000).astype(np.float32)
    assert np.abs(limited(sound)).max() <= CEILING * 1.0001


@pytest.mark.parametrize("frequency", [300.0, 3_000.0, 6_000.0, 11_999.0])
def test_peaks_between_samples_are_seen(frequency: float) -> None:
    at = np.arange(96_000) / 48_000
    sound = (np.sin(2 * np.pi * frequency * at + 0.785) * 60_000).astype(np.float32)
    assert true_peak_dbtp(limited(sound)[4_800:].astype(np.int16)) <= -3


def test_a_row_that_is_new_starts_from_the_first_rows_past() -> None:
    said = speech_like(1).astype(np.float32).reshape(-1, 960)
    limiter = Limiter()
    limiter.process((0,), said[:1])
    both = limiter.process((0, 5), np.stack([said[1], said[1]]))
    assert np.array_equal(both[0], both[1])
    only = limiter.process((0,), said[2:3])
    assert np.array_equal(only[0, :DELAY_SAMPLES], said[1, -DELAY_SAMPLES:])
