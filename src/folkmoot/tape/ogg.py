"""Opus in Ogg (RFC 3533, RFC 7845), for players and internet radios. Pure: coded frames in, pages out.

A page holds one part of the tape. Its granule position and number follow from where the part lies on the tape, so
everybody gets the same bytes, whenever they come. Who comes late sees that pages are missing behind the head, and
that is what a live stream looks like (RFC 7845, 4.2, "live capture").
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from folkmoot.tape.model import SAMPLE_RATE, CodecConfig

HEAD_PAGES = 2

_SERIAL = 0x464D6F74  # one logical stream in each physical one: any number will do
_BEGINS_STREAM = 2
_VENDOR = b"Folkmoot"
_HEADER = struct.Struct("<4sBBqIIIB")
_CRC_AT = 22


def head(config: CodecConfig) -> bytes:
    """The identification and comment headers, a page for each. Nothing about anybody is in the comments."""
    identification = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, config.preskip_samples, SAMPLE_RATE, 0, 0)
    comments = b"OpusTags" + struct.pack("<I", len(_VENDOR)) + _VENDOR + bytes(4)
    return _page(_BEGINS_STREAM, 0, 0, [identification]) + _page(0, 0, 1, [comments])


def page(number: int, end_samples: int, frames: Sequence[bytes]) -> bytes:
    """Part `number` of the tape, whose last frame ends at `end_samples`: decoded sound, the pre-skip included."""
    return _page(0, end_samples, HEAD_PAGES + number, frames)


def _page(kind: int, granule: int, sequence: int, packets: Sequence[bytes]) -> bytes:
    lacing = bytes(value for packet in packets for value in _lacing(len(packet)))
    assert len(lacing) <= 255
    header = _HEADER.pack(b"OggS", 0, kind, granule, _SERIAL, sequence & 0xFFFFFFFF, 0, len(lacing))
    whole = bytearray(b"".join((header, lacing, *packets)))
    struct.pack_into("<I", whole, _CRC_AT, checksum(whole))
    return bytes(whole)


def _lacing(length: int) -> Iterator[int]:
    """A packet's segments: 255 as often as it fits, then the rest, which may be nothing (RFC 3533, 5)."""
    yield from (255,) * (length // 255)
    yield length % 255


def _table() -> tuple[int, ...]:
    rows = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        rows.append(value)
    return tuple(rows)


_CRC = _table()


def checksum(data: bytes | bytearray) -> int:
    """Ogg's CRC-32: not reflected, begins with 0 (RFC 3533, 6). About 40 µs for a page."""
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return value
