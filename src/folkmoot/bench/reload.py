"""`bench reload`: a server reloads while tens of thousands listen to one Space, and while others ask for pages."""

import http.client
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from folkmoot.bench.audience import Say
from folkmoot.bench.audience_load import Heard
from folkmoot.bench.crowd import crowd, open_space, settings_for
from folkmoot.bench.machine import this_machine
from folkmoot.bench.report import Report, Result, at_most, command_line, exactly, shown
from folkmoot.bench.server import Server, running_server

RELOAD_S = 30.0
PART_DELAY_MAX_MS = 3_000.0
"""A write holds a second of sound at most: a player that has two of them in hand hears nothing of it."""
_AFTER_S = 8.0  # by then nothing of the old processes is left
_ASK_EVERY_S = 0.02


class Asked(msgspec.Struct):
    """Requests on connections of their own and on one that is kept: how many, how many failed, the longest."""

    requests: int = 0
    failed: int = 0
    longest_ms: float = 0.0


def run_reload(listeners: int, say: Say) -> Report:
    """Raises AudienceFailed and ServerFailed."""
    started_at, machine = datetime.now(UTC), this_machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folkmoot-bench-")))
        server = stack.enter_context(running_server(folder, **settings_for(listeners)))
        space_id = open_space(server)
        say(f"{listeners} listeners join.")
        listening = stack.enter_context(crowd(server, space_id, listeners, folder))
        listening.settle()
        listening.measure()
        say("The server reloads.")
        with _asking(server) as asked:
            reload_s = server.reload()
            time.sleep(_AFTER_S)
        heard = listening.stop()
    return Report(
        bench="reload",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=_results(listeners, heard, asked, reload_s),
        notes=[
            "missed_parts, repeated_parts and corrupted: of all listeners' streams, compared with the tape byte by "
            f"byte, from before the reload to {_AFTER_S:.0f} s after it. failed_requests: of pages that were asked "
            "for meanwhile, on new connections and on one that is kept, without a second try.",
        ],
    )


def _results(listeners: int, heard: Heard, asked: Asked, reload_s: float) -> list[Result]:
    return [
        shown("listeners", listeners, ""),
        exactly("missed_parts", heard.missed, "", 0),
        exactly("repeated_parts", heard.repeated, "", 0),
        exactly("corrupted", heard.corrupted, "", 0),
        exactly("cut_off", heard.closed, "", 0),
        exactly("failed_requests", asked.failed, "", 0),
        shown("requests", asked.requests, ""),
        shown("longest_request_ms", asked.longest_ms, "ms"),
        at_most("reload_s", reload_s, "s", RELOAD_S),
        shown("delivery_p99_ms", heard.delivery.p99_ms, "ms"),
        shown("part_delay_p99_ms", heard.part_delay.p99_ms, "ms"),
        at_most("part_delay_max_ms", heard.part_delay.max_ms, "ms", PART_DELAY_MAX_MS),
    ]


@contextmanager
def _asking(server: Server) -> Iterator[Asked]:
    """Somebody asks for a small page again and again."""
    asked, stop = Asked(), threading.Event()
    threads = [threading.Thread(target=_ask, args=(server, keeps, asked, stop)) for keeps in (True, False)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _ask(server: Server, keeps: bool, asked: Asked, stop: threading.Event) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    while not stop.wait(_ASK_EVERY_S):
        began_s = time.monotonic()
        try:
            connection.request("GET", "/about")
            answer = connection.getresponse()
            answer.read()
            asked.failed += answer.status != 200
        except (OSError, http.client.HTTPException):
            asked.failed += 1
            connection.close()
        asked.requests += 1
        asked.longest_ms = max(asked.longest_ms, (time.monotonic() - began_s) * 1000)
        if not keeps:
            connection.close()
    connection.close()
