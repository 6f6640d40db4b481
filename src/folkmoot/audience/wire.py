"""What web and audience workers say to each other over their SEQPACKET socket, as MessagePack.

Web to worker: `list[Arrival]`, with one file descriptor (SCM_RIGHTS) for each, in the same order.
Worker to web: `Report`, whose numbers are totals since the worker started unless said otherwise.

A worker that takes another's place connects to it in the same way and says TAKE_OVER. The other answers with
`Moved`, one message after another with their descriptors, then with TAKEN_OVER, and after that, whenever it gets
another listener, with that one.
"""

from __future__ import annotations

import msgspec

from folkmoot.audience.records import Sealing

VERSION = 1
"""Of what one worker passes to another; raised with every change of `Moved` or of what it holds."""
TAKE_OVER_PREFIX = b"folkmoot take over "
TAKE_OVER = TAKE_OVER_PREFIX + b"%d" % VERSION
TAKEN_OVER = b"that was everybody"

Stamp = tuple[str, int]
"""(subject, counter): a right of the listener, and the revocation counter it was given under."""

ARRIVALS_MAX = 200  # the kernel takes 253 descriptors in one message
MESSAGE_BYTES_MAX = 100_000  # half of Linux' usual net.core.wmem_default, beyond which a message is refused

TICKS_MS = (1, 2, 5, 10, 20, 50, 100, 250, 1000)
"""How long it took to write to one group: meanwhile nobody else is written to, and nobody is let in."""


class Arrival(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A listener whose socket comes with it. `form` is what it gets (live.CODECS).

    `pending` is what must be written before the sound: the head. `sealing` is there when all of it goes over TLS.
    """

    space_id: int
    form: str
    chunked: bool
    stamps: tuple[Stamp, ...]
    pending: bytes
    sealing: Sealing | None = None


class Place(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a group stands: the number on the tape of the part that comes next, its slot, and when it is due."""

    next_part: int
    slot: int
    due_ms: int


class MovedListener(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A listener of another worker, whose socket comes with it.

    `rest` is what has to be written before anything else, as it goes out, of one that is behind by `skips` chunks;
    None for who keeps up. `sealing`: as in `Arrival`, with the number that the next record has.
    """

    stamps: tuple[Stamp, ...]
    rest: bytes | None
    skips: int
    sealing: Sealing | None


class Moved(msgspec.Struct, frozen=True, array_like=True):
    """Listeners of another worker who stand at one place.

    `place` is None for who hasn't been written to: their `rest` is an arrival's `pending`.
    """

    space_id: int
    form: str
    chunked: bool
    listeners: list[MovedListener]
    place: Place | None = None


class Report(msgspec.Struct, frozen=True, array_like=True):
    """`listeners` holds the Spaces whose number of connected sockets changed, and that number (0: none left).

    `is_taking_over`: listeners of the worker before are still on their way here. `ticks`: how often writing to a
    group took at most so long as TICKS_MS says; the last number is of those that took longer.
    """

    received: int
    connected: int
    listeners_max: int
    listeners: dict[int, int]
    metrics: dict[str, int]
    lateness: tuple[int, ...]
    is_taking_over: bool = False
    delays: tuple[int, ...] = ()
    ticks: tuple[int, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_arrivals = msgspec.msgpack.Decoder(list[Arrival])
_moved = msgspec.msgpack.Decoder(Moved)
_report = msgspec.msgpack.Decoder(Report)


def encode_arrivals(arrivals: list[Arrival]) -> bytes:
    return _encoder.encode(arrivals)


def decode_arrivals(message: bytes) -> list[Arrival]:
    """Raises msgspec.DecodeError for what is no list of arrivals."""
    return _arrivals.decode(message)


def encode_moved(moved: Moved) -> bytes:
    return _encoder.encode(moved)


def decode_moved(message: bytes) -> Moved:
    """Raises msgspec.DecodeError for what is none."""
    return _moved.decode(message)


def encode_report(report: Report) -> bytes:
    return _encoder.encode(report)


def decode_report(message: bytes) -> Report:
    """Raises msgspec.DecodeError for what is no report."""
    return _report.decode(message)
