from hypothesis import given
from hypothesis import strategies as st

from folkmoot.audience import windows

listeners = st.integers(0, 200_000)
times_ms = st.integers(0, 10**12)
slots = st.integers(0, windows.SLOTS - 1)
window_sizes = st.sampled_from([100, 200, 500, 1000])


def test_a_small_space_stays_close_to_live_and_the_evening_fits() -> None:
    assert [windows.window_ms(count) for count in (0, 1, 2_000)] == [100, 100, 100]
    assert windows.window_ms(36_000) == windows.window_ms(100_000) == 1000


@given(listeners, listeners)
def test_more_listeners_never_get_smaller_windows(fewer: int, more: int) -> None:
    fewer, more = sorted((fewer, more))
    assert windows.window_ms(fewer) <= windows.window_ms(more)


@given(st.integers(1, 5_000))
def test_many_small_spaces_are_looked_at_no_more_often_than_a_core_can(spaces: int) -> None:
    """A turn takes some 80 µs: reading the index and the sound of a tape, and a call to write."""
    window = windows.window_ms(windows.load(2 * spaces, spaces))
    assert spaces * 1000 / window * 80e-6 <= 0.4


@given(listeners)
def test_a_window_is_whole_parts_and_divides_the_slots(count: int) -> None:
    window = windows.window_ms(count)
    assert window % windows.PART_MS == 0
    assert windows.SLOTS % (window // windows.TICK_MS) == 0
    assert window >= windows.PART_MS


@given(st.integers(0, 36_000))
def test_writes_a_second_stay_within_what_a_core_does(count: int) -> None:
    assert count * 1000 / windows.window_ms(count) <= 36_000


@given(slots, window_sizes, times_ms)
def test_a_slot_is_due_later_than_now_and_within_one_window(slot: int, window: int, now_ms: int) -> None:
    due_ms = windows.slot_due_ms(slot, window, now_ms)
    assert now_ms < due_ms <= now_ms + window
    assert windows.slot_due_ms(slot, window, due_ms) == due_ms + window


@given(window_sizes, times_ms)
def test_slots_are_spread_evenly_over_the_window(window: int, now_ms: int) -> None:
    due = sorted(windows.slot_due_ms(slot, window, now_ms) for slot in range(windows.SLOTS))
    per_tick = windows.SLOTS * windows.TICK_MS // window
    assert all(due.count(at_ms) == per_tick for at_ms in due)


@given(times_ms, st.integers(0, 5_000), st.sampled_from([2, 10, 20]))
def test_polling_always_moves_on_and_never_sleeps_over_a_part(seen_ms: int, passed_ms: int, step_ms: int) -> None:
    due_ms = windows.poll_due_ms(seen_ms, seen_ms + passed_ms, step_ms)
    assert due_ms > seen_ms + passed_ms
    assert due_ms <= seen_ms + max(windows.PART_MS, passed_ms + windows.TICK_MS)


@given(times_ms, st.lists(st.integers(0, 40), min_size=1, max_size=50))
def test_the_beat_is_found_whatever_was_seen_late(start_ms: int, late_ms: list[int]) -> None:
    beat_ms = 0
    for number, late in enumerate([40, *late_ms, 0, 0]):
        appended_ms = start_ms + number * windows.PART_MS
        beat_ms = windows.next_beat_ms(beat_ms, appended_ms + late)
        assert beat_ms <= appended_ms + late
    assert beat_ms <= appended_ms + windows.TICK_MS
    assert windows.next_beat_ms(beat_ms, beat_ms + 5_000) == beat_ms + 5_000, "after a silence it starts anew"


def test_many_tapes_are_watched_less_closely() -> None:
    assert windows.poll_step_ms(1) < windows.poll_step_ms(100) < windows.poll_step_ms(1_000)
