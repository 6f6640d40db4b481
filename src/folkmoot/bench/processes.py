"""What processes cost, read from /proc: CPU seconds and memory (PSS: shared pages count by their share)."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """A process and all below it that are alive now."""
    found = [pid]
    for parent in found:
        try:
            tasks = list(Path(f"/proc/{parent}/task").iterdir())
            found += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """User and system time of these processes, and of children that they have waited for."""
    ticks = 0
    for pid in pids:
        try:
            # The name, in brackets, may hold spaces: count from behind it. Fields 14 to 17 of proc(5).
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS_PER_S


def machine_busy_s() -> float:
    """CPU seconds that all processes of the machine together have used since it started (proc_stat(5))."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / _TICKS_PER_S


def pss_mb(pids: Iterable[int]) -> float:
    """Their memory together, in MiB."""
    return _rolled_up_mb(pids, "Pss:")


def resident_mb(pids: Iterable[int]) -> float:
    """What each of them has in memory, in MiB, what they have in common too: others don't change it."""
    return _rolled_up_mb(pids, "Rss:")


def _rolled_up_mb(pids: Iterable[int], name: str) -> float:
    kib = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        kib += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(name))
    return kib / 1024


class CpuMeter:
    """Cores used by processes between its making and each call of `cores`; `pids` says which there are."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self._pids = pids
        self._began_s = time.monotonic()
        self._cpu_before_s = cpu_s(pids())

    def cores(self) -> float:
        """CPU seconds per second."""
        return (cpu_s(self._pids()) - self._cpu_before_s) / (time.monotonic() - self._began_s)
