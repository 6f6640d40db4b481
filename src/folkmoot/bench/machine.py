"""What a bench ran on: figures mean nothing without it."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

_PACKAGES = ("folkmoot", "aiortc", "av", "numpy", "litestar", "uvicorn", "uvloop")


class Machine(msgspec.Struct, frozen=True):
    """`load_1m` is the load average when the bench began: near `cores` or above, others were at work."""

    cpu: str
    cores: int
    memory_mb: int
    kernel: str
    python: str
    versions: dict[str, str]
    load_1m: float

    def summary(self) -> str:
        """One line for people."""
        return (
            f"{self.cores} cores ({self.cpu}), {self.memory_mb / 1024:.1f} GB, Linux {self.kernel}, "
            f"Python {self.python}, load {self.load_1m:.1f}"
        )


def this_machine() -> Machine:
    """Reads /proc, so Linux only, like the server's own figures."""
    return Machine(
        cpu=_field(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_mb=int((_field(Path("/proc/meminfo"), "MemTotal") or "0 kB").split()[0]) // 1024,
        kernel=platform.release(),
        python=platform.python_version(),
        versions=_versions(),
        load_1m=round(os.getloadavg()[0], 2),
    )


def _field(file: Path, name: str) -> str:
    for line in file.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
