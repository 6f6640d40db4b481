"""Ids: strictly increasing whatever the clock does, apart between processes."""

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage.ids import SLOTS, IdMaker, id_at, time_of

NOW_MS = 1_800_000_000_000


@given(st.lists(st.integers(-5000, 5000), max_size=200), st.integers(0, SLOTS - 1))
def test_ids_increase_also_when_the_clock_steps_back(steps_ms: list[int], slot: int) -> None:
    now_ms = NOW_MS
    maker = IdMaker(slot, lambda: now_ms)
    made = []
    for step_ms in steps_ms:
        now_ms += step_ms
        made.append(maker.next())
    assert made == sorted(set(made))
    assert all(0 < id_ < 2**63 for id_ in made)


def test_a_burst_within_one_millisecond_borrows_from_the_next() -> None:
    maker = IdMaker(0, lambda: NOW_MS)
    made = [maker.next() for _ in range(3000)]
    assert made == sorted(set(made))
    assert time_of(made[0]) == NOW_MS
    assert time_of(made[-1]) == NOW_MS + 2


@given(st.integers(0, SLOTS - 1), st.integers(0, SLOTS - 1))
def test_slots_keep_processes_apart(first: int, second: int) -> None:
    made = [
        {maker.next() for _ in range(100)}
        for maker in (IdMaker(first, lambda: NOW_MS), IdMaker(second, lambda: NOW_MS))
    ]
    assert first == second or not made[0] & made[1]


def test_the_smallest_id_of_a_time() -> None:
    assert time_of(id_at(NOW_MS)) == NOW_MS
    assert id_at(NOW_MS) <= IdMaker(0, lambda: NOW_MS).next() < id_at(NOW_MS + 1)
