"""Waiting for a condition instead of sleeping and hoping."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

# For what comes by itself: it costs nothing where it comes soon, and a starved machine needs it. What is promised
# to people is measured and compared by the test that says so.
PATIENCE_S = 60.0


class Starved:
    """For how long, since it was made, somebody has waited for a processor (Linux's pressure stall information).

    What is promised to people in seconds is promised on a machine that has them: a test that runs beside others
    takes these off what it measured. Alone it takes off next to nothing.
    """

    def __init__(self) -> None:
        self._before_s = _pressure_s()

    def s(self) -> float:
        return _pressure_s() - self._before_s


def _pressure_s() -> float:
    some = Path("/proc/pressure/cpu").read_text().splitlines()[0]
    return int(some.rpartition("total=")[2]) / 1e6


def wait_until(condition: Callable[[], bool], *, timeout_s: float = PATIENCE_S) -> None:
    """Block until the condition holds; raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("The condition did not come true in time.")
        time.sleep(0.005)


async def eventually(condition: Callable[[], bool], *, timeout_s: float = PATIENCE_S) -> None:
    """Let the event loop run until the condition holds; raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.002)
