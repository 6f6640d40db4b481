"""Mixing: sums, sums without oneself, no clicks, no overflow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.stage.mixer import Contribution, Mixer, limit
from folkmoot.tape.opus import Pcm


def tone(frequency: float, amplitude: int = 8000, tick: int = 0) -> Pcm:
    at = (np.arange(960) + tick * 960) / 48_000
    return (np.sin(2 * np.pi * frequency * at) * amplitude).astype(np.int16)


def settled(*contributions: Contribution) -> Mixer:
    mixer = Mixer()
    mixer.mix(contributions)
    return mixer


def test_everybody_hears_the_others_and_the_silent_hear_all() -> None:
    one, two, three = tone(300), tone(500), tone(700)
    seats = [Contribution(1, one, True), Contribution(2, two, True), Contribution(3, three, True)]
    silent = Contribution(4, None, False)
    mixed = settled(*seats).mix([*seats, silent])
    assert np.array_equal(mixed.full, one + two + three)
    assert np.array_equal(mixed.minus[1], two + three)
    assert np.array_equal(mixed.minus[2], one + three)
    assert set(mixed.minus) == {1, 2, 3}


def test_a_seat_of_silence_shares_the_full_mix() -> None:
    quiet = Contribution(2, tone(300, 10), True)
    loud = Contribution(1, tone(300), True)
    assert set(settled(loud, quiet).mix([loud, quiet]).minus) == {1}


def test_nobody_is_silence() -> None:
    mixed = Mixer().mix([Contribution(1, None, False)])
    assert mixed.silent
    assert not mixed.full.any()


@pytest.mark.parametrize("ends", [True, False])
def test_coming_and_going_has_no_step(ends: bool) -> None:
    mixer = Mixer()
    constant = np.full(960, 10_000, np.int16)
    frames = [mixer.mix([Contribution(1, None, False)]).full]
    frames += [mixer.mix([Contribution(1, constant, True)]).full for _ in range(2)]
    if ends:
        frames.append(mixer.mix([Contribution(1, constant, False)]).full)
        frames.append(mixer.mix([]).full)
    steps = np.abs(np.diff(np.concatenate(frames).astype(int)))
    assert steps.max() <= 11
    assert frames[2].max() == 10_000


@given(st.lists(st.integers(-(2**19), 2**19), min_size=1, max_size=100))
def test_loud_sums_are_bent_not_wrapped(samples: list[int]) -> None:
    values = np.array(sorted(samples), np.int32)
    limited = limit(values)
    assert (np.diff(limited.astype(int)) >= 0).all()
    small = np.abs(values) <= 29_490
    assert np.array_equal(limited[small], values[small])
    assert np.array_equal(np.sign(limited), np.sign(values))


def test_thirteen_at_full_level_stay_a_wave() -> None:
    seats = [Contribution(seat, tone(300, 20_000), True) for seat in range(1, 14)]
    full = settled(*seats).mix(seats).full.astype(int)
    assert np.abs(full).max() <= 32_767
    assert (np.sign(full) == np.sign(tone(300, 20_000).astype(int))).all()
