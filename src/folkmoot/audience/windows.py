"""When listeners are written to, and how much at once: pure functions of the load and the clock."""

from __future__ import annotations

PART_MS = 100
TICK_MS = 20
SLOTS = 50
WINDOWS = ((2_000, 100), (5_000, 200), (12_000, 500))
WINDOW_MS_MAX = SLOTS * TICK_MS
GROUP_WRITES = 10
"""A group's turn (looking at its tape, reading from it, one call to the kernel) takes as long as so many writes."""

_EARLY_MS = 4  # a part may come that much before it is expected
_LATE_MS = 100  # when one is later than that, the stage is gone or silent: look less often
_DRIFT_MS = 1  # the speaker's clock may be slower than ours by that much in a part


def load(listeners: int, groups: int) -> int:
    """How many writes a window's work is worth. A thousand Spaces with one listener each are no small load."""
    return listeners + GROUP_WRITES * groups


def window_ms(load: int) -> int:
    """How much sound goes into one write. A write costs about 7 µs whatever it holds, so the load decides.

    100 ms keeps a small Space close to live; a whole second carries 36,000. Every window divides SLOTS ticks.
    """
    for load_max, window in WINDOWS:
        if load <= load_max:
            return window
    return WINDOW_MS_MAX


def slot_due_ms(slot: int, window: int, now_ms: int) -> int:
    """The next time, later than now, at which a slot's groups are written to. Missed times are never made up."""
    assert 0 <= slot < SLOTS
    phase_ms = slot * TICK_MS % window
    return now_ms + ((phase_ms - now_ms) % window or window)


def poll_step_ms(tapes: int) -> int:
    """How closely a part that is about to be appended is watched for: closer when few tapes are open."""
    if tapes <= 20:
        return 1
    return 10 if tapes <= 200 else TICK_MS


def look_ms(tapes: int) -> int:
    """How often a tape is looked at for its end, whoever's turn it is: an ended Space is over for all within half a
    second. A look costs 30 µs, so that a thousand tapes are looked at half as often."""
    return 250 if tapes <= 200 else 500


def next_beat_ms(beat_ms: int, seen_ms: int) -> int:
    """A tape's rhythm: when the part that was just seen was appended, as far as the ones before it tell.

    A part that was seen late, because somebody was busy, doesn't delay the look at the next one.
    """
    expected_ms = beat_ms + PART_MS + _DRIFT_MS
    return expected_ms if expected_ms <= seen_ms < expected_ms + _LATE_MS else seen_ms


def poll_due_ms(beat_ms: int, now_ms: int, step_ms: int) -> int:
    """When to look at a tape again whose newest part came at `beat_ms`: from shortly before the next one."""
    expected_ms = beat_ms + PART_MS
    if now_ms < expected_ms - _EARLY_MS:
        return expected_ms - _EARLY_MS
    if now_ms < expected_ms + _LATE_MS:
        return now_ms + step_ms
    return now_ms + max(step_ms, TICK_MS)
