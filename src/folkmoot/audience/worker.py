"""The audience worker: a process that does nothing but take sockets over and write sound to them.

The web process connects to its SEQPACKET socket and passes listeners' sockets on (`wire`), and so does the worker
that takes this one's place (`takeover`). The tapes are read straight from their folders. Who listens and what is
due is decided in `fanout`; here are the system calls.
"""

from __future__ import annotations

import errno
import gc
import logging
import os
import resource
import select
import signal
import socket
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from folkmoot.audience import uring, windows, wire
from folkmoot.audience.emit import WriteEmit
from folkmoot.audience.fanout import BROKEN_OFF, ENDED, FAILED, REFUSED
from folkmoot.audience.leases import RevocationSource
from folkmoot.audience.live import LiveTape, open_tape
from folkmoot.audience.passing import PassingFanout
from folkmoot.audience.sockets import close_cleanly, listen, prepare
from folkmoot.audience.takeover import Predecessors, Successor

REPORT_MS = 500
REVOCATIONS_MS = 200
COMPARE_MS = 30_000
ALIVE_MS = 500
EVENTS_MAX = 256
SPARE_FILES = 200
FILES_PER_TAPE = 4
REPORT_SPACES_MAX = 4_000
CLOSED_AT_ONCE_MAX = 200  # a reset costs some 9 µs: when a crowd is closed, others are written to in between
LEAVE_EVERY_MS = 20  # so many at once: a worker that has told its crowd leaves the processor to those who have not
LEFT_AT_ONCE_MAX = 2  # who has been told of the end can wait until the others have been

_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_HANGUP = select.EPOLLRDHUP | select.EPOLLET  # once: who is to be closed is registered until then

logger = logging.getLogger(__name__)


class WorkerConfig(msgspec.Struct, frozen=True):
    """`listeners_max` 0: as many as the limit of open files allows beside the tapes.

    `predecessors`: the sockets of workers whose listeners this one takes over.
    """

    socket_path: Path
    tapes_directory: Path
    listeners_max: int = 0
    predecessors: tuple[Path, ...] = ()


def run_worker(
    config: WorkerConfig,
    revocations: RevocationSource,
    *,
    choose_window_ms: Callable[[int], int] = windows.window_ms,
    alive: Callable[[], None] = lambda: None,
) -> None:
    """The main of an audience process: serves until SIGTERM, or until another has taken its listeners over.

    Calls `alive` every 500 ms. Needs the main thread.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides when the house closes
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))  # often 1024 of what is allowed
    worker = Worker(config, revocations, choose_window_ms=choose_window_ms)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    gc.freeze()
    gc.disable()  # nothing here makes cycles; a full collection would take longer than a tick
    alive_due_s = 0.0
    while not worker.is_over:
        worker.run_once()
        if time.monotonic() >= alive_due_s:
            alive_due_s = time.monotonic() + ALIVE_MS / 1000
            alive()
    worker.take_leave()


class Worker:
    """One worker's sockets and its loop."""

    def __init__(
        self,
        config: WorkerConfig,
        revocations: RevocationSource,
        *,
        open_tape: Callable[[Path], LiveTape | None] = open_tape,
        clock_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
        choose_window_ms: Callable[[int], int] = windows.window_ms,
        report_ms: int = REPORT_MS,
        compare_ms: int = COMPARE_MS,
    ) -> None:
        self._clock_ms = clock_ms
        self._revocations = revocations
        self._listeners_max = config.listeners_max
        self._uring = uring.probe()
        self.fanout = PassingFanout(
            self._uring or WriteEmit(),
            lambda space_id: open_tape(config.tapes_directory / str(space_id)),
            choose_window_ms,
        )
        self._epoll = select.epoll()
        self._door = listen(config.socket_path)
        self._epoll.register(self._door, select.EPOLLIN | select.EPOLLET)  # once for each who comes
        self._doorbell = revocations.fileno()
        if self._doorbell is not None:
            self._epoll.register(self._doorbell, select.EPOLLIN)
        self._webs: dict[int, _Web] = {}
        self._predecessors = Predecessors(config.predecessors, self._epoll)
        self._successor: Successor | None = None
        self._closing: deque[tuple[int, Callable[[int], None]]] = deque()  # with how
        self._leaving: deque[int] = deque()  # who has had the last bytes, which must arrive
        self._ticks = [0] * (len(wire.TICKS_MS) + 1)
        self._report_ms = report_ms
        self._report_due_ms = 0
        self._revocations_due_ms = 0
        self._compare_ms = compare_ms
        self._compare_due_ms = 0
        self._leave_due_ms = 0
        self._is_stopping = False

    def run_once(self) -> None:
        """Sleeps until something happens or is due, and does it. A bounded piece of work each time."""
        hung_up = []
        for descriptor, _ in self._epoll.poll(self._patience_s(), EVENTS_MAX):
            if not self._hear(descriptor):
                hung_up.append(descriptor)
        if hung_up:
            self.fanout.remove(hung_up)
        now_ms = self._clock_ms()
        if now_ms >= self._revocations_due_ms:
            self._revocations_due_ms = now_ms + REVOCATIONS_MS
            self.fanout.revoke(self._revocations.poll())
            self._accept_webs()
        if now_ms >= self._compare_due_ms:
            self._compare_due_ms = now_ms + self._compare_ms
            self._revocations.compare(self.fanout.subjects())
        was_due = self._serve(now_ms)
        if self._successor is not None:
            self._pass_on(self._successor)
        left_max = LEFT_AT_ONCE_MAX if was_due else 0
        if not was_due and now_ms >= self._leave_due_ms:
            self._leave_due_ms = now_ms + LEAVE_EVERY_MS
            left_max = CLOSED_AT_ONCE_MAX
        self._close_sockets(CLOSED_AT_ONCE_MAX, left_max)
        if now_ms >= self._report_due_ms and self._successor is None:
            self._report_due_ms = now_ms + self._report_ms
            self._report()

    def _serve(self, now_ms: int) -> bool:
        """What is most overdue; False when nothing was. How long it took is noted, if somebody was written to."""
        written, began_ms = self.fanout.metrics.writes, self._clock_ms()
        was_due = self.fanout.serve(now_ms)
        if self.fanout.metrics.writes != written:
            self._ticks[bisect_left(wire.TICKS_MS, self._clock_ms() - began_ms)] += 1
        return was_due

    def _hear(self, descriptor: int) -> bool:
        """What comes from a process of this server. False where it is a listener's socket, which has hung up."""
        if descriptor == self._door.fileno():
            self._accept_webs()
        elif descriptor in self._webs:
            self._receive(self._webs[descriptor])
        elif descriptor == self._doorbell:
            self._revocations_due_ms = 0
        elif descriptor in self._predecessors:
            self._take_over(descriptor)
        elif self._successor is not None and descriptor == self._successor.fileno():
            self._lose_successor()
        else:
            return False
        return True

    def close(self) -> None:
        """Closes everything that is open."""
        self.fanout.remove(self.fanout.sockets())
        self._close_sockets(*2 * [len(self.fanout.closed) + len(self._closing) + len(self._leaving)])
        self._predecessors.close()
        if self._successor is not None:
            self._lose_successor()
        for web in list(self._webs.values()):
            self._drop_web(web)
        self._epoll.close()
        self._door.close()
        if self._uring is not None:
            self._uring.close()

    def stop(self) -> None:
        """Soon it is over: after the round that is under way, in which some may just be told of an end."""
        self._is_stopping = True

    def take_leave(self) -> None:
        """Before the process ends, which resets what is open: but not who may yet have to read the end."""
        while self._leaving:
            close_cleanly(self._leaving.popleft())

    @property
    def is_over(self) -> bool:
        """Whether it is to stop, or another worker has everybody and nobody brings more."""
        return self._is_stopping or (
            self._successor is not None and not (self._webs or self._closing or self._leaving or len(self.fanout))
        )

    def _patience_s(self) -> float:
        if self._closing:
            return 0.0
        if self._successor is not None and len(self.fanout):
            return self._successor.patience_s
        due_ms = self._revocations_due_ms
        if self._successor is None:  # else there is no report
            due_ms = min(due_ms, self._report_due_ms)
        if self._leaving:
            due_ms = min(due_ms, self._leave_due_ms)
        fanout_due_ms = self.fanout.due_ms()
        if fanout_due_ms is not None:
            due_ms = min(due_ms, fanout_due_ms)
        return max(0, due_ms - self._clock_ms()) / 1000

    # --- the web processes

    def _accept_webs(self) -> None:
        """Those who are at the door. While no file is free they wait there, and are looked at again."""
        while True:
            try:
                connection, _ = self._door.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NO_ROOM:
                    return
                raise
            connection.setblocking(False)
            self._webs[connection.fileno()] = _Web(connection, self.fanout.spaces())
            self._epoll.register(connection, select.EPOLLIN)
            self._report_due_ms = 0

    def _receive(self, web: _Web) -> None:
        """Takes one message of listeners; the rest waits until the groups that are due have been served."""
        try:
            message, files, flags, _ = socket.recv_fds(
                web.connection, wire.MESSAGE_BYTES_MAX * 2, wire.ARRIVALS_MAX, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return
        except OSError:
            message, files, flags = b"", [], 0
        if not message:
            self._drop_web(web)
        elif message.startswith(wire.TAKE_OVER_PREFIX):
            self._begin_passing_on(web, message)
        else:
            web.received += self._take(message, files, flags)

    def _take(self, message: bytes, files: list[int], flags: int) -> int:
        try:
            arrivals = wire.decode_arrivals(message)
        except msgspec.DecodeError:
            arrivals = []
        if len(arrivals) != len(files) or flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            logger.error("%d listeners came with %d sockets: all closed", len(arrivals), len(files))
            for descriptor in files:
                os.close(descriptor)
            return len(arrivals)
        now_ms = self._clock_ms()
        for arrival, descriptor in zip(arrivals, files, strict=True):
            if prepare(descriptor):
                self._epoll.register(descriptor, _HANGUP)
                self.fanout.join(descriptor, arrival, now_ms)
        return len(arrivals)

    def _drop_web(self, web: _Web) -> None:
        descriptor = web.connection.fileno()
        del self._webs[descriptor]
        self._epoll.unregister(descriptor)
        web.connection.close()

    # --- one worker after another

    def _take_over(self, predecessor: int) -> None:
        """Takes one message of listeners from the worker before."""
        found = self._predecessors.receive(predecessor)
        if found is not None:
            moved, files = found
            for descriptor in files:
                self._epoll.register(descriptor, _HANGUP)
            self.fanout.resume(moved, files, self._clock_ms())
        if not self._predecessors.are_passing:
            self._report_due_ms = 0

    def _begin_passing_on(self, web: _Web, message: bytes) -> None:
        del self._webs[web.connection.fileno()]
        if self._successor is not None:
            self._lose_successor()
        self._successor = Successor(web.connection)
        if message != wire.TAKE_OVER:
            logger.warning("the next worker is of a version that can't take listeners over: they connect anew")
            self._successor.understands = False

    def _pass_on(self, successor: Successor) -> None:
        """Everybody goes, a message at a time; what is due here is written in between."""
        if not successor.understands:
            self.fanout.remove(self.fanout.sockets(), FAILED)
        elif not successor.pass_on(self.fanout):
            self._lose_successor()

    def _lose_successor(self) -> None:
        """It has died. Those who are here yet stay, until there is another."""
        assert self._successor is not None
        self._epoll.unregister(self._successor.fileno())
        self._successor.close()
        self._successor = None

    def _report(self) -> None:
        changed, self.fanout.changed = self.fanout.changed, set()
        metrics = msgspec.structs.asdict(self.fanout.metrics)
        # Files, until they are closed: that takes a while when a crowd leaves, and then nothing else changes.
        connected = len(self.fanout) + len(self._closing) + len(self._leaving)
        news = connected, self._predecessors.are_passing, metrics
        for web in list(self._webs.values()):
            web.unreported |= changed
            try:
                while web.unreported or web.told != news:
                    self._report_to(web, *news)
            except BlockingIOError:
                continue  # it will be told next time
            except OSError:
                self._drop_web(web)

    def _report_to(self, web: _Web, connected: int, is_taking_over: bool, metrics: dict[str, int]) -> None:
        spaces = list(web.unreported)[:REPORT_SPACES_MAX]
        report = wire.Report(
            received=web.received,
            connected=connected,
            listeners_max=self._listeners_max or self._room(),
            listeners={space_id: self.fanout.count(space_id) for space_id in spaces},
            metrics=metrics,
            lateness=tuple(self.fanout.lateness),
            is_taking_over=is_taking_over,
            delays=tuple(self.fanout.delays),
            ticks=tuple(self._ticks),
        )
        web.connection.send(wire.encode_report(report))
        web.unreported.difference_update(spaces)
        web.told = connected, is_taking_over, metrics

    def _room(self) -> int:
        files_max, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return max(0, files_max - SPARE_FILES - FILES_PER_TAPE * len(self.fanout.spaces()))

    # --- the listeners' sockets

    def _close_sockets(self, closed_max: int, left_max: int) -> None:
        for descriptor, reason in self.fanout.closed:
            if reason in {ENDED, REFUSED}:
                self._leaving.append(descriptor)
            elif reason == BROKEN_OFF:
                self._closing.append((descriptor, close_cleanly))
            else:  # resets it, but for one that another worker has
                self._closing.append((descriptor, os.close))
        self.fanout.closed.clear()
        for _ in range(min(closed_max, len(self._closing))):
            self._let_go(*self._closing.popleft())
        for _ in range(min(left_max, len(self._leaving))):
            self._let_go(self._leaving.popleft(), close_cleanly)

    def _let_go(self, descriptor: int, close: Callable[[int], None]) -> None:
        # Another process may hold its copy a moment longer: closing ours alone would leave the registration.
        self._epoll.unregister(descriptor)
        close(descriptor)


class _Web:
    """A connected web process, what it has handed over, and what it has yet to be told."""

    def __init__(self, connection: socket.socket, unreported: set[int]) -> None:
        self.connection = connection
        self.received = 0
        self.unreported = unreported
        self.told: tuple[int, bool, dict[str, int]] | None = None
