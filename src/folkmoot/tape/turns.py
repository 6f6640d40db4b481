"""Who spoke when, from the notes of a tape. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.tape.model import Note

PAUSE_MS = 300  # a shorter pause doesn't end a turn


def turns(notes: Sequence[tuple[int, Note]], from_ms: int, to_ms: int) -> list[tuple[int, int, int]]:
    """(seat, from_ms, to_ms) of every turn within `[from_ms, to_ms)`, in order of time.

    `notes` are (when, note) in order of time, each in force until the next; the last one until `to_ms`.
    """
    current: dict[int, tuple[int, int]] = {}
    finished: list[tuple[int, int, int]] = []
    ends_ms = [at_ms for at_ms, _ in notes[1:]] + [to_ms]
    for (at_ms, note), end_ms in zip(notes, ends_ms, strict=bool(notes)):
        start_ms, until_ms = max(at_ms, from_ms), min(end_ms, to_ms)
        for seat in note.speaking if start_ms < until_ms else ():
            begun_ms, silent_ms = current.get(seat, (start_ms, start_ms))
            if start_ms - silent_ms >= PAUSE_MS:
                finished.append((seat, begun_ms, silent_ms))
                begun_ms = start_ms
            current[seat] = (begun_ms, until_ms)
    finished += [(seat, begun_ms, until_ms) for seat, (begun_ms, until_ms) in current.items()]
    return sorted(finished, key=lambda turn: (turn[1], turn[0]))
