"""Who speaks, from levels and time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.stage.speaking import (
    HANGOVER_MS,
    SpeakingDetector,
    level_of_extension_dbov,
    level_of_frame_dbov,
)


def test_two_loud_frames_open_and_300_ms_of_quiet_close() -> None:
    detector = SpeakingDetector()
    assert not detector.hear(-20, 0)
    assert detector.hear(-20, 20)
    assert detector.hear(-90, 20 + HANGOVER_MS - 1)
    assert not detector.hear(-90, 20 + HANGOVER_MS)


def test_a_click_is_no_speech() -> None:
    detector = SpeakingDetector()
    assert not any(detector.hear(-10 if frame % 5 == 0 else -80, frame * 20) for frame in range(100))


def test_pauses_between_words_do_not_flicker() -> None:
    detector = SpeakingDetector()
    levels = [-20] * 10 + [-80] * 10 + [-20] * 10
    assert all([detector.hear(level, at * 20) for at, level in enumerate(levels)][1:])


def test_hush_ends_it_at_once() -> None:
    detector = SpeakingDetector()
    detector.hear(-20, 0)
    detector.hear(-20, 20)
    detector.hush()
    assert not detector.speaking
    assert detector.level_dbov == -127


def test_levels_of_frames() -> None:
    assert level_of_frame_dbov(np.zeros(960, np.int16)) == -127
    assert level_of_frame_dbov(np.full(960, 32_767, np.int16)) == 0
    assert level_of_frame_dbov(np.full(960, 3277, np.int16)) == -20


@given(st.binary(max_size=4))
def test_levels_of_extensions_are_in_range(value: bytes) -> None:
    level = level_of_extension_dbov(value)
    assert (level is None) == (not value)
    assert level is None or -127 <= level <= 0
