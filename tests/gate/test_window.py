"""The window misses nothing that a writer with a decent clock commits, however the reader's clock steps."""

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.gate.window import OVERLAP_MS, SLICE_SUBJECTS, Told, Window

STEPS = st.lists(
    st.tuples(
        st.integers(-2 * OVERLAP_MS, 2 * OVERLAP_MS),  # how the clock of this machine moves
        st.booleans(),  # whether somebody raises a counter now
        st.integers(0, OVERLAP_MS - 1),  # how much the writer's clock lags
        st.booleans(),  # whether the reader asks now
        st.booleans(),  # whether it gets an answer
    ),
    max_size=20,
)


@given(STEPS)
def test_every_raised_counter_is_in_the_next_answer(steps: list[tuple[int, bool, int, bool, bool]]) -> None:
    window, now_ms = Window(), 1_000_000_000
    # What was raised since the last answer: when, by the true time of this machine and by the lagging writer's.
    raised: list[tuple[int, int]] = []
    last_ms = now_ms
    window.answered(now_ms)
    for move_ms, rises, lag_ms, asks, answered in steps:
        now_ms += move_ms
        if rises:
            raised.append((now_ms, now_ms - lag_ms))
        if asks and answered:
            since_ms = window.since_ms(now_ms)
            missed = [at_ms for at_ms, row_ms in raised if row_ms < since_ms]
            # Only a clock that stepped back and forth again between two answers hides something from the window.
            assert all(at_ms < min(last_ms, now_ms) for at_ms in missed)
            window.answered(now_ms)
            last_ms, raised = now_ms, []


@given(st.integers(0, 3 * SLICE_SUBJECTS), st.integers(1, 5))
def test_slices_go_round(size: int, rounds: int) -> None:
    window, held = Window(), [f"s{number}" for number in range(size)]
    for _ in range(rounds):
        slices = [window.next_slice(held) for _ in range(max(1, -(-size // SLICE_SUBJECTS)))]
        assert [subject for part in slices for subject in part] == held


def test_what_was_told_is_told_again_only_when_it_rises() -> None:
    told = Told()
    assert told.news({"account:1": 1}) == {"account:1": 1}
    assert told.news({"account:1": 1, "account:2": 1}) == {"account:2": 1}
    assert told.news({"account:1": 2, "account:2": 1}) == {"account:1": 2}
