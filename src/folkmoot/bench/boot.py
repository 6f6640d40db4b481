"""`bench boot`: how long until the first page, and what a server without visitors needs."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from folkmoot.bench.machine import this_machine
from folkmoot.bench.processes import CpuMeter, pss_mb
from folkmoot.bench.report import Report, at_most, command_line, median, shown
from folkmoot.bench.server import Server, ServerFailed, running_server

FIRST_PAGE_S = 3.0
IDLE_MEMORY_MB = 250.0
PAGE = "/"
WITHOUT_CLIENT = "/api/v2/instance"

_SAMPLE_S = 0.5
_QUIET_CORES = 0.1
_STEADY_MB = 1.0
_SETTLES_WITHIN_S = 20.0


class Boot(msgspec.Struct, frozen=True):
    """One start. `settled` is False if the server was still at work when it was measured."""

    path: str
    first_page_s: float
    idle_memory_mb: float
    idle_cores: float
    processes: int
    settled: bool


def run_boot(times: int) -> Report:
    """Start a server `times` times, each on a fresh data directory. Raises ServerFailed."""
    started_at, machine = datetime.now(UTC), this_machine()
    boots = []
    for _ in range(times):
        with tempfile.TemporaryDirectory(prefix="folkmoot-bench-") as folder:
            boots.append(_boot(Path(folder)))
    return Report(
        bench="boot",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=[
            at_most("first_page_s", median([boot.first_page_s for boot in boots]), "s", FIRST_PAGE_S),
            at_most("idle_memory_mb", median([boot.idle_memory_mb for boot in boots]), "MB", IDLE_MEMORY_MB),
            shown("idle_cores", median([boot.idle_cores for boot in boots]), "cores"),
        ],
        notes=_notes(boots),
    )


def _boot(folder: Path) -> Boot:
    with running_server(folder) as server:
        path = PAGE
        status = server.first_answer(path)
        if status != 200:
            path = WITHOUT_CLIENT
            status = server.first_answer(path)
        first_page_s = time.monotonic() - server.began_s
        if status != 200:
            raise ServerFailed(f"GET {path} answered {status}.")
        cores, settled = _settle(server)
        pids = server.pids()
        return Boot(path, first_page_s, pss_mb(pids), cores, len(pids), settled)


def _settle(server: Server) -> tuple[float, bool]:
    """Waits until it neither works nor grows; the cores it uses then, and whether it came to that."""
    deadline_s = time.monotonic() + _SETTLES_WITHIN_S
    memory_mb = pss_mb(server.pids())
    while True:
        meter = CpuMeter(server.pids)
        time.sleep(_SAMPLE_S)
        cores, before_mb, memory_mb = meter.cores(), memory_mb, pss_mb(server.pids())
        if cores < _QUIET_CORES and abs(memory_mb - before_mb) < _STEADY_MB:
            return cores, True
        if time.monotonic() > deadline_s:
            return cores, False


def _notes(boots: list[Boot]) -> list[str]:
    notes = [
        f"Median of {len(boots)} starts on fresh data directories: {_list(boots)}. {boots[0].processes} processes. "
        "There is no load generator: one request a start."
    ]
    if any(boot.path != PAGE for boot in boots):
        notes.append(f"{PAGE} didn't answer 200 (is the web client built?): the first page is {WITHOUT_CLIENT}.")
    if not all(boot.settled for boot in boots):
        notes.append(f"The server had not come to rest within {_SETTLES_WITHIN_S:g} s after a start.")
    return notes


def _list(boots: list[Boot]) -> str:
    return ", ".join(f"{boot.first_page_s:.2f} s" for boot in boots)
