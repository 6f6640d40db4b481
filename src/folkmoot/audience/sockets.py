"""What a worker does to sockets, besides writing."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from pathlib import Path

SEND_BUFFER_BYTES = 16 * 1024
RECEIVE_BUFFER_BYTES = 4 * 1024  # nothing a listener sends is read

_RESETS = struct.pack("ii", 1, 0)  # struct linger: on, for no time
_DELIVERS = struct.pack("ii", 0, 0)


def listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)  # of a worker that died
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.setblocking(False)
    door.bind(str(path))
    path.chmod(0o600)
    door.listen(8)
    return door


def prepare(descriptor: int) -> bool:
    """Makes a socket ready to be written to; closes it and says False when it is broken already.

    When it is closed, it is reset, also by the end of the process; said here, it is one call less for each of a
    crowd that has to go.
    """
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
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
    except OSError:
        sock.close()
        return False
    sock.detach()
    return True


def close_cleanly(descriptor: int) -> None:
    """Sends what is still in the buffer, then FIN. Unread input would make that a reset (RFC 1122, 4.2.2.13)."""
    # Without family and kind Python asks the kernel for them, three times.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=descriptor)
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DELIVERS)
        sock.recv(65_536)
    sock.close()
