"""A worker that takes another's place: nobody who listens notices, and if one of the two dies nobody hangs."""

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.audience.house import INIT, Client, House, Revocations, ScriptedTape, running_house, running_worker
from tests.support.waiting import wait_until

from folkmoot.audience import wire
from folkmoot.audience.limiter import JoinLimiter
from folkmoot.audience.worker import Worker


class Theatre:
    """A tape, web, and one worker after another at the same address."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tape = ScriptedTape()
        self.tape.append(b"<0>")
        self.house: House

    @property
    def aside(self) -> Path:
        """Where a worker's socket is once it is being replaced."""
        return self.path.with_suffix(".1.sock")

    def worker(self, *predecessors: Path) -> "contextlib.AbstractContextManager[tuple[Worker, Revocations]]":
        return running_worker(self.path, {1: self.tape}, predecessors=predecessors)

    @contextmanager
    def next_worker(self) -> Iterator[tuple[Worker, Revocations]]:
        """As the supervisor makes one at a reload."""
        self.path.rename(self.aside)
        with self.worker(self.aside) as made:
            yield made

    def listening(self, count: int) -> list[Client]:
        wait_until(lambda: bool(self.house.handoff.reports()))
        clients = [self.house.listen(1, f"?ticket={number}") for number in range(count)]
        for client in clients:
            assert client.head()[0] == 200
            assert client.chunk() == INIT
            client.chunk()
        return clients


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    theatre = Theatre(tmp_path / "audience-0.sock")
    with running_house(theatre.path, limiter=JoinLimiter(burst=10_000)) as house:
        theatre.house = house
        yield theatre


@contextmanager
def closing(clients: list[Client]) -> Iterator[None]:
    try:
        yield
    finally:
        for client in clients:
            client.socket.close()


def heard(client: Client, until: bytes) -> bytes:
    got = b""
    while not got.endswith(until):
        got += client.chunk()
    return got


def test_listeners_get_each_part_once_from_whichever_worker_has_them(theatre: Theatre) -> None:
    with contextlib.ExitStack() as old:
        first, _ = old.enter_context(theatre.worker())
        clients = theatre.listening(450)
        with closing(clients), theatre.next_worker() as (second, _):
            for number in range(1, 15):
                theatre.tape.append(b"<%d>" % number)
            wait_until(lambda: len(second.fanout) == 450)
            theatre.tape.append(b"<end>")
            expected = b"".join(b"<%d>" % number for number in range(1, 15)) + b"<end>"
            assert {heard(client, b"<end>") for client in clients} == {expected}
            assert len(first.fanout) == 0


def test_the_old_worker_ends_when_web_has_gone_to_the_new_one(theatre: Theatre) -> None:
    with contextlib.ExitStack() as old:
        old.enter_context(theatre.worker())
        (client,) = theatre.listening(1)
        with closing([client]), theatre.next_worker() as (second, revocations):
            wait_until(lambda: len(second.fanout) == 1)
            assert answers(theatre.aside), "an old web process may bring somebody yet"
            with theatre.house.listen(1) as late:
                assert late.head()[0] == 200
                wait_until(lambda: len(second.fanout) == 2)
            theatre.house.call(theatre.house.handoff.close)
            wait_until(lambda: not answers(theatre.aside))
            revocations.revoke("ticket:0", 1)
            assert client.is_reset(), "its right went with it"


def test_web_is_told_when_everybody_is_here(theatre: Theatre, tmp_path: Path) -> None:
    with theatre.worker() as (first, _), closing(theatre.listening(300)), theatre.next_worker() as (second, _):
        another = running_house(theatre.path)
        with another as house:
            wait_until(lambda: bool(house.handoff.reports()) and not house.handoff.reports()[0].is_taking_over)
            assert house.handoff.counts() == {1: 300}
            assert (len(first.fanout), len(second.fanout)) == (0, 300)


def test_when_the_new_worker_dies_those_who_were_not_passed_on_stay_and_go_to_the_next(theatre: Theatre) -> None:
    with theatre.worker() as (first, _):
        clients = theatre.listening(450)
        with closing(clients):
            theatre.path.rename(theatre.aside)
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dying:
                dying.connect(str(theatre.aside))
                dying.send(wire.TAKE_OVER)
                # It takes one message, and no more: the rest is in the socket's buffer, or still at the old one.
                files: list[int] = []
                while not files:  # a report may come first
                    _, files, _, _ = socket.recv_fds(dying, 200_000, wire.ARRIVALS_MAX)
                for descriptor in files:
                    os.close(descriptor)
            wait_until(lambda: first._successor is None)
            stayed = len(first.fanout)
            with theatre.worker(theatre.aside) as (second, _):
                wait_until(lambda: len(second.fanout) == stayed)
                theatre.tape.append(b"<end>")
                came = sum(_hears(client, b"<end>") for client in clients)
                assert came == stayed


def test_when_the_old_worker_dies_the_new_one_goes_on_with_whom_it_has(theatre: Theatre) -> None:
    with contextlib.ExitStack() as old:
        old.enter_context(theatre.worker())
        clients = theatre.listening(300)
        with closing(clients), theatre.next_worker() as (second, _):
            old.close()
            wait_until(lambda: not second._predecessors.are_passing)
            theatre.tape.append(b"<end>")
            assert sum(_hears(client, b"<end>") for client in clients) == len(second.fanout)


def test_a_worker_of_another_version_has_the_listeners_connect_anew(theatre: Theatre) -> None:
    with theatre.worker() as (first, _):
        clients = theatre.listening(20)
        with closing(clients), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
            other.connect(str(theatre.path))
            other.send(wire.TAKE_OVER_PREFIX + b"of tomorrow")
            assert all(client.is_reset() for client in clients)
            wait_until(lambda: len(first.fanout) == 0)


def test_nothing_stays_open_after_a_take_over(theatre: Theatre) -> None:
    before = open_files()
    with contextlib.ExitStack() as old:
        old.enter_context(theatre.worker())
        with theatre.next_worker() as (second, _):
            with closing(theatre.listening(30)):
                wait_until(lambda: len(second.fanout) == 30)
            wait_until(lambda: len(second.fanout) == 0)
    wait_until(lambda: open_files() <= before)


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
        return asking.connect_ex(str(path)) == 0


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _hears(client: Client, until: bytes) -> bool:
    try:
        heard(client, until)
    except (AssertionError, OSError, ValueError):
        return False
    return True
