"""Listeners who get the same bytes at the same time, and what happens to those who can't keep up. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

import msgspec

from folkmoot.audience import responses

SKIPS_MAX = 8

HUNG_UP = "hung_up"
SLOW = "slow"


class Short(NamedTuple):
    """A socket that didn't take everything. `rest` is what has to follow before anything else can, as it goes
    out; empty when the socket was full and took nothing, None when it is broken."""

    socket: int
    rest: bytes | None


class Emit(Protocol):
    """Writes to sockets, without waiting for any. The seam where io_uring and TLS go in."""

    def write(self, sockets: Sequence[int], data: bytes) -> list[Short]:
        """Writes the same data to each, to each in its own form (TLS seals it). Returns who didn't take it all."""

    def end(self, sockets: Sequence[int], data: bytes, *, by_fin: bool = False) -> list[Short]:
        """Writes the last of a stream, which may be nothing, with what ends the connection in TLS.

        Returns who didn't take it all. `by_fin`: the data doesn't say that it is the last, a FIN does.
        It goes out at once; the sockets are closed later, which takes longer than all the writes.
        """

    def resume(self, socket: int, rest: bytes) -> Short | None:
        """Goes on with the rest of an earlier write, which leaves as it is. None when all of it is gone.

        Nothing taken is a Short with the same rest.
        """


class Feed:
    """The newest parts in one form, numbered from 0 in the order in which they were read."""

    def __init__(self, init: bytes, parts_max: int, idle: bytes = b"") -> None:
        self.init = init
        self.idle = idle  # what says that there is nothing to hear, and plays as nothing
        self.end = 0
        self._parts: deque[bytes] = deque(maxlen=parts_max)
        self._framed: tuple[int, int, bool] | None = None
        self._framed_bytes = b""

    @property
    def start(self) -> int:
        """The number of the oldest part still held."""
        return self.end - len(self._parts)

    def append(self, part: bytes) -> None:
        self._parts.append(part)
        self.end += 1

    def between(self, start: int, end: int) -> bytes:
        """The bytes of parts [start, end), of those still held."""
        first = max(start, self.start) - self.start
        return b"".join(islice(self._parts, first, max(first, end - self.start)))

    def framed(self, start: int, end: int, *, chunked: bool) -> bytes:
        """The same, as it goes out. The last answer is kept: the next group mostly asks for the same."""
        key = (start, end, chunked)
        if self._framed != key:
            data = self.between(start, end)
            self._framed_bytes = responses.chunk(data) if chunked and data else data
            self._framed = key
        return self._framed_bytes


class Behind(msgspec.Struct):
    """A listener whose socket was full. `remainder` is the rest of a chunk of which a piece has gone out."""

    remainder: bytes
    skips: int = 0


class Delivery(msgspec.Struct):
    """What one delivery came to. `closed` holds (socket, reason) of those who are out of the group now; `written`:
    how many took it, or a piece of it."""

    closed: list[tuple[int, str]]
    written: int = 0
    skipped: int = 0


class Group:
    """Sockets with one position in the stream. Those in `behind` are not in `sockets`.

    A full socket skips whole chunks, so that what it gets can always be decoded; a chunk that went out in part
    is completed before anything else. There is no other queue. After SKIPS_MAX chunks in a row it is closed.
    """

    def __init__(self, feed: Feed, *, chunked: bool, is_sealed: bool = False, slot: int, due_ms: int) -> None:
        self.feed = feed
        self.chunked = chunked
        self.is_sealed = is_sealed
        self.slot = slot
        self.due_ms = due_ms
        self.wrote_ms = due_ms
        self.cursor = feed.end
        self.sockets: list[int] = []
        self.behind: dict[int, Behind] = {}

    def __len__(self) -> int:
        return len(self.sockets) + len(self.behind)

    def add(self, socket: int, first: bytes, emit: Emit) -> bool:
        """Takes a listener in and writes what it needs first. False when the socket is broken already."""
        short = emit.write((socket,), first)
        if not short:
            self.sockets.append(socket)
            return True
        rest = short[0].rest
        if not rest:
            return False  # broken, or full before its first byte: nothing that could be gone on with
        self.behind[socket] = Behind(rest)
        return True

    def remove(self, sockets: Iterable[int]) -> None:
        gone = set(sockets)
        self.sockets = [socket for socket in self.sockets if socket not in gone]
        for socket in gone:
            self.behind.pop(socket, None)

    def deliver(self, data: bytes, emit: Emit) -> Delivery:
        """Writes a chunk to everyone; those who keep up come first."""
        delivery = Delivery([], written=len(self.sockets))
        late = list(self.behind.items())
        short = emit.write(self.sockets, data)
        if short:
            for socket, rest in short:
                self._fell_behind(socket, rest, delivery)
            gone = {socket for socket, _ in short}
            self.sockets = [socket for socket in self.sockets if socket not in gone]
        for socket, behind in late:
            self._serve_late(socket, behind, data, emit, delivery)
        return delivery

    def finish(self, data: bytes, emit: Emit) -> list[int]:
        """Writes the last chunk and the body's end to all who have the rest. Returns the others, and who
        didn't take it: their bodies break off."""
        caught_up: list[int] = []
        broken_off: list[int] = []
        for socket, behind in self.behind.items():
            has_rest = not behind.remainder or emit.resume(socket, behind.remainder) is None
            (caught_up if has_rest else broken_off).append(socket)
        last = data + responses.CHUNKED_END if self.chunked else data
        short = emit.end([*self.sockets, *caught_up], last, by_fin=not self.chunked)
        return broken_off + [socket for socket, _ in short]

    def _fell_behind(self, socket: int, rest: bytes | None, delivery: Delivery) -> None:
        if rest:
            self.behind[socket] = Behind(rest)
            return
        delivery.written -= 1
        if rest is None:
            delivery.closed.append((socket, HUNG_UP))
        else:
            self.behind[socket] = Behind(b"", skips=1)
            delivery.skipped += 1

    def _serve_late(self, socket: int, behind: Behind, data: bytes, emit: Emit, delivery: Delivery) -> None:
        short = emit.resume(socket, behind.remainder) if behind.remainder else None
        if short is not None and short.rest is not None:
            behind.remainder = short.rest
            self._skip_late(socket, behind, delivery)
            return
        if short is None:
            behind.remainder = b""
            short = next(iter(emit.write((socket,), data)), None)
        if short is None:
            delivery.written += 1
            del self.behind[socket]
            self.sockets.append(socket)
        elif short.rest is None:
            self._close_late(socket, HUNG_UP, delivery)
        elif short.rest:
            delivery.written += 1
            behind.remainder = short.rest
            behind.skips = 0
        else:
            self._skip_late(socket, behind, delivery)

    def _skip_late(self, socket: int, behind: Behind, delivery: Delivery) -> None:
        behind.skips += 1
        delivery.skipped += 1
        if behind.skips >= SKIPS_MAX:
            self._close_late(socket, SLOW, delivery)

    def _close_late(self, socket: int, reason: str, delivery: Delivery) -> None:
        del self.behind[socket]
        delivery.closed.append((socket, reason))
