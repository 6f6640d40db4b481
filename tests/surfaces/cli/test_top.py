"""What `folkmoot top` draws of a look at the server."""

import io

import msgspec
import pytest
from rich.console import Console

from folkmoot.surfaces.cli.top import NARROW_COLUMNS, picture
from folkmoot.surfaces.watching import ProcessUse, ServerNow, SpaceNow

MOOT = SpaceNow("7", "The Moot", 60_000, "on", 3, 140, 12_345, 80, 0.21)
QUIET = SpaceNow("8", "[b]Quiet\x1b[2J", None, "away", 0, None, 4, 0, None)
NOW = ServerNow(
    at_ms=3_720_000,
    version="1.2.3",
    listeners=12_349,
    listeners_estimated=80,
    audience={"parts": 5_000, "skipped": 2, "slow": 1},
    delays_ms=(10, 100, 1000),
    delays=(98, 1, 1, 0),
    processes=[ProcessUse(1, "web", 0.05), ProcessUse(2, "stage", 0.2), ProcessUse(3, "stage", 0.1)],
    spaces=[QUIET, MOOT],
)


def drawn(
    now: ServerNow,
    before: ServerNow | None = None,
    sort: str = "l",
    width: int = 100,
    spaces_max: int | None = None,
) -> str:
    text = io.StringIO()
    console = Console(file=text, width=width, color_system=None)
    console.print(picture(now, before, sort, width, spaces_max))
    return text.getvalue()


def test_everything_is_there_without_colours() -> None:
    text = drawn(NOW)
    assert "\x1b" not in text
    for said in ("1.2.3", "12,349 listen, about 80 by HLS", "100 ms old", "web 5%", "stage 30%"):
        assert said in text
    (moot,) = [line for line in text.splitlines() if "The Moot" in line]
    assert moot.split()[2:] == ["1:01", "on", "3", "140", "ms", "12,345", "~80", "21%"]
    assert "[b]Quiet" in text, "a title is no markup"


@pytest.mark.parametrize("width", [30, 40, NARROW_COLUMNS - 1, NARROW_COLUMNS, 80, 200])
def test_it_fits(width: int) -> None:
    text = drawn(NOW, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "12,345" in text


@pytest.mark.parametrize(("sort", "first"), [("l", "Moot"), ("d", "Quiet"), ("c", "Moot"), ("t", "Quiet")])
def test_each_key_puts_another_first(sort: str, first: str) -> None:
    rows = [line for line in drawn(NOW, sort=sort).splitlines() if "Moot" in line or "Quiet" in line]
    assert first in rows[0]


def test_rates_are_of_the_time_since() -> None:
    later = msgspec.structs.replace(
        NOW, at_ms=NOW.at_ms + 2_000, audience={"parts": 9_000, "skipped": 2, "slow": 1}, delays=(98, 1, 101, 0)
    )
    text = drawn(later, NOW)
    assert "2,000 parts a second, 1000 ms old at most (99%), 0 skipped" in text


def test_what_does_not_fit_is_counted() -> None:
    assert "… and 1 more" in drawn(NOW, spaces_max=1)
    assert "No Space is live." in drawn(msgspec.structs.replace(NOW, spaces=[]))
