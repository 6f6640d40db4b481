"""When a process with very many connections looks for garbage, and among what.

CPython's full collection visits every object that refers to others: 110 of them for each open stream, and with
10,000 streams that is a pause of 0.7 s in which nobody is answered, no socket handed over and no right ended.
Nearly all of it lives as long as its connection and dies by its reference count. So what a collection found
alive is set aside (`gc.freeze`), and the next visits only what is newer. What was set aside and then became a
cycle that nobody refers to would stay for ever: once the process has doubled, all of it is looked at again.
"""

import gc
import resource
from collections.abc import Callable
from pathlib import Path

GROWN = 2.0
"""Against what was in memory after everything had been looked at."""
_STATM = Path("/proc/self/statm")


def resident_bytes() -> int:
    """Of this process (proc_pid_statm(5))."""
    return int(_STATM.read_text().split()[1]) * resource.getpagesize()


class Sparing:
    """For `gc.callbacks`: sets aside what a full collection left, and takes it back when memory has grown."""

    def __init__(self, resident: Callable[[], int] = resident_bytes) -> None:
        self._resident = resident
        self._all_from = 0
        self._looks_at_all = False

    def start(self) -> None:
        """From now on, in this process. What is there already is looked through once."""
        gc.callbacks.append(self)
        gc.collect()

    def stop(self) -> None:
        gc.callbacks.remove(self)
        gc.unfreeze()

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] < 2:
            return
        if phase == "start":
            self._looks_at_all = self._resident() >= self._all_from
            if self._looks_at_all:
                gc.unfreeze()
            return
        gc.freeze()
        if self._looks_at_all:
            self._all_from = int(self._resident() * GROWN)
