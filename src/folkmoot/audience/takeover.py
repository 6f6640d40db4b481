"""One worker takes another's place: the connection between the two, from either end (`wire` says what it carries).

Whoever's socket is on the way when one of them is killed is disconnected by the kernel, and connects anew; all
others stay where they are.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import socket
from collections.abc import Iterable
from pathlib import Path

import msgspec

from folkmoot.audience import wire
from folkmoot.audience.fanout import MOVED
from folkmoot.audience.passing import PassingFanout

AGAIN_S = 0.005  # the other is busy
_FULL = {errno.EAGAIN, errno.ETOOMANYREFS, errno.ENOBUFS}

logger = logging.getLogger(__name__)


class Successor:
    """In the worker that goes: the one that takes its place."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.understands = True
        self._has_all = False
        self._is_full = False

    def fileno(self) -> int:
        return self._connection.fileno()

    @property
    def patience_s(self) -> float:
        """How long to wait, while there is somebody to pass on."""
        return AGAIN_S if self._is_full else 0.0

    def pass_on(self, fanout: PassingFanout) -> bool:
        """Sends one message, if there is somebody and room. False when the other is gone."""
        exported = fanout.export(wire.ARRIVALS_MAX)
        if exported is None and self._has_all:
            return True
        moved, sockets = exported or (None, [])
        message = wire.TAKEN_OVER if moved is None else wire.encode_moved(moved)
        try:
            socket.send_fds(self._connection, [message], sockets)
        except OSError as error:
            self._is_full = error.errno in _FULL
            return self._is_full
        self._is_full = False
        self._has_all |= moved is None
        fanout.remove(sockets, MOVED)
        return True

    def close(self) -> None:
        self._connection.close()


class Predecessors:
    """In the worker that comes: those whose place it takes. Asked when it is made; one that is gone is left out."""

    def __init__(self, paths: Iterable[Path], epoll: select.epoll) -> None:
        self._epoll = epoll
        self._connections: dict[int, socket.socket] = {}
        self._passing: set[int] = set()
        for path in paths:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                connection.connect(str(path))
                connection.send(wire.TAKE_OVER)
            except OSError:
                connection.close()
                continue
            connection.setblocking(False)
            epoll.register(connection, select.EPOLLIN)
            self._connections[connection.fileno()] = connection
            self._passing.add(connection.fileno())

    def __contains__(self, descriptor: int) -> bool:
        return descriptor in self._connections

    @property
    def are_passing(self) -> bool:
        """Whether one of them has not passed everybody on yet."""
        return bool(self._passing)

    def receive(self, descriptor: int) -> tuple[wire.Moved, list[int]] | None:
        """One message: listeners with their sockets, if it holds any."""
        try:
            message, files, flags, _ = socket.recv_fds(
                self._connections[descriptor],
                wire.MESSAGE_BYTES_MAX * 2,
                wire.ARRIVALS_MAX,
                socket.MSG_CMSG_CLOEXEC,
            )
        except BlockingIOError:
            return None
        except OSError:
            message, files, flags = b"", [], 0
        if message == wire.TAKEN_OVER:
            self._passing.discard(descriptor)
            return None
        if not message:
            self._drop(descriptor)
        # Without sockets: the report that everybody gets who connects.
        return _decoded(message, files, flags) if files else None

    def close(self) -> None:
        for descriptor in list(self._connections):
            self._drop(descriptor)

    def _drop(self, descriptor: int) -> None:
        self._passing.discard(descriptor)
        self._epoll.unregister(descriptor)
        self._connections.pop(descriptor).close()


def _decoded(message: bytes, files: list[int], flags: int) -> tuple[wire.Moved, list[int]] | None:
    try:
        moved = wire.decode_moved(message)
    except msgspec.DecodeError:
        moved = None
    is_cut = bool(flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC))  # no room for so many sockets, for one
    if moved is None or is_cut or len(moved.listeners) != len(files):
        logger.error("%d sockets came without what belongs to them: all closed", len(files))
        for descriptor in files:
            os.close(descriptor)
        return None
    return moved, files
