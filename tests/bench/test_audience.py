"""`bench audience` itself: it hears what is sent, and notices what isn't as it was published."""

import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread, Timer

import pytest
from tests.support.waiting import wait_until

from folkmoot.audience import responses
from folkmoot.bench.audience import Plan, plan, results, workshop
from folkmoot.bench.audience_load import Heard, LoadWanted, compiled, listening
from folkmoot.bench.audience_tapes import FIRST_SPACE, SyntheticTape
from folkmoot.tape.model import Codec
from folkmoot.tape.reader import TapeReader

PARTS = 12
Fault = Callable[[list[bytes]], list[bytes]]


def test_as_many_workers_and_as_long_writes_as_the_product_has_for_that_load() -> None:
    assert (plan(36_000, 20, cores=2).workers, plan(36_000, 20, cores=2).write_ms) == (2, 1000)
    assert plan(100_000, 20, cores=2).workers == 6
    assert plan(1_000, 20, cores=2).write_ms == 100
    assert plan(36_000, 20, cores=2, write_ms=500).write_ms == 500


@pytest.mark.slow
def test_fifty_listeners_hear_everything_from_us_and_from_the_floor() -> None:
    wanted = Plan(listeners=50, seconds=1, workers=2, write_ms=100, never_reading=1)
    said: list[str] = []
    with workshop(wanted) as bench:
        ours, floor = bench.measure_house(said.append), bench.measure_floor(said.append)
    for heard in (ours.heard, floor.heard):
        assert (heard.joined, heard.never_reading) == (49, 1)
        assert (heard.missed, heard.corrupted, heard.repeated, heard.refused, heard.closed) == (0, 0, 0, 0, 0)
        assert heard.parts >= 49 * 8
        assert heard.delivery.count >= 49 * 8
    found = {result.name: result for result in results(wanted, ours, floor, calm=ours)}
    assert found["missed_parts"].holds
    assert found["wrong_bytes"].holds
    assert found["server_memory_mb"].value
    assert not found["dropped"].holds, "nobody is dropped within a second"


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tapes")
    tape = SyntheticTape(folder, FIRST_SPACE, random.Random(0).randbytes(10_000))
    for _ in range(PARTS):
        tape.append()
    return folder


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled("listeners", tmp_path_factory.mktemp("generator"))


class Liar(Thread):
    """A server of one listener, which sends a tape's first part, and when told so the others, with a fault."""

    def __init__(self, folder: Path, fault: Fault) -> None:
        super().__init__(daemon=True)
        self.door = socket.create_server(("127.0.0.1", 0))
        self.go_on = Event()
        with TapeReader(folder / str(FIRST_SPACE)) as reader:
            self._init = reader.init(Codec.OPUS)
            parts = [reader.read([ref]) for ref in reader.numbered(Codec.OPUS, 0, PARTS)]
        self._first, self.others = parts[0], fault(parts[1:])

    def run(self) -> None:
        connection, _ = self.door.accept()
        with connection:
            connection.recv(4096)
            head = responses.stream_head("opus", chunked=True)
            connection.sendall(head + responses.chunk(self._init) + responses.chunk(self._first))
            self.go_on.wait(10)
            for part in self.others:
                connection.sendall(responses.chunk(part))
            if self.others:
                connection.recv(1)

    def hang_up(self) -> None:
        """Where there are no others."""
        self.go_on.set()
        self.join(10)


@pytest.fixture
def hear(tape: Path, program: Path) -> Iterator[Callable[[Fault], Heard]]:
    liars: list[Liar] = []

    def hear(fault: Fault) -> Heard:
        """What the generator noted of a server with this fault."""
        liar = Liar(tape, fault)
        liars.append(liar)
        liar.start()
        wanted = LoadWanted(port=liar.door.getsockname()[1], tapes=tape, listeners=1, write_ms=100)
        with closing(liar.door), listening(program, wanted) as listeners:
            listeners.wait_until_joined(5)
            listeners.settle(0)
            listeners.measure()
            listeners.report()  # one order is obeyed after the other: from here on it counts
            liar.go_on.set()
            wait_until(lambda: (noted := listeners.report()).corrupted > 0 or noted.writes >= len(liar.others))
            return listeners.stop()

    yield hear
    for liar in liars:
        liar.join(10)


@pytest.mark.slow
def test_whoever_is_cut_off_once_the_moment_is_marked_is_counted(tape: Path, program: Path) -> None:
    """Also while the generator, which is nice, has to wait for a processor: or one of 36,000 seems to listen on."""
    liar = Liar(tape, lambda parts: [])
    liar.start()
    wanted = LoadWanted(port=liar.door.getsockname()[1], tapes=tape, listeners=1, write_ms=100)
    with closing(liar.door), listening(program, wanted) as listeners:
        listeners.wait_until_joined(5)
        listeners.process.send_signal(signal.SIGSTOP)
        going_on = Timer(0.3, listeners.process.send_signal, [signal.SIGCONT])
        going_on.start()
        listeners.mark(time.monotonic_ns())
        liar.hang_up()
        going_on.join()
        wait_until(lambda: listeners.report().closed == 1)
        assert listeners.stop().closing.count == 1


def flipped(parts: list[bytes]) -> list[bytes]:
    """One bit of one part is another."""
    return [*parts[:4], parts[4][:-1] + bytes([parts[4][-1] ^ 1]), *parts[5:]]


@pytest.mark.slow
def test_the_generator_notices_a_wrong_byte_a_missing_part_and_one_that_comes_twice(
    hear: Callable[[Fault], Heard],
) -> None:
    right = hear(lambda parts: parts)
    assert (right.parts, right.corrupted, right.missed, right.repeated) == (PARTS - 1, 0, 0, 0)
    wrong = hear(flipped)
    assert (wrong.parts, wrong.corrupted) == (4, 1)
    missing = hear(lambda parts: [*parts[:4], *parts[6:]])
    assert (missing.parts, missing.corrupted, missing.missed, missing.repeated) == (PARTS - 3, 0, 2, 0)
    twice = hear(lambda parts: [*parts[:4], *parts[3:]])
    assert (twice.parts, twice.corrupted, twice.repeated) == (PARTS, 0, 1)
    cut = hear(lambda parts: [*parts[:4], parts[4][:-1], *parts[5:]])
    assert cut.corrupted == 1
