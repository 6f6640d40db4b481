from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.tape.model import Note
from folkmoot.tape.turns import PAUSE_MS, turns


def test_a_short_pause_does_not_end_a_turn_a_long_one_does() -> None:
    notes = [
        (0, Note(speaking=(1,))),
        (1_000, Note()),
        (1_200, Note(speaking=(1, 2))),
        (2_000, Note()),
        (2_300, Note(speaking=(1,))),
    ]
    assert turns(notes, 0, 3_000) == [(1, 0, 2_000), (2, 1_200, 2_000), (1, 2_300, 3_000)]


def test_turns_are_cut_to_the_range() -> None:
    notes = [(0, Note(speaking=(7,))), (5_000, Note())]
    assert turns(notes, 1_000, 2_000) == [(7, 1_000, 2_000)]
    assert turns(notes, 6_000, 7_000) == []
    assert turns([], 0, 1_000) == []


seats = st.frozensets(st.integers(1, 4)).map(lambda chosen: Note(speaking=tuple(sorted(chosen))))
timelines = st.lists(st.tuples(st.integers(0, 50), seats), unique_by=lambda row: row[0]).map(
    lambda rows: [(at * 100, note) for at, note in sorted(rows, key=lambda row: row[0])]
)


@given(timelines)
def test_turns_cover_what_was_spoken_and_nothing_else_but_pauses(notes: list[tuple[int, Note]]) -> None:
    found = turns(notes, 0, 6_000)
    ends_ms = [at_ms for at_ms, _ in notes[1:]] + [6_000]
    spoken = {
        (seat, at)
        for (at_ms, note), end_ms in zip(notes, ends_ms, strict=bool(notes))
        for seat in note.speaking
        for at in range(at_ms, end_ms, 100)
    }
    covered = {(seat, at) for seat, from_ms, to_ms in found for at in range(from_ms, to_ms, 100)}
    assert spoken <= covered
    for seat, from_ms, to_ms in found:
        assert (seat, from_ms) in spoken
        assert (seat, to_ms - 100) in spoken
        silent_ms = 0
        for at in range(from_ms, to_ms, 100):
            silent_ms = 0 if (seat, at) in spoken else silent_ms + 100
            assert silent_ms < PAUSE_MS
    assert found == sorted(found, key=lambda turn: (turn[1], turn[0]))
