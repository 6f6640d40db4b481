"""Through io_uring the same leaves as through os.write, whatever state the sockets are in."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.audience import uring
from folkmoot.audience.emit import WriteEmit
from folkmoot.audience.groups import Emit, Short
from folkmoot.audience.uring import Ring, UringEmit, probe

SOCKETS = 9
SEND_BUFFER_BYTES = 4096
sizes = st.sampled_from([1, 100, 3000, 20_000, 200_000])
subsets = st.sets(st.integers(0, SOCKETS - 1), min_size=1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), subsets, sizes),
        st.tuples(st.just("read"), subsets, sizes),
        st.tuples(st.just("break"), subsets, st.just(0)),
        st.tuples(st.just("renew"), subsets, st.just(0)),
    ),
    max_size=12,
)


class World:
    """Pairs of sockets, and what came out at the far ends."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.near: list[socket.socket] = []
        self.far: list[socket.socket] = []
        self.received = [b""] * SOCKETS
        for _ in range(SOCKETS):
            near, far = self._pair()
            self.near.append(near)
            self.far.append(far)

    def numbers(self, places: set[int]) -> list[int]:
        return [self.near[place].fileno() for place in sorted(places)]

    def read(self, place: int, size: int) -> None:
        if self.far[place].fileno() >= 0:
            with suppress(BlockingIOError):
                self.received[place] += self.far[place].recv(size, socket.MSG_DONTWAIT)

    def renew(self, place: int) -> None:
        """Another connection takes the number of one that was closed."""
        number = self.near[place].fileno()
        near, far = self._pair()
        os.dup2(near.fileno(), number)
        near.close()
        self.far[place].close()
        self.far[place] = far

    def outcome(self, short: list[Short]) -> dict[int, bytes | None]:
        place_of = {near.fileno(): place for place, near in enumerate(self.near)}
        return {place_of[number]: rest for number, rest in short}

    def _pair(self) -> tuple[socket.socket, socket.socket]:
        near, far = (self._stack.enter_context(one) for one in socket.socketpair())
        near.setblocking(False)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        return near, far


@pytest.fixture
def emit() -> Iterator[UringEmit]:
    emit = probe(entries=4)  # less than there are sockets
    assert emit is not None, "io_uring works on this machine"
    yield emit
    emit.close()


@settings(max_examples=60, deadline=None)
@given(steps)
def test_whatever_the_sockets_are_like_it_does_what_os_write_does(
    script: list[tuple[str, set[int], int]],
) -> None:
    through_ring = probe(entries=4)
    assert through_ring is not None
    with ExitStack() as stack:
        stack.callback(through_ring.close)
        worlds = World(stack), World(stack)
        for number, (step, places, size) in enumerate(script):
            data = bytes([number + 1]) * size
            outcomes = [
                _do(worlds[0], through_ring, step, places, data),
                _do(worlds[1], WriteEmit(), step, places, data),
            ]
            assert outcomes[0] == outcomes[1], f"{step} {places}"
        for world in worlds:
            for place in range(SOCKETS):
                world.read(place, 1 << 20)
        assert worlds[0].received == worlds[1].received


def _do(world: World, emit: Emit, step: str, places: set[int], data: bytes) -> object:
    if step == "write":
        return world.outcome(emit.write(world.numbers(places), data))
    for place in places:
        if step == "read":
            world.read(place, len(data))
        elif step == "break":
            world.far[place].close()
        else:
            world.renew(place)
    return None


def test_over_tcp_what_a_full_socket_took_and_its_rest_are_the_whole(emit: UringEmit) -> None:
    with ExitStack() as stack:
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        far = [stack.enter_context(socket.create_connection(door.getsockname())) for _ in range(6)]
        near = [stack.enter_context(door.accept()[0]) for _ in far]
        for one in near:
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        data = os.urandom(8 << 20)
        rests = dict(emit.write([one.fileno() for one in near], data))
        assert len(rests) == len(near)
        for one, other in zip(near, far, strict=True):
            rest = rests[one.fileno()]
            assert rest
            received = b""
            while len(received) < len(data) - len(rest):
                received += other.recv(1 << 20)
            assert received + rest == data
        far[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        far[0].close()
        assert emit.resume(near[0].fileno(), b"more") == Short(near[0].fileno(), None)


def test_the_end_is_a_fin_for_those_alone_who_have_everything(emit: UringEmit) -> None:
    for each in (WriteEmit(), emit):
        with ExitStack() as stack:
            pairs = [[stack.enter_context(end) for end in socket.socketpair()] for _ in range(6)]
            (full, behind), *others = pairs
            full.setblocking(False)
            with suppress(BlockingIOError):
                while full.send(b"x" * 65_536):
                    pass
            each.end([near.fileno() for near, _ in pairs], b"last", by_fin=True)
            for _, far in others:
                assert far.recv(100) + far.recv(100) == b"last"
            behind.setblocking(False)
            with suppress(BlockingIOError):
                while left := behind.recv(1 << 20):
                    assert set(left) == {ord("x")}
            assert left, "that would be the end"


def test_completions_that_did_not_fit_into_the_ring_are_not_lost() -> None:
    ring = Ring(entries=4)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        word = b"x"
        for _ in range(5):
            ring.submit([ours.fileno()] * 4, word)
        assert sum(len(found) for found in ring.completed(20)) == 20
        assert len(theirs.recv(64)) == 20
    ring.close()


def test_closing_gives_files_and_memory_back() -> None:
    def held() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), Path("/proc/self/maps").read_text().count("io_uring")

    before = held()
    for _ in range(50):
        emit = probe()
        assert emit is not None
        emit.close()
    assert held() == before


def test_where_it_is_forbidden_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uring, "_SETUP", 999_999)  # a system call that no kernel has
    assert probe() is None
    monkeypatch.undo()
    monkeypatch.setattr(uring, "_OP_SEND", 255)  # an operation that no kernel has
    assert probe() is None
