import asyncio
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.files import no_file_left
from tests.support.waiting import PATIENCE_S, eventually

from folkmoot.audience import wire
from folkmoot.audience.handoff import SPREAD_LISTENERS, Handoff, WorkerLoad, choose_worker
from folkmoot.audience.wire import Arrival, Report

ARRIVAL = Arrival(1, "opus", True, (("space:1", 0),), b"HEAD")
loads = st.builds(WorkerLoad, st.integers(0, 20_000), st.just(19_000), st.booleans())


def test_a_space_stays_together_until_that_gets_lopsided() -> None:
    empty, has_space = WorkerLoad(0, 19_000, False), WorkerLoad(SPREAD_LISTENERS, 19_000, True)
    assert choose_worker([empty, has_space]) == 1
    assert choose_worker([empty, WorkerLoad(SPREAD_LISTENERS + 1, 19_000, True)]) == 0


@given(st.lists(loads, max_size=5))
def test_nobody_is_sent_to_a_full_worker_and_the_load_stays_even(workers: list[WorkerLoad]) -> None:
    chosen = choose_worker(workers)
    free = [worker.listeners for worker in workers if worker.listeners < worker.listeners_max]
    if chosen is None:
        assert not free
    else:
        assert workers[chosen].listeners < workers[chosen].listeners_max
        assert workers[chosen].listeners <= min(free) + SPREAD_LISTENERS


class FakeWorker:
    """The other end of a hand-over: sends reports, takes sockets."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._door.bind(str(path))
        self._door.listen()
        self._door.setblocking(False)
        self.web: socket.socket

    async def connected(self) -> None:
        self.web, _ = await asyncio.get_running_loop().sock_accept(self._door)
        self.web.setblocking(False)

    def report(self, received: int = 0, connected: int = 0, most: int = 100, **listeners: int) -> None:
        spaces = {int(name.removeprefix("space")): count for name, count in listeners.items()}
        self.web.send(wire.encode_report(Report(received, connected, most, spaces, {}, ())))

    def take(self) -> tuple[list[Arrival], list[int]]:
        message, files, flags, _ = socket.recv_fds(self.web, 1 << 20, 253)
        assert not flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC)
        return wire.decode_arrivals(message), files

    def close(self) -> None:
        self.web.close()
        self._door.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audience-1.sock"


async def started(path: Path) -> tuple[Handoff, FakeWorker]:
    worker, handoff = FakeWorker(path), Handoff([path])
    handoff.start()
    await worker.connected()
    worker.report()
    await eventually(lambda: len(handoff.reports()) == 1)
    return handoff, worker


async def test_sockets_arrive_in_batches_each_with_its_own_description(path: Path) -> None:
    handoff, worker = await started(path)
    pairs = [socket.socketpair() for _ in range(80)]
    head = b"x" * 3_000  # 200 of these don't fit into one message
    async with asyncio.TaskGroup() as group:
        results = [
            group.create_task(handoff.hand_over(Arrival(number, "opus", True, (), head), ours.fileno()))
            for number, (ours, _) in enumerate(pairs)
        ]
    assert all(result.result() for result in results)
    arrived = 0
    while arrived < len(pairs):
        arrivals, files = worker.take()
        assert 1 < len(arrivals) == len(files)
        for arrival, descriptor in zip(arrivals, files, strict=True):
            os.write(descriptor, b"%d" % arrival.space_id)
            os.close(descriptor)
            assert pairs[arrival.space_id][1].recv(100) == b"%d" % arrival.space_id
        arrived += len(arrivals)
    for ours, theirs in pairs:
        ours.close()
        theirs.close()
    handoff.close()
    worker.close()


async def test_without_a_worker_nothing_is_taken(path: Path) -> None:
    handoff = Handoff([path])
    handoff.start()
    assert not await handoff.hand_over(ARRIVAL, 0)
    handoff.close()


async def test_a_worker_is_connected_to_as_soon_as_a_file_is_free(path: Path) -> None:
    handoff, worker = Handoff([path]), FakeWorker(path)
    with no_file_left():
        handoff.start()
    async with asyncio.timeout(PATIENCE_S):
        await worker.connected()
    handoff.close()
    worker.close()


async def test_a_full_worker_gets_nobody_those_on_the_way_counted(path: Path) -> None:
    handoff, worker = await started(path)
    worker.report(connected=99, most=100, space1=99)
    await eventually(lambda: handoff.counts() == {1: 99})
    ours, theirs = socket.socketpair()
    assert await handoff.hand_over(ARRIVAL, ours.fileno())
    assert not await handoff.hand_over(ARRIVAL, ours.fileno())
    worker.report(received=1, connected=99, space1=99)  # somebody else left meanwhile
    await eventually(lambda: handoff.reports()[0].received == 1)
    assert await handoff.hand_over(ARRIVAL, ours.fileno())
    ours.close()
    theirs.close()
    handoff.close()
    worker.close()


async def test_a_space_stays_together_also_before_the_worker_has_reported_it(tmp_path: Path) -> None:
    paths = [tmp_path / "1.sock", tmp_path / "2.sock"]
    workers = [FakeWorker(path) for path in paths]
    handoff = Handoff(paths)
    handoff.start()
    for worker in workers:
        await worker.connected()
        worker.report()
    await eventually(lambda: len(handoff.reports()) == 2)
    pairs = [socket.socketpair() for _ in range(10)]
    for ours, _ in pairs:
        assert await handoff.hand_over(ARRIVAL, ours.fileno())
    arrivals, files = workers[0].take()
    while len(arrivals) < len(pairs):
        more, further = workers[0].take()
        arrivals, files = arrivals + more, files + further
    assert arrivals == [ARRIVAL] * len(pairs)
    for descriptor in files:
        os.close(descriptor)
    for ours, theirs in pairs:
        ours.close()
        theirs.close()
    handoff.close()
    for worker in workers:
        worker.close()


async def test_counts_follow_the_reports_and_end_with_the_worker(path: Path) -> None:
    handoff, worker = await started(path)
    worker.report(connected=5, space1=3, space2=2)
    await eventually(lambda: handoff.counts() == {1: 3, 2: 2})
    worker.report(connected=3, space2=0)
    await eventually(lambda: handoff.counts() == {1: 3})
    worker.close()
    await eventually(lambda: handoff.counts() == {} and handoff.reports() == [])
    worker = FakeWorker(path)
    await worker.connected()
    worker.report(connected=1, space2=1)
    await eventually(lambda: handoff.counts() == {2: 1})
    handoff.close()
    worker.close()


async def test_a_worker_that_takes_nothing_any_more_is_given_up_after_a_second(path: Path) -> None:
    handoff, worker = await started(path)
    worker.report(most=100_000)
    await eventually(lambda: handoff.reports()[0].listeners_max == 100_000)
    ours, theirs = socket.socketpair()
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    big = Arrival(1, "opus", True, (), b"x" * 50_000)
    async with asyncio.TaskGroup() as group:
        results = [group.create_task(handoff.hand_over(big, ours.fileno())) for _ in range(30)]
    assert {result.result() for result in results} == {True, False}
    assert len(list(Path("/proc/self/fd").iterdir())) == open_files
    ours.close()
    theirs.close()
    handoff.close()
    worker.close()
