"""What the machine has left, read from a /proc that a test writes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs
from tests.support.files import no_file_left
from tests.support.server import eventually

from folkmoot.serve.room import JUDGED_AFTER_S, MachineRoom
from folkmoot.spaces.admission import Limits

TICKS = os.sysconf("SC_CLK_TCK")


class Machine:
    """A supervisor (this test's parent) with children, in files."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.cgroup = folder / "cgroup"
        self._tasks = self.proc / str(os.getppid()) / "task" / str(os.getppid())
        self._tasks.mkdir(parents=True)
        self.cgroup.mkdir()
        self.children({})
        self.memory(available_mb=8000)

    def children(self, found: dict[int, tuple[str, float, float]]) -> None:
        """By pid: name, CPU seconds so far, when it started."""
        for pid, (name, cpu_s, started_s) in found.items():
            fields = ["0"] * 49
            fields[10:12] = [str(int(cpu_s * TICKS)), "0"]
            fields[18] = str(int(started_s * TICKS))
            (self.proc / str(pid)).mkdir(exist_ok=True)
            (self.proc / str(pid) / "stat").write_text(f"{pid} ({name}) S {' '.join(fields)}\n")
        (self._tasks / "children").write_text("".join(f"{pid} " for pid in found))

    def memory(self, available_mb: int) -> None:
        (self.proc / "meminfo").write_text(f"MemTotal: 99999999 kB\nMemAvailable: {available_mb * 1024} kB\n")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_where_no_file_is_free_the_memory_is_as_it_was(machine: Machine) -> None:
    """The web process looks twice a second, and ended when it couldn't."""
    room = MachineRoom(Limits(), machine.proc, machine.cgroup)
    assert room.free_memory_mb() == 8000
    machine.memory(available_mb=100)
    with no_file_left():
        assert room.free_memory_mb() == 8000
    assert room.free_memory_mb() == 100


def test_processes_are_measured_over_the_last_seconds(machine: Machine) -> None:
    room = MachineRoom(Limits(), machine.proc, machine.cgroup)
    for at_s in (1000.0, 1002.0, 1004.0):
        used_s = at_s - 1000
        machine.children(
            {
                7: ("fm-web", 5 + used_s * 0.1, 1),
                8: ("fm-stage-1 (x", 90 + used_s * 0.2, 900),
                9: ("fm-stage-2", used_s * 0.4, 1004 - JUDGED_AFTER_S / 2),
            }
        )
        room.look(at_s)
    readings = room.readings()
    assert readings.own_cores == pytest.approx(0.7, abs=0.01)
    assert readings.stage_cores == pytest.approx((0.2,), abs=0.01)
    assert readings.free_memory_mb == 8000


def test_a_process_that_came_or_went_is_no_error(machine: Machine) -> None:
    room = MachineRoom(Limits(), machine.proc, machine.cgroup)
    assert room.readings().own_cores == 0
    machine.children({7: ("fm-stage-1", 50, 1)})
    room.look(10)
    machine.children({7: ("fm-stage-1", 0, 11), 8: ("fm-stage-2", 0, 11)})  # its number was given to another
    room.look(12)
    assert room.readings().own_cores == 0
    (machine.proc / "8" / "stat").unlink()
    room.look(14)
    assert set(room.readings().stage_cores) == set()


def test_the_limit_of_a_container_counts(machine: Machine) -> None:
    room = MachineRoom(Limits(), machine.proc, machine.cgroup)
    (machine.cgroup / "memory.max").write_text(f"{1024**3}\n")
    (machine.cgroup / "memory.current").write_text(f"{1024**3 - 100 * 1024**2}\n")
    assert room.readings().free_memory_mb == 100
    (machine.cgroup / "memory.max").write_text("max\n")
    assert room.readings().free_memory_mb == 8000


def test_a_refusal_is_logged_with_what_was_read(machine: Machine) -> None:
    room = MachineRoom(Limits(), machine.proc, machine.cgroup)
    assert room.why_not(0) is None
    machine.memory(available_mb=100)
    with capture_logs() as logs:
        assert "no memory left" in (room.why_not(3) or "")
    assert (logs[0]["event"], logs[0]["live"], logs[0]["free_memory_mb"]) == ("room.none", 3, 100)


def test_this_machine_can_be_read() -> None:
    room = MachineRoom(Limits(), supervisor=os.getpid())
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        began_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        room.look(began_s)
        eventually(lambda: psutil.Process(busy.pid).cpu_times().user > 0.1)
        room.look(time.clock_gettime(time.CLOCK_BOOTTIME))
        busy.kill()
    readings = room.readings()
    assert readings.own_cores > 0
    assert readings.free_memory_mb > 10
