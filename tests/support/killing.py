"""Processes for tests to kill, forked from one that has imported their programs: that takes longer than running."""

import multiprocessing
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

PROGRAMS = ("tests.storage.crash_program", "tests.posts.publishing_program", "tests.leaving.killed_program")
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(list(PROGRAMS))


def start(program: Callable[..., None], *arguments: object, said: Path) -> BaseProcess:
    """Run a program of PROGRAMS in a process of its own; what it prints goes to the file `said`."""
    said.touch()
    process = _FORKS.Process(target=_run, args=(said, program, arguments), daemon=True)
    process.start()
    return process


def _run(said: Path, program: Callable[..., None], arguments: tuple[object, ...]) -> None:
    with said.open("w") as output:
        sys.stdout = output
        program(*arguments)
