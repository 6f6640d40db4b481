"""`folkmoot top`: the live Spaces of a running server, in the terminal."""

import http.client
import os
import select
import socket
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from folkmoot.surfaces.watching import ServerNow, SpaceNow

ANSWERS_WITHIN_S = 5.0
NARROW_COLUMNS = 60
"""A terminal that is narrower shows the title, how far behind and how many listen."""
KEYS = "q quit   l listeners   d delay   c cpu   t title"
_SORTS: dict[str, Callable[[SpaceNow], tuple[object, ...]]] = {
    "l": lambda space: (-space.listeners - space.listeners_estimated, space.id),
    "d": lambda space: (space.behind_ms is not None, -(space.behind_ms or 0), space.id),
    "c": lambda space: (-(space.cores or 0), space.id),
    "t": lambda space: (space.title.casefold(), space.id),
}


class NoServer(Exception):
    """Nobody answers. The message is a sentence."""


class _LocalConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWERS_WITHIN_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def fetch(path: Path) -> bytes:
    """What the server behind this socket says of itself, as JSON. Raises NoServer."""
    connection = _LocalConnection(path)
    try:
        connection.request("GET", "/now")
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        sentence = f"No Folkmoot answers in {path.parent}. Is it running, and is that its data directory?"
        raise NoServer(sentence) from error
    finally:
        connection.close()


def show_once(path: Path, console: Console) -> None:
    """The picture of this moment, as long as it is. Raises NoServer."""
    now = msgspec.json.decode(fetch(path), type=ServerNow)
    console.print(picture(now, None, "l", console.width))


def watch(path: Path, console: Console, every_s: float) -> None:
    """Until `q`, the picture anew every few seconds. Raises NoServer."""
    sort, before = "l", None
    now = msgspec.json.decode(fetch(path), type=ServerNow)
    with _single_keys(), Live(console=console, screen=True, auto_refresh=False) as live:
        due_s = time.monotonic() + every_s
        while True:
            spaces = max(1, console.height - 7)
            live.update(picture(now, before, sort, console.width, spaces, keys=True), refresh=True)
            key = _key(due_s - time.monotonic())
            if key == "q":
                return
            sort = key if key in _SORTS else sort
            if time.monotonic() >= due_s:
                due_s = time.monotonic() + every_s
                before, now = now, msgspec.json.decode(fetch(path), type=ServerNow)


def picture(
    now: ServerNow,
    before: ServerNow | None,
    sort: str,
    width: int,
    spaces_max: int | None = None,
    *,
    keys: bool = False,
) -> Group:
    """Pure. `before` is an earlier look: rates and delays are of the time since, or since the workers started."""
    shown = sorted(now.spaces, key=_SORTS[sort])[:spaces_max]
    lines = [Text(line, no_wrap=True, overflow="ellipsis") for line in _head(now, before)]
    hidden = len(now.spaces) - len(shown)
    below = [Text(f"… and {hidden} more")] if hidden else []
    if keys:
        below.append(Text(KEYS, style="dim", no_wrap=True, overflow="ellipsis"))
    table = _table(shown, now.at_ms, width) if shown else Text("\nNo Space is live.\n")
    return Group(*lines, table, *below)


def _head(now: ServerNow, before: ServerNow | None) -> Iterator[str]:
    listening = f"{now.listeners:,} listen, about {now.listeners_estimated:,} by HLS"
    yield f"Folkmoot {now.version}: {len(now.spaces)} Spaces, {listening}"
    earlier = before.audience if before else {}
    since = {name: total - earlier.get(name, 0) for name, total in now.audience.items()}
    if before and now.at_ms > before.at_ms:
        parts = f"{1000 * since.get('parts', 0) / (now.at_ms - before.at_ms):,.0f} parts a second"
    else:
        parts = f"{since.get('parts', 0):,} parts"
    age = _percentile(now, before)
    yield (
        f"{parts}, {age} old at most (99%), {since.get('skipped', 0):,} skipped, "
        f"{since.get('slow', 0):,} dropped as too slow"
    )
    named = sorted({one.name for one in now.processes})
    used = {name: sum(one.cores for one in now.processes if one.name == name) for name in named}
    yield "CPU  " + "  ".join(f"{name} {cores:.0%}" for name, cores in used.items())


def _percentile(now: ServerNow, before: ServerNow | None) -> str:
    """Below which bound 99 of 100 parts were when they were written."""
    earlier = before.delays if before and len(before.delays) == len(now.delays) else (0,) * len(now.delays)
    counts = [count - old for count, old in zip(now.delays, earlier, strict=True)]
    passed, total = 0, sum(counts)
    if total <= 0:
        return "–"
    for bound_ms, count in zip(now.delays_ms, counts, strict=False):
        passed += count
        if passed >= 0.99 * total:
            return f"{bound_ms} ms"
    return f"over {now.delays_ms[-1]} ms"


def _table(spaces: Sequence[SpaceNow], at_ms: int, width: int) -> Table:
    is_narrow = width < NARROW_COLUMNS
    table = Table(box=SIMPLE_HEAD, expand=True, pad_edge=False)
    table.add_column("Space", no_wrap=True, overflow="ellipsis", ratio=1, min_width=8)
    names = ("delay", "listen") if is_narrow else ("live", "stage", "on it", "delay", "listen", "HLS", "CPU")
    for name in names:
        table.add_column(name, justify="left" if name == "stage" else "right", no_wrap=True)
    for space in spaces:
        cells = _cells(space, at_ms)
        style = "" if space.stage == "on" else "bold red"
        # A title is somebody's text: no markup, and no control character reaches the terminal.
        title = "".join(letter if letter.isprintable() else "�" for letter in space.title)
        table.add_row(Text(title), *(cells[name] for name in names), style=style)
    return table


def _cells(space: SpaceNow, at_ms: int) -> dict[str, str]:
    minutes = (at_ms - space.live_since_ms) // 60_000 if space.live_since_ms is not None else 0
    return {
        "live": f"{minutes // 60}:{minutes % 60:02}",
        "stage": space.stage,
        "on it": str(space.speakers),
        "delay": "–" if space.behind_ms is None else f"{space.behind_ms} ms",
        "listen": f"{space.listeners:,}",
        "HLS": f"~{space.listeners_estimated:,}",
        "CPU": "–" if space.cores is None else f"{space.cores:.0%}",
    }


@contextmanager
def _single_keys() -> Iterator[None]:
    """Keys come as they are typed, and are not shown."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _key(within_s: float) -> str:
    """The next key, or nothing."""
    if not sys.stdin.isatty():
        time.sleep(max(0.0, within_s))
        return ""
    ready, _, _ = select.select([sys.stdin], [], [], max(0.0, within_s))
    # Not sys.stdin.read(1): that would keep what else was typed where select doesn't see it.
    return os.read(sys.stdin.fileno(), 1).decode("latin-1") if ready else ""
