"""What `bench audience` measures and what it is measured beside, as the bench sees them: processes of their own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from folkmoot.bench.audience_door import HouseConfig, HouseReport
from folkmoot.bench.audience_load import AudienceFailed
from folkmoot.bench.audience_tapes import FIRST_SPACE
from folkmoot.bench.processes import pss_mb, tree


class House:
    """The process tree of audience_door, as the bench sees it. Made by `running_house`."""

    def __init__(self, config: HouseConfig) -> None:
        command = [sys.executable, "-m", "folkmoot.bench.audience_door", msgspec.json.encode(config).decode()]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self._line())
        while len(self.report().lateness) == 0:
            time.sleep(0.02)
        self._web_idle_mb = pss_mb([self._process.pid])

    def memory_mb(self) -> float:
        """What the audience adds to a server: its workers, and what the web process has grown by."""
        web, *workers = self.pids()
        return pss_mb(workers) + max(0.0, pss_mb([web]) - self._web_idle_mb)

    def pids(self) -> list[int]:
        """The web process and the workers."""
        return tree(self._process.pid)

    def report(self) -> HouseReport:
        """What the workers said last; nothing as long as none has."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._line(), type=HouseReport)

    def stop(self) -> None:
        """Ends it, and waits for it."""
        self._process.terminate()
        self._process.communicate()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AudienceFailed("The server under test ended: its error is above.")
        return line


@contextmanager
def running_house(config: HouseConfig) -> Iterator[House]:
    """A house whose workers are ready for listeners."""
    house = House(config)
    try:
        yield house
    finally:
        house.stop()


class Floor:
    """The C program that does the least (`native/floor.c`). Made by `running_floor`."""

    def __init__(self, program: Path, tapes: Path, processes: int, write_ms: int) -> None:
        command = [str(program), str(tapes), str(FIRST_SPACE), str(processes), str(write_ms)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AudienceFailed("The floor program did not start: its error is above.")
        self.port = int(line)

    def pids(self) -> list[int]:
        """All of its processes."""
        return tree(self.process.pid)

    def memory_mb(self) -> float:
        """All of it."""
        return pss_mb(self.pids())


@contextmanager
def running_floor(program: Path, tapes: Path, processes: int, write_ms: int) -> Iterator[Floor]:
    """A floor that is ready for listeners to the first Space."""
    floor = Floor(program, tapes, processes, write_ms)
    try:
        yield floor
    finally:
        floor.process.kill()
        floor.process.communicate()


@contextmanager
def live_tapes(folder: Path, spaces: int) -> Iterator[int]:
    """Tapes that are written live in `folder`; yields the process that does, once each has a part."""
    command = [sys.executable, "-m", "folkmoot.bench.audience_tapes", str(folder), str(spaces)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout is not None
            if writer.stdout.readline() != b"ready\n":
                raise AudienceFailed("The tapes could not be written: the error is above.")
            yield writer.pid
        finally:
            writer.kill()
