"""io_uring (Linux 5.6 and later): one system call writes to hundreds of sockets.

By ctypes and mmap, after io_uring_setup(2) and io_uring_enter(2): the kernel shares a ring of submissions (SQEs)
and one of completions (CQEs) with us. Every send says MSG_DONTWAIT, so that it is over when the system call is:
nothing is ever in flight between two calls, and one thread needs no barriers.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import mmap
import os
import socket
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from folkmoot.audience import emit
from folkmoot.audience.groups import Short

ENTRIES = 512  # of a group; 64 bytes each
FEW_SOCKETS = 4  # up to here plain writes are as cheap
_SETUP, _ENTER = 425, 426  # system calls, the same on every architecture but alpha
_SETUP_SUBMIT_ALL = 1 << 7  # a send that can't be begun doesn't hold up those behind it (5.18)
_ENTER_GETEVENTS = 1
_FEATURE_SINGLE_MMAP, _FEATURE_NODROP = 1 << 0, 1 << 1  # both rings in one map (5.4); completions never lost (5.5)
_OFFSET_SQES = 0x10000000
_OP_SEND = 26
_MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000
_PARAMETERS = struct.Struct("<5I5I8IQ8IQ")  # struct io_uring_params: with the offsets in both rings

_SQE = np.dtype(
    [
        ("opcode", "u1"),
        ("flags", "u1"),
        ("ioprio", "<u2"),
        ("fd", "<i4"),
        ("offset", "<u8"),
        ("address", "<u8"),
        ("length", "<u4"),
        ("message_flags", "<u4"),
        ("user_data", "<u8"),
        ("padding", "V24"),
    ]
)
_CQE = np.dtype([("user_data", "<u8"), ("result", "<i4"), ("flags", "<u4")])

logger = logging.getLogger(__name__)


class Ring:
    """A pair of rings for sends. Belongs to one thread at a time, and doesn't outlive a fork."""

    def __init__(self, entries: int = ENTRIES) -> None:
        """Raises OSError where the kernel doesn't have io_uring, or somebody forbids it."""
        self._syscall = ctypes.CDLL(None, use_errno=True).syscall
        self._syscall.restype = ctypes.c_long
        self._descriptor, parameters = self._set_up(entries)
        self.entries, completions = parameters[0], parameters[1]
        submission, completion = parameters[10:18], parameters[19:27]
        shared = mmap.MAP_SHARED | mmap.MAP_POPULATE
        ring_bytes = max(submission[6] + 4 * self.entries, completion[5] + completions * _CQE.itemsize)
        try:
            self._rings = mmap.mmap(self._descriptor, ring_bytes, shared)
            self._sqe_map = mmap.mmap(self._descriptor, self.entries * _SQE.itemsize, shared, offset=_OFFSET_SQES)
        except OSError:
            os.close(self._descriptor)
            raise
        words = np.frombuffer(self._rings, "<u4", count=len(self._rings) // 4)
        self._sq_tail = words[submission[1] // 4 :][:1]
        self._cq_head, self._cq_tail = words[completion[0] // 4 :][:1], words[completion[1] // 4 :][:1]
        self._places = words[submission[6] // 4 :][: self.entries]
        self._cqes = np.frombuffer(self._rings, _CQE, count=completions, offset=completion[5])
        self._sqes = np.frombuffer(self._sqe_map, _SQE)
        self._sqes["opcode"] = _OP_SEND
        self._sqes["message_flags"] = _MSG_DONTWAIT_NOSIGNAL
        self._sqes["user_data"] = self._numbers = np.arange(self.entries)

    def send(self, sockets: Sequence[int], data: bytes) -> NDArray[np.int32]:
        """Sends to at most `entries` sockets; what send(2) would have returned for each, or -errno."""
        count = len(sockets)
        self.submit(sockets, data)
        results = np.zeros(count, np.int32)
        for completed in self.completed(count):
            results[completed["user_data"]] = completed["result"]
        return results

    def submit(self, sockets: Sequence[int], data: bytes) -> None:
        """Has the kernel begin sends; as none waits, they are over then. `data` is needed until `completed`."""
        count = len(sockets)
        sqes = self._sqes[:count]
        sqes["fd"] = sockets
        sqes["address"] = np.frombuffer(data, np.uint8).ctypes.data
        sqes["length"] = len(data)
        tail = int(self._sq_tail[0])
        self._places[(tail + self._numbers[:count]) % self.entries] = self._numbers[:count]
        self._sq_tail[0] = (tail + count) & 0xFFFFFFFF
        while count:
            count -= self._enter(count, 0)

    def completed(self, count: int) -> list[NDArray[np.void]]:
        """The next `count` completions, as many arrays. What didn't fit into the ring the kernel kept (NODROP)."""
        found = []
        while count:
            head, tail = int(self._cq_head[0]), int(self._cq_tail[0])
            there = (tail - head) & 0xFFFFFFFF
            if not there:
                self._enter(0, 1)
                continue
            found.append(self._cqes[np.arange(head, head + there) % len(self._cqes)])
            self._cq_head[0] = tail
            count -= there
        return found

    def close(self) -> None:
        """Gives everything back to the kernel. The ring is of no use afterwards."""
        del self._sq_tail, self._cq_head, self._cq_tail, self._places, self._cqes, self._sqes
        self._rings.close()
        self._sqe_map.close()
        os.close(self._descriptor)

    def _set_up(self, entries: int) -> tuple[int, tuple[int, ...]]:
        for flags in (_SETUP_SUBMIT_ALL, 0):
            raw = ctypes.create_string_buffer(_PARAMETERS.size)
            struct.pack_into("<I", raw, 8, flags)
            descriptor = self._syscall(_SETUP, entries, raw)
            if descriptor >= 0:
                parameters = _PARAMETERS.unpack(raw)
                if parameters[5] & _FEATURE_SINGLE_MMAP and parameters[5] & _FEATURE_NODROP:
                    return descriptor, parameters
                os.close(descriptor)
                raise OSError(errno.ENOSYS, "io_uring of an old kernel")
            if ctypes.get_errno() != errno.EINVAL:
                break
        raise OSError(ctypes.get_errno(), "io_uring_setup")

    def _enter(self, submitted: int, wanted: int) -> int:
        while True:
            flags = _ENTER_GETEVENTS if wanted else 0
            taken: int = self._syscall(_ENTER, self._descriptor, submitted, wanted, flags, None, 0)
            if taken >= 0:
                return taken
            if ctypes.get_errno() not in (errno.EINTR, errno.EAGAIN):
                raise OSError(ctypes.get_errno(), "io_uring_enter")


class UringEmit:
    """`groups.Emit` through a Ring.

    Not for TLS: to tell the kernel where each socket's own bytes lie costs as much as the system call did.
    """

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._plain = emit.WriteEmit()

    def write(self, sockets: Sequence[int], data: bytes) -> list[Short]:
        if len(sockets) <= FEW_SOCKETS:
            return self._plain.write(sockets, data)
        entries, length = self._ring.entries, len(data)
        short: list[Short] = []
        for start in range(0, len(sockets), entries):
            batch = sockets[start : start + entries]
            results = self._ring.send(batch, data)
            for place in np.flatnonzero(results != length).tolist():
                taken = _taken(int(results[place]))
                short.append(Short(batch[place], None if taken is None else data[taken:] if taken else b""))
        return short

    def end(self, sockets: Sequence[int], data: bytes, *, by_fin: bool = False) -> list[Short]:
        short = self.write(sockets, data) if data else []
        if by_fin:
            emit.send_fin(sockets, short)
        return short

    def resume(self, socket: int, rest: bytes) -> Short | None:
        return self._plain.resume(socket, rest)

    def close(self) -> None:
        """Lets go of the ring."""
        self._ring.close()


def _taken(result: int) -> int | None:
    """How much a socket took, None if it is broken."""
    if result >= 0:
        return result
    return 0 if result == -errno.EAGAIN else None


def probe(entries: int = ENTRIES) -> UringEmit | None:
    """An emit through io_uring where that works here: the kernel has it, and no sandbox or limit forbids it."""
    try:
        ring = Ring(entries)
    except OSError as error:
        logger.info("no io_uring: %s", error)
        return None
    works = False
    with contextlib.suppress(OSError):
        works = _carries(ring)
    if not works:
        logger.info("io_uring is there, but doesn't send")
        ring.close()
        return None
    return UringEmit(ring)


def _carries(ring: Ring) -> bool:
    """Whether what is sent arrives, and what can't be sent is said."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        word = b"probe"
        results = ring.send([ours.fileno(), -1], word).tolist()
        return bool(results == [len(word), -errno.EBADF]) and theirs.recv(16, socket.MSG_DONTWAIT) == word
