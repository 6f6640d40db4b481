"""A stage under load: the process that is measured, the speakers in another, and what both cost."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess

import msgspec

from folkmoot.bench.processes import CpuMeter, pss_mb
from folkmoot.bench.publishers import Heard, Signalling, run_publishers
from folkmoot.bench.speech import SpeechFrame

_READY_WITHIN_S = 60.0

_forking = multiprocessing.get_context("fork")


class StageFailed(Exception):
    """The speakers could not be connected. The message is a sentence."""


class Load(msgspec.Struct, frozen=True):
    """Who speaks, and for how long they are measured."""

    frames: Sequence[SpeechFrame]
    speakers: int
    seconds: float


class Cost(msgspec.Struct, frozen=True):
    """What a process took to carry a load, and what the generator beside it took."""

    cores: float
    memory_mb: float
    generator_cores: float
    heard: Heard


@contextmanager
def speaking(load: Load, signalling: Signalling) -> Iterator[Callable[[int], Cost]]:
    """Speakers that are connected and heard; call what it yields, once, to measure the process with this id.

    Raises StageFailed.
    """
    orders, theirs = _forking.Pipe()
    with forked(partial(run_publishers, load.frames, load.speakers, signalling, theirs)) as generator:
        theirs.close()
        try:
            if not orders.poll(_READY_WITHIN_S):
                raise StageFailed(f"The speakers did not connect within {_READY_WITHIN_S:g} s.")
            orders.recv()
        except EOFError as error:
            raise StageFailed("The speakers could not connect: the generator's error is above.") from error
        yield lambda pid: _measure(pid, generator, orders, load.seconds)


def _measure(pid: int, generator: ForkProcess, orders: Connection, seconds: float) -> Cost:
    assert generator.pid is not None
    generator_pid = generator.pid
    measured, beside = CpuMeter(lambda: [pid]), CpuMeter(lambda: [generator_pid])
    orders.send("measure")
    time.sleep(seconds)
    cores, generator_cores = measured.cores(), beside.cores()
    orders.send("stop")
    return Cost(cores, pss_mb([pid]), generator_cores, orders.recv())


@contextmanager
def forked(main: Callable[[], None]) -> Iterator[ForkProcess]:
    """A child that runs `main`, as the server's supervisor forks its own; ended with the context."""
    process = _forking.Process(target=main)
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()
