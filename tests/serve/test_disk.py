"""Room that gets scarce is said before it is gone."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from folkmoot.serve.disk import (
    HOURS_MIN,
    LOOKS_UNTIL_SAID_AGAIN,
    ROOM_BYTES_MIN,
    SPACE_BYTES_PER_HOUR,
    DiskWatch,
    low_room_sentence,
)


async def nobody() -> int:
    return 0


@pytest.mark.parametrize(
    ("free_bytes", "live", "is_low"),
    [
        (ROOM_BYTES_MIN, 0, False),
        (ROOM_BYTES_MIN - 1, 0, True),
        (ROOM_BYTES_MIN, 6, False),
        (HOURS_MIN * SPACE_BYTES_PER_HOUR * 40, 40, False),
        (HOURS_MIN * SPACE_BYTES_PER_HOUR * 40 - 1, 40, True),
    ],
)
def test_low_is_two_gibibytes_or_six_hours(free_bytes: int, live: int, is_low: bool) -> None:
    assert (low_room_sentence(free_bytes, live) is not None) is is_low


def test_the_sentence_says_how_long_it_lasts() -> None:
    sentence = low_room_sentence(SPACE_BYTES_PER_HOUR, 2)
    assert sentence is not None
    assert "0.5 hours of the 2 Spaces" in sentence


def test_it_is_said_once_an_hour_and_when_it_is_over() -> None:
    watch = DiskWatch(Path("/"), nobody)
    with capture_logs() as logs:
        for _ in range(LOOKS_UNTIL_SAID_AGAIN + 1):
            watch.look(1, 1)
        watch.look(ROOM_BYTES_MIN * 9, 1)
        watch.look(ROOM_BYTES_MIN * 9, 1)
        watch.look(1, 1)
    assert [entry["event"] for entry in logs] == ["disk.low", "disk.low", "disk.room_again", "disk.low"]
