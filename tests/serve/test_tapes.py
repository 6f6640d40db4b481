"""Tapes of Spaces that ended while nobody looked are closed where their sound ends."""

from pathlib import Path

import pytest

from folkmoot.serve.tapes import finish, still_for_ms
from folkmoot.tape import index
from folkmoot.tape.model import TapeBusy, TapeDamaged
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

BEGAN_MS = 1_700_000_000_000


def three_seconds(directory: Path) -> None:
    TapeWriter.open(directory, lambda: BEGAN_MS).release()
    # What is filled in is sound like any other here.
    TapeWriter.open(directory, lambda: BEGAN_MS + 3_000).release()


def test_the_hours_since_are_not_filled_with_silence(tmp_path: Path) -> None:
    three_seconds(tmp_path)
    length_ms = finish(tmp_path)
    assert 2_900 <= length_ms <= 3_000
    with TapeReader(tmp_path) as tape:
        assert tape.ended
    assert finish(tmp_path) == length_ms


def test_a_space_that_never_had_a_stage_has_an_empty_tape(tmp_path: Path) -> None:
    assert finish(tmp_path / "none") == 0


def test_a_tape_that_a_stage_is_writing_is_left_alone(tmp_path: Path) -> None:
    writer = TapeWriter.open(tmp_path, lambda: BEGAN_MS)
    with pytest.raises(TapeBusy):
        finish(tmp_path)
    writer.close()


def test_of_a_damaged_tape_what_can_be_read_is_kept(tmp_path: Path) -> None:
    three_seconds(tmp_path)
    damage(tmp_path / "aac.index")
    assert 2_900 <= finish(tmp_path) <= 3_000


def test_a_tape_that_cannot_be_read_at_all_says_so(tmp_path: Path) -> None:
    three_seconds(tmp_path)
    (tmp_path / "tape.json").write_text("{")
    with pytest.raises(TapeDamaged):
        finish(tmp_path)


def test_how_long_a_tape_stood_still(tmp_path: Path) -> None:
    assert still_for_ms(tmp_path / "none", BEGAN_MS) == 0
    three_seconds(tmp_path)
    stood_ms = still_for_ms(tmp_path, BEGAN_MS + 60_000)
    assert 57_000 <= stood_ms <= 57_100
    assert still_for_ms(tmp_path, BEGAN_MS + 60_000) == stood_ms, "nothing was filled in"
    writer = TapeWriter.open(tmp_path, lambda: BEGAN_MS + 60_000)
    assert still_for_ms(tmp_path, BEGAN_MS + 90_000) == 0, "somebody writes it"
    writer.close()
    assert still_for_ms(tmp_path, BEGAN_MS + 90_000) == 0, "it has ended"


def test_a_tape_that_was_only_just_begun_begins_now(tmp_path: Path) -> None:
    assert still_for_ms(tmp_path, BEGAN_MS) == 0
    with TapeReader(tmp_path) as tape:
        assert tape.timeline_unix_ms == BEGAN_MS


def test_a_tape_that_cannot_go_on_says_so(tmp_path: Path) -> None:
    three_seconds(tmp_path)
    damage(tmp_path / "aac.index")
    with pytest.raises(TapeDamaged):
        still_for_ms(tmp_path, BEGAN_MS + 60_000)


def damage(path: Path) -> None:
    """Another head than was written."""
    content = bytearray(path.read_bytes())
    content[: index.HEADER_BYTES - 8] = bytes(index.HEADER_BYTES - 8)
    path.write_bytes(content)
