"""When listeners are written to, and how much at once: pure functions of the load and the clock."""

from __future__ import annotations

PART_MS = 100
TICK_MS = 20
SLOTS = 50
WINDOWS = ((2_000, 100), (5_000, 200), (12_000, 500))
WINDOW_MS_MAX = SLOTS * TICK_MS

_EARLY_MS = 4  # a part may come that much before it is expected
_LATE_MS = 200  # when one is later than that, the stage is gone or silent: look less often


def window_ms(listeners: int) -> int:
    """How much sound goes into one write. A write costs about 7 µs whatever it holds, so the load decides.

    100 ms keeps a small Space close to live; a whole second carries 36,000. Every window divides SLOTS ticks.
    """
    for listeners_max, window in WINDOWS:
        if listeners <= listeners_max:
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
        return 2
    return 10 if tapes <= 200 else TICK_MS


def poll_due_ms(appended_ms: int, now_ms: int, step_ms: int) -> int:
    """When to look at a tape again whose newest part was seen at `appended_ms`: shortly before the next one."""
    expected_ms = appended_ms + PART_MS - _EARLY_MS
    if now_ms < expected_ms:
        return expected_ms
    if now_ms < appended_ms + _LATE_MS:
        return now_ms + step_ms
    return now_ms + max(step_ms, TICK_MS)
