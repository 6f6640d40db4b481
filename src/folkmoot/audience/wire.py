"""What web and audience workers say to each other over their SEQPACKET socket, as MessagePack.

Web to worker: `list[Arrival]`, with one file descriptor (SCM_RIGHTS) for each, in the same order.
Worker to web: `Report`, whose numbers are totals since the worker started unless said otherwise.
"""

from __future__ import annotations

import msgspec

from folkmoot.audience.records import Sealing

Stamp = tuple[str, int]
"""(subject, counter): a right of the listener, and the revocation counter it was given under."""

ARRIVALS_MAX = 200  # the kernel takes 253 descriptors in one message
MESSAGE_BYTES_MAX = 100_000  # half of Linux' usual net.core.wmem_default, beyond which a message is refused


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


class Report(msgspec.Struct, frozen=True, array_like=True):
    """`listeners` holds the Spaces whose number of connected sockets changed, and that number (0: none left)."""

    received: int
    connected: int
    listeners_max: int
    listeners: dict[int, int]
    metrics: dict[str, int]
    lateness: tuple[int, ...]


_encoder = msgspec.msgpack.Encoder()
_arrivals = msgspec.msgpack.Decoder(list[Arrival])
_report = msgspec.msgpack.Decoder(Report)


def encode_arrivals(arrivals: list[Arrival]) -> bytes:
    return _encoder.encode(arrivals)


def decode_arrivals(message: bytes) -> list[Arrival]:
    """Raises msgspec.DecodeError for what is no list of arrivals."""
    return _arrivals.decode(message)


def encode_report(report: Report) -> bytes:
    return _encoder.encode(report)


def decode_report(message: bytes) -> Report:
    """Raises msgspec.DecodeError for what is no report."""
    return _report.decode(message)
