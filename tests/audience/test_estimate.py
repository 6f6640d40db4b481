"""Listeners by HLS are estimated from requests, without anything that tells one from another."""

from heapq import heapify, heappop, heappush
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.audience.estimate import (
    ASK_AGAIN_S,
    ASK_AGAIN_S_MAX,
    ASK_LATE_SHARE,
    ASKS_PER_S,
    PLAYLISTS_OVER_S,
    HlsEstimate,
)


@pytest.mark.parametrize("every_s", [0.2, 4.0], ids=["low latency", "whole segments"])
@settings(max_examples=15)
@given(players=st.integers(1, 300), phase_s=st.floats(0, 4))
def test_players_that_ask_again_and_again_are_counted(every_s: float, players: int, phase_s: float) -> None:
    estimate = HlsEstimate()
    asks = int(2 * PLAYLISTS_OVER_S / every_s)
    for ask in range(asks):
        for _ in range(players):
            estimate.playlist(1, every_s, 100 + phase_s + ask * every_s)
    now_s = 100 + phase_s + asks * every_s
    assert estimate.counts(now_s) == {1: pytest.approx(players, rel=0.51, abs=1)}
    assert estimate.counts(now_s + PLAYLISTS_OVER_S + 1) == {}


@pytest.mark.parametrize("players", [20, 400])
def test_who_found_no_room_is_counted_for_as_long_as_they_ask(players: int) -> None:
    """Each adds up to half of the pause, as our player does."""
    estimate, now_s, seed = HlsEstimate(), 0.0, Random(0)
    due = [(seed.uniform(0, ASK_AGAIN_S), player) for player in range(players)]
    heapify(due)
    counted = []
    while now_s < 5 * ASK_AGAIN_S:
        now_s, player = heappop(due)
        again_s = estimate.sent_away(7, now_s)
        heappush(due, (now_s + again_s * (1 + 2 * ASK_LATE_SHARE * seed.random()), player))
        if now_s > 2 * ASK_AGAIN_S:
            counted.append(estimate.counts(now_s)[7])
    assert sum(counted) / len(counted) == pytest.approx(players, rel=0.15, abs=2)
    assert estimate.counts(now_s + 2 * ASK_AGAIN_S) == {}


def test_a_crowd_asks_seldomer() -> None:
    estimate = HlsEstimate()
    pauses_s = [estimate.sent_away(1, 0.0) for _ in range(ASKS_PER_S * 100)]
    assert pauses_s[0] == ASK_AGAIN_S
    assert pauses_s[-1] == 99
    assert max(estimate.sent_away(2, 0.0) for _ in range(ASKS_PER_S * 600)) == ASK_AGAIN_S_MAX


def test_nobody_is_counted_twice() -> None:
    estimate = HlsEstimate()
    for _ in range(10):
        estimate.sent_away(1, 0.0)
    for _ in range(PLAYLISTS_OVER_S * 5):
        estimate.playlist(1, 0.2, 1.0)
    assert estimate.counts(2.0) == {1: 10}


def test_what_is_kept_is_bounded_however_many_ask() -> None:
    estimate = HlsEstimate()
    for number in range(20_000):
        now_s = number / 100
        estimate.playlist(number % 3, 0.2, now_s)
        estimate.sent_away(number % 3, now_s)
        if number % 100 == 0:
            estimate.counts(now_s)
    kept = sum(len(table) for tables in (estimate._playlists, estimate._leaving) for table in tables.values())
    assert kept <= 3 * (PLAYLISTS_OVER_S + 1 + 2 * ASK_AGAIN_S_MAX)
