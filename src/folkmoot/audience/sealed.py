"""Writing to TLS connections: the same plaintext to each, under each one's own key."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from folkmoot.audience.emit import resume, send_fin
from folkmoot.audience.groups import Short
from folkmoot.audience.records import Plaintext, Sealer, Sealing, Worn

SLOTS = 16  # sealed, then sent while they are in the processor's second cache

SendEach = Callable[[Sequence[int], Sequence[memoryview]], list[tuple[int, int | None]]]
"""Sends each socket its own bytes, without waiting: (place, bytes taken) of those that didn't take it all, None for
a broken socket. The buffers are used again after it has returned."""


def write_each(sockets: Sequence[int], buffers: Sequence[memoryview]) -> list[tuple[int, int | None]]:
    """`SendEach` by one os.write for each."""
    short: list[tuple[int, int | None]] = []
    for place, (descriptor, buffer) in enumerate(zip(sockets, buffers, strict=True)):
        try:
            taken = os.write(descriptor, buffer)
        except BlockingIOError:
            short.append((place, 0))
        except OSError:
            short.append((place, None))
        else:
            if taken != len(buffer):
                short.append((place, taken))
    return short


class SealedEmit:
    """`groups.Emit` over TLS. It has the keys of its sockets from `take` to `forget`.

    What a socket takes in part is sealed already, and goes on as it is: the rest of a `Short` is that.
    """

    def __init__(self, send_each: SendEach = write_each) -> None:
        self._send_each = send_each
        self._sealers: dict[int, Sealer] = {}
        self._arena = bytearray()

    def take(self, socket: int, sealing: Sealing) -> None:
        """From now on this socket is written to under this key."""
        self._sealers[socket] = Sealer(sealing)

    def forget(self, socket: int) -> None:
        """Drops a key. Sockets that are not here are ignored."""
        sealer = self._sealers.pop(socket, None)
        if sealer is not None:
            sealer.wipe()

    def sealing(self, socket: int) -> Sealing:
        """To pass a socket on: its key, and the number of its next record."""
        return self._sealers[socket].sealing()

    def write(self, sockets: Sequence[int], data: bytes) -> list[Short]:
        return self._write(sockets, Plaintext(data))

    def end(self, sockets: Sequence[int], data: bytes, *, by_fin: bool = False) -> list[Short]:
        short = self._write(sockets, Plaintext(data, closing=True))
        if by_fin:
            send_fin(sockets, short)
        return short

    def resume(self, socket: int, rest: bytes) -> Short | None:
        return resume(socket, rest)

    def _write(self, sockets: Sequence[int], plaintext: Plaintext) -> list[Short]:
        if len(self._arena) < SLOTS * plaintext.sealed_bytes:
            self._arena = bytearray(SLOTS * plaintext.sealed_bytes)
        arena, size = memoryview(self._arena), plaintext.sealed_bytes
        buffers = [arena[place * size : (place + 1) * size] for place in range(min(SLOTS, len(sockets)))]
        bodies = [plaintext.slices(buffer) for buffer in buffers]
        short: list[Short] = []
        for start in range(0, len(sockets), SLOTS):
            self._write_some(sockets[start : start + SLOTS], plaintext, buffers, bodies, short)
        return short

    def _write_some(
        self,
        sockets: Sequence[int],
        plaintext: Plaintext,
        buffers: Sequence[memoryview],
        bodies: Sequence[Sequence[memoryview]],
        short: list[Short],
    ) -> None:
        sealers = self._sealers
        sealed: list[int] = []
        for descriptor in sockets:
            try:
                sealers[descriptor].seal(plaintext, bodies[len(sealed)])
            except Worn:
                short.append(Short(descriptor, None))
            else:
                sealed.append(descriptor)
        for place, taken in self._send_each(sealed, buffers[: len(sealed)]):
            descriptor = sealed[place]
            if taken:
                short.append(Short(descriptor, bytes(buffers[place][taken:])))
                continue
            if taken == 0:
                sealers[descriptor].number -= len(plaintext.records)
            short.append(Short(descriptor, None if taken is None else b""))
