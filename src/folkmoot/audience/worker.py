"""The audience worker: a process that does nothing but take sockets over and write sound to them.

The web process connects to its SEQPACKET socket and passes listeners' sockets on (`wire`). The tapes are read
straight from their folders. Who listens and what is due is decided in `fanout`; here are the system calls.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import resource
import select
import signal
import socket
import struct
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import FrameType
from typing import Protocol

import msgspec

from folkmoot.audience import windows, wire
from folkmoot.audience.emit import WriteEmit
from folkmoot.audience.fanout import ENDED, REFUSED, Fanout
from folkmoot.audience.live import LiveTape, open_tape

REPORT_MS = 500
REVOCATIONS_MS = 200
COMPARE_MS = 30_000
SEND_BUFFER_BYTES = 16 * 1024
RECEIVE_BUFFER_BYTES = 4 * 1024  # nothing a listener sends is read
EVENTS_MAX = 256
SPARE_FILES = 200
FILES_PER_TAPE = 4
REPORT_SPACES_MAX = 4_000

_RESET = struct.pack("ii", 1, 0)
_HANGUP = select.EPOLLRDHUP

logger = logging.getLogger(__name__)


class WorkerConfig(msgspec.Struct, frozen=True):
    """`listeners_max` 0: as many as the limit of open files allows beside the tapes."""

    socket_path: Path
    tapes_directory: Path
    listeners_max: int = 0


class RevocationSource(Protocol):
    """Where raised counters come from. The wiring decides how; neither method may block."""

    def poll(self) -> Mapping[str, int]:
        """Subjects whose counter was raised since the last call, with the counter they have now.

        The first call also returns those raised during the last minute: a listener may have been admitted
        before this worker started. Called every 200 ms, and when `fileno` is readable.
        """

    def fileno(self) -> int | None:
        """A descriptor that becomes readable when there is something to poll (`poll` drains it), or None."""

    def compare(self, subjects: Collection[str]) -> None:
        """Look these up whenever they were raised, for the next `poll`: now and then, should a clock have lied."""


def run_worker(
    config: WorkerConfig,
    revocations: RevocationSource,
    *,
    choose_window_ms: Callable[[int], int] = windows.window_ms,
) -> None:
    """The main of an audience process: serves until SIGTERM, then exits with 0. Needs the main thread."""
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides when the house closes
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))  # often 1024 of what is allowed
    worker = Worker(config, revocations, choose_window_ms=choose_window_ms)
    gc.freeze()
    gc.disable()  # nothing here makes cycles; a full collection would take longer than a tick
    while True:
        worker.run_once()


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
        self.fanout = Fanout(
            WriteEmit(),
            lambda space_id: open_tape(config.tapes_directory / str(space_id)),
            choose_window_ms,
        )
        self._epoll = select.epoll()
        self._door = _listen(config.socket_path)
        self._epoll.register(self._door, select.EPOLLIN)
        self._doorbell = revocations.fileno()
        if self._doorbell is not None:
            self._epoll.register(self._doorbell, select.EPOLLIN)
        self._webs: dict[int, _Web] = {}
        self._report_ms = report_ms
        self._report_due_ms = 0
        self._revocations_due_ms = 0
        self._compare_ms = compare_ms
        self._compare_due_ms = 0

    def run_once(self) -> None:
        """Sleeps until something happens or is due, and does it. A bounded piece of work each time."""
        hung_up = []
        for descriptor, _ in self._epoll.poll(self._patience_s(), EVENTS_MAX):
            if descriptor == self._door.fileno():
                self._accept_web()
            elif descriptor in self._webs:
                self._receive(self._webs[descriptor])
            elif descriptor == self._doorbell:
                self._revocations_due_ms = 0
            else:
                hung_up.append(descriptor)
        if hung_up:
            self.fanout.remove(hung_up)
            self._close_sockets()
        now_ms = self._clock_ms()
        if now_ms >= self._revocations_due_ms:
            self._revocations_due_ms = now_ms + REVOCATIONS_MS
            self.fanout.revoke(self._revocations.poll())
            self._close_sockets()
        if now_ms >= self._compare_due_ms:
            self._compare_due_ms = now_ms + self._compare_ms
            self._revocations.compare(self.fanout.subjects())
        self.fanout.serve(now_ms)
        self._close_sockets()
        if now_ms >= self._report_due_ms:
            self._report_due_ms = now_ms + self._report_ms
            self._report()

    def close(self) -> None:
        """Closes everything that is open."""
        self.fanout.remove(self.fanout.sockets())
        self._close_sockets()
        for web in list(self._webs.values()):
            self._drop_web(web)
        self._epoll.close()
        self._door.close()

    def _patience_s(self) -> float:
        due_ms = min(self._revocations_due_ms, self._report_due_ms)
        fanout_due_ms = self.fanout.due_ms()
        if fanout_due_ms is not None:
            due_ms = min(due_ms, fanout_due_ms)
        return max(0, due_ms - self._clock_ms()) / 1000

    # --- the web processes

    def _accept_web(self) -> None:
        with contextlib.suppress(BlockingIOError):
            connection, _ = self._door.accept()
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
            return
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
            if _prepare(descriptor):
                self._epoll.register(descriptor, _HANGUP)
                self.fanout.join(descriptor, arrival, now_ms)
        self._close_sockets()
        return len(arrivals)

    def _drop_web(self, web: _Web) -> None:
        descriptor = web.connection.fileno()
        del self._webs[descriptor]
        self._epoll.unregister(descriptor)
        web.connection.close()

    def _report(self) -> None:
        changed, self.fanout.changed = self.fanout.changed, set()
        metrics = msgspec.structs.asdict(self.fanout.metrics)
        for web in list(self._webs.values()):
            web.unreported |= changed
            try:
                while web.unreported or web.metrics != metrics:
                    self._report_to(web, metrics)
            except BlockingIOError:
                continue  # it will be told next time
            except OSError:
                self._drop_web(web)

    def _report_to(self, web: _Web, metrics: dict[str, int]) -> None:
        spaces = list(web.unreported)[:REPORT_SPACES_MAX]
        report = wire.Report(
            received=web.received,
            connected=len(self.fanout),
            listeners_max=self._listeners_max or self._room(),
            listeners={space_id: self.fanout.count(space_id) for space_id in spaces},
            metrics=metrics,
            lateness=tuple(self.fanout.lateness),
        )
        web.connection.send(wire.encode_report(report))
        web.unreported.difference_update(spaces)
        web.metrics = metrics

    def _room(self) -> int:
        files_max, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return max(0, files_max - SPARE_FILES - FILES_PER_TAPE * len(self.fanout.spaces()))

    # --- the listeners' sockets

    def _close_sockets(self) -> None:
        if not self.fanout.closed:
            return
        closed, self.fanout.closed = self.fanout.closed, []
        for descriptor, reason in closed:
            # The web process may hold its copy a moment longer: closing ours alone would leave the registration.
            self._epoll.unregister(descriptor)
            if reason in {ENDED, REFUSED}:
                _close_cleanly(descriptor)
            else:
                _reset(descriptor)


class _Web:
    """A connected web process, what it has handed over, and what it has yet to be told."""

    def __init__(self, connection: socket.socket, unreported: set[int]) -> None:
        self.connection = connection
        self.received = 0
        self.unreported = unreported
        self.metrics: dict[str, int] | None = None


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)  # of a worker that died
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.setblocking(False)
    door.bind(str(path))
    path.chmod(0o600)
    door.listen(8)
    return door


def _prepare(descriptor: int) -> bool:
    """Makes a socket ready to be written to; closes it and says False when it is broken already."""
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        return False
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        return False
    sock.detach()
    return True


def _close_cleanly(descriptor: int) -> None:
    """Sends what is still in the buffer, then FIN. Unread input would make that a reset (RFC 1122, 4.2.2.13)."""
    with contextlib.suppress(OSError):
        os.read(descriptor, 65_536)
    os.close(descriptor)


def _reset(descriptor: int) -> None:
    """Closes with RST: what is in the buffer is not delivered any more."""
    sock = socket.socket(fileno=descriptor)
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()


def _exit(_signal: int, _frame: FrameType | None) -> None:
    os._exit(0)  # nothing is held that the kernel doesn't give back
