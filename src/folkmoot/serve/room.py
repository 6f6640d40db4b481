"""What this machine has left for another live Space, read from /proc every few seconds."""

import asyncio
import contextlib
import os
import time
from collections import deque
from pathlib import Path

import msgspec
import structlog

from folkmoot.spaces.admission import Limits, Readings, why_no_room
from folkmoot.surfaces.watching import ProcessUse

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 2.0
WINDOW_LOOKS = 5
JUDGED_AFTER_S = 30.0
"""A stage that is younger has not all its speakers yet."""

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class ProcessTimes(msgspec.Struct, frozen=True):
    """A process of this server: CPU seconds used so far, and when it started, in seconds since the machine did."""

    name: str
    cpu_s: float
    started_s: float


class Look(msgspec.Struct, frozen=True):
    """All of them at one moment, in seconds since the machine started."""

    at_s: float
    processes: dict[int, ProcessTimes]


class MachineRoom:
    """The answer to `why_not`. Belongs to the web process, a child of the supervisor like all others."""

    def __init__(
        self,
        limits: Limits,
        proc: Path = Path("/proc"),
        cgroup: Path = Path("/sys/fs/cgroup"),
        supervisor: int | None = None,
    ) -> None:
        self._limits = limits
        self._proc = proc
        self._cgroup = cgroup
        self._supervisor = supervisor or os.getppid()
        self._cores = len(os.sched_getaffinity(0))
        self._looks: deque[Look] = deque(maxlen=WINDOW_LOOKS + 1)
        self._free_memory_mb = float("inf")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.look(time.clock_gettime(time.CLOCK_BOOTTIME))
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self, now_s: float) -> None:
        """A few ten microseconds for each process."""
        self._looks.append(Look(now_s, _children(self._proc, self._supervisor)))

    def why_not(self, live: int) -> str | None:
        """Why no Space can start beside `live` others; None if one can."""
        readings = self.readings()
        sentence = why_no_room(live, readings, self._limits)
        if sentence is not None:
            log.warning("room.none", live=live, reason=sentence, **msgspec.structs.asdict(readings))
        return sentence

    def free_memory_mb(self) -> float:
        """Of this moment, or of the last at which a file was free to read it from."""
        with contextlib.suppress(OSError):
            self._free_memory_mb = _free_memory_mb(self._proc, self._cgroup)
        return self._free_memory_mb

    def processes(self) -> list[ProcessUse]:
        """The server's processes, by name; a Space's id is in no name."""
        newest = self._looks[-1].processes if self._looks else {}
        used = _cores_used(self._looks)
        found = [ProcessUse(pid, _plain(times.name), used.get(pid, 0.0)) for pid, times in newest.items()]
        return sorted(found, key=lambda one: (one.name, one.pid))

    def readings(self) -> Readings:
        used = _cores_used(self._looks)
        newest = self._looks[-1] if self._looks else Look(0, {})
        stages = [
            cores
            for pid, cores in used.items()
            if newest.processes[pid].name.startswith("fm-stage-")
            and newest.at_s - newest.processes[pid].started_s >= JUDGED_AFTER_S
        ]
        return Readings(
            cores=self._cores,
            own_cores=sum(used.values()),
            stage_cores=tuple(stages),
            free_memory_mb=self.free_memory_mb(),
        )


def _plain(name: str) -> str:
    return "stage" if name.startswith("fm-stage-") else name.removeprefix("fm-")


def _cores_used(looks: deque[Look]) -> dict[int, float]:
    """Of each process that is there now, since the first look that has it (at least two looks)."""
    used = {}
    for pid, now in looks[-1].processes.items() if looks else ():
        first = next(
            look for look in looks if pid in look.processes and look.processes[pid].started_s == now.started_s
        )
        if looks[-1].at_s > first.at_s:
            used[pid] = (now.cpu_s - first.processes[pid].cpu_s) / (looks[-1].at_s - first.at_s)
    return used


def _children(proc: Path, parent: int) -> dict[int, ProcessTimes]:
    found = {}
    try:
        pids = (proc / str(parent) / "task" / str(parent) / "children").read_text().split()
    except OSError:
        return {}
    for pid in pids:
        try:
            text = (proc / pid / "stat").read_text()
        except OSError:
            continue  # it has ended
        # The name, in brackets, may hold spaces: count from behind it (proc_pid_stat(5), fields 14, 15 and 22).
        name, _, rest = text.partition("(")[2].rpartition(")")
        fields = rest.split()
        cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
        found[int(pid)] = ProcessTimes(name, cpu_s, int(fields[19]) / _TICKS_PER_S)
    return found


def _free_memory_mb(proc: Path, cgroup: Path) -> float:
    """What the machine has, or what the limit of a container leaves, whichever is less."""
    free_bytes = float("inf")
    for line in (proc / "meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            free_bytes = int(line.split()[1]) * 1024
    try:
        limit, used = ((cgroup / name).read_text().strip() for name in ("memory.max", "memory.current"))
    except OSError:
        return free_bytes / 1024**2
    if limit != "max":
        free_bytes = min(free_bytes, int(limit) - int(used))
    return free_bytes / 1024**2
