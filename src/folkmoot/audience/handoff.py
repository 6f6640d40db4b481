"""Hands listeners' sockets from the web process over to the audience workers (SCM_RIGHTS, in batches)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from folkmoot.audience import wire

FLUSH_MS = 5
RECONNECT_MS = 100
PATIENCE_MS = 1_000  # how long a socket waits for a worker that doesn't take it
SPREAD_LISTENERS = 250  # 2 ms of writing: so much fuller may a worker be that has the Space already
REPORT_BYTES_MAX = 512 * 1024

logger = logging.getLogger(__name__)


class WorkerLoad(msgspec.Struct, frozen=True):
    """What the choice of a worker depends on."""

    listeners: int
    listeners_max: int
    has_space: bool


def choose_worker(loads: Sequence[WorkerLoad]) -> int | None:
    """The place of the worker that gets the next listener; None when all are full.

    A Space stays together as long as that costs little: each worker that serves it reads its tape.
    """
    free = [place for place, load in enumerate(loads) if load.listeners < load.listeners_max]
    if not free:
        return None
    emptiest = min(free, key=lambda place: loads[place].listeners)
    together = [
        place
        for place in free
        if loads[place].has_space and loads[place].listeners <= loads[emptiest].listeners + SPREAD_LISTENERS
    ]
    return min(together, key=lambda place: loads[place].listeners, default=emptiest)


class Handoff:
    """The web process's side of all audience workers. Lives on one event loop; `start` needs it running."""

    def __init__(self, socket_paths: Sequence[Path]) -> None:
        self._reported = asyncio.Event()
        self._links = [_Link(path, self._reported.set) for path in socket_paths]

    def start(self) -> None:
        """Connects, and goes on connecting, to each worker."""
        for link in self._links:
            link.connect()

    async def taken_over(self, within_s: float) -> None:
        """Returns when each worker is connected and has the listeners of the one before it, or after that time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while any(link.report is None or link.report.is_taking_over for link in self._links):
                    self._reported.clear()
                    await self._reported.wait()

    def close(self) -> None:
        """Lets go of the workers; the listeners they have stay with them."""
        for link in self._links:
            link.close()

    async def hand_over(self, arrival: wire.Arrival, descriptor: int) -> bool:
        """Passes a copy of the socket on. False when no worker took it: the caller still has it, untouched.

        Raises OSError when there is no room for another descriptor.
        """
        connected = [link for link in self._links if link.connected]
        place = choose_worker([link.load(arrival.space_id) for link in connected])
        if place is None:
            return False
        return await connected[place].hand_over(arrival, descriptor)

    def connected(self) -> int:
        """Sockets at all workers, with those on their way to one."""
        return sum(link.load(0).listeners for link in self._links if link.connected)

    def is_full(self) -> bool:
        """Whether workers are there, and none takes another socket."""
        loads = [link.load(0) for link in self._links if link.connected]
        return bool(loads) and choose_worker(loads) is None

    def counts(self) -> dict[int, int]:
        """Connected sockets for each Space, as the workers reported them within the last half second."""
        counts: dict[int, int] = {}
        for link in self._links:
            for space_id, listeners in link.listeners.items():
                counts[space_id] = counts.get(space_id, 0) + listeners
        return counts

    def reports(self) -> list[wire.Report]:
        """The newest report of each connected worker."""
        return [link.report for link in self._links if link.report is not None]


class _Pending(msgspec.Struct):
    arrival: wire.Arrival
    descriptor: int
    done: asyncio.Future[bool]
    deadline_s: float


class _Link:
    """The connection to one worker, made anew when it breaks."""

    def __init__(self, path: Path, reported: Callable[[], None]) -> None:
        self._path = path
        self._reported = reported
        self._socket: socket.socket | None = None
        self._queue: deque[_Pending] = deque()
        self._flush_timer: asyncio.TimerHandle | None = None
        self._connect_timer: asyncio.TimerHandle | None = None
        self._sent = 0
        self.report: wire.Report | None = None
        self.listeners: dict[int, int] = {}

    @property
    def connected(self) -> bool:
        """Whether the worker is there and has said how much it can take."""
        return self.report is not None

    def load(self, space_id: int) -> WorkerLoad:
        """The worker's load, counting those who are on their way to it."""
        assert self.report is not None
        on_the_way = self._sent + len(self._queue) - self.report.received
        return WorkerLoad(self.report.connected + on_the_way, self.report.listeners_max, space_id in self.listeners)

    def connect(self) -> None:
        self._connect_timer = None
        self._socket = _connected(self._path)
        if self._socket is None:
            self._connect_later()
        else:
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._receive)

    def close(self) -> None:
        self._disconnect()
        for timer in (self._flush_timer, self._connect_timer):
            if timer is not None:
                timer.cancel()

    async def hand_over(self, arrival: wire.Arrival, descriptor: int) -> bool:
        loop = asyncio.get_running_loop()
        # A copy: if the connection ended meanwhile, the number could be somebody else's socket.
        done: asyncio.Future[bool] = loop.create_future()
        deadline_s = loop.time() + PATIENCE_MS / 1000
        self._queue.append(_Pending(arrival, os.dup(descriptor), done, deadline_s))
        self.listeners.setdefault(arrival.space_id, 0)  # whoever comes before the next report goes there, too
        self._flush_later()
        return await done

    def _connect_later(self) -> None:
        self._connect_timer = asyncio.get_running_loop().call_later(RECONNECT_MS / 1000, self.connect)

    def _flush_later(self) -> None:
        if self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_later(FLUSH_MS / 1000, self._flush)

    def _flush(self) -> None:
        self._flush_timer = None
        now_s = asyncio.get_running_loop().time()
        while self._queue and (self._queue[0].deadline_s < now_s or self._queue[0].done.done()):
            _settle(self._queue.popleft(), taken=False)
        while self._queue and self._socket is not None:
            batch, message = self._next_batch()
            try:
                socket.send_fds(self._socket, [message], [pending.descriptor for pending in batch])
            except BlockingIOError:
                self._flush_later()  # the worker is busy
                return
            except OSError as error:
                logger.warning("audience worker %s: %s", self._path.name, error)
                self._disconnect()
                self._connect_later()
                return
            self._sent += len(batch)
            for pending in batch:
                self._queue.popleft()
                _settle(pending, taken=True)

    def _next_batch(self) -> tuple[list[_Pending], bytes]:
        """As many of the queue's first as fit into one message, and that message."""
        batch = [pending for _, pending in zip(range(wire.ARRIVALS_MAX), self._queue, strict=False)]
        while True:
            message = wire.encode_arrivals([pending.arrival for pending in batch])
            if len(message) <= wire.MESSAGE_BYTES_MAX or len(batch) == 1:
                return batch, message
            batch = batch[: len(batch) // 2]

    def _receive(self) -> None:
        assert self._socket is not None
        try:
            message = self._socket.recv(REPORT_BYTES_MAX)
            report = wire.decode_report(message) if message else None
        except BlockingIOError:
            return
        except (OSError, msgspec.DecodeError) as error:
            logger.warning("audience worker %s: %s", self._path.name, error)
            report = None
        if report is None:
            self._disconnect()
            self._connect_later()
            return
        self.report = report
        self._reported()
        self.listeners.update(report.listeners)
        for space_id in [space_id for space_id, listeners in report.listeners.items() if not listeners]:
            del self.listeners[space_id]

    def _disconnect(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
        self._sent = 0
        self.report = None
        self.listeners.clear()
        while self._queue:
            _settle(self._queue.popleft(), taken=False)


def _connected(path: Path) -> socket.socket | None:
    """A connection; none while nobody is there, too many want one, or no file is free here."""
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    except OSError:
        return None
    connection.setblocking(False)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def _settle(pending: _Pending, *, taken: bool) -> None:
    os.close(pending.descriptor)
    with contextlib.suppress(asyncio.InvalidStateError):  # its waiter was cancelled
        pending.done.set_result(taken)
