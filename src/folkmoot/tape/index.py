"""The index of a tape: a header and fixed-size records, one for each part of one codec. Pure bytes.

A record is committed once it is whole in the file and its checksum holds; the sound it points to is written
before it. So what stands behind the last good record is a torn tail and may be cut. `seek` and `columns` make
twelve hours (432,000 records, 17 MB) cheap to search.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from folkmoot.tape.model import Codec, PartRef, TapeDamaged

HEADER_BYTES = 64
RECORD_BYTES = 40
ENDED_OFFSET = 20
VERSION = 1

_MAGIC = b"FOLKTAPE"
_HEADER = struct.Struct("<8sHH8sB")
_RECORD = struct.Struct("<QQIIIIHBBI")
_CHECKED_BYTES = RECORD_BYTES - 4
_HAS_NOTE = 1
_GAP = 2
_REDACTED = 4

RECORD_TYPE = np.dtype(
    [
        ("start_samples", "<u8"),
        ("offset", "<u8"),
        ("length", "<u4"),
        ("duration_samples", "<u4"),
        ("segment", "<u4"),
        ("checksum", "<u4"),
        ("header_bytes", "<u2"),
        ("flags", "u1"),
        ("peak", "u1"),
        ("record_checksum", "<u4"),
    ]
)
Columns = NDArray[np.void]

assert RECORD_TYPE.itemsize == _RECORD.size == RECORD_BYTES


def header(codec: Codec, *, ended: bool = False) -> bytes:
    """The first bytes of an index."""
    fields = _HEADER.pack(_MAGIC, VERSION, RECORD_BYTES, codec.value.encode("ascii"), ended)
    return fields.ljust(HEADER_BYTES, b"\0")


def parse_header(data: bytes) -> tuple[Codec, bool]:
    """Which codec, and whether the tape has ended. Raises TapeDamaged."""
    for codec in Codec:
        for ended in (False, True):
            if data == header(codec, ended=ended):
                return codec, ended
    raise TapeDamaged("an index does not start with its header")


def record(ref: PartRef) -> bytes:
    """The record of one part."""
    flags = _HAS_NOTE * ref.has_note | _GAP * ref.gap | _REDACTED * ref.redacted
    packed = _RECORD.pack(
        ref.start_samples,
        ref.offset,
        ref.length,
        ref.duration_samples,
        ref.segment,
        ref.checksum,
        ref.header_bytes,
        flags,
        ref.peak,
        0,
    )[:_CHECKED_BYTES]
    return packed + struct.pack("<I", zlib.crc32(packed))


def parse_record(codec: Codec, number: int, data: bytes, at: int = 0) -> PartRef:
    """The part in the record at `data[at:]`. Raises TapeDamaged where it is cut off or its checksum fails."""
    if len(data) < at + RECORD_BYTES:
        raise TapeDamaged(f"record {number} of the {codec} index is cut off")
    start, offset, length, duration, segment, checksum, header_bytes, flags, peak, own = _RECORD.unpack_from(
        data, at
    )
    if own != zlib.crc32(data[at : at + _CHECKED_BYTES]):
        raise TapeDamaged(f"record {number} of the {codec} index is not what was written")
    return PartRef(
        codec=codec,
        number=number,
        start_samples=start,
        duration_samples=duration,
        offset=offset,
        length=length,
        header_bytes=header_bytes,
        segment=segment,
        checksum=checksum,
        peak=peak,
        has_note=bool(flags & _HAS_NOTE),
        gap=bool(flags & _GAP),
        redacted=bool(flags & _REDACTED),
    )


def parse_records(codec: Codec, first_number: int, data: bytes) -> list[PartRef]:
    """All whole records of a block; a cut-off last one is left out."""
    return [
        parse_record(codec, first_number + position, data, position * RECORD_BYTES)
        for position in range(len(data) // RECORD_BYTES)
    ]


def columns(data: bytes) -> Columns:
    """A block of records as an array with one field for each column of RECORD_TYPE, without copying."""
    return np.frombuffer(data, RECORD_TYPE, count=len(data) // RECORD_BYTES)


def has_note(block: Columns) -> NDArray[np.bool_]:
    """Which records of a block carry a note."""
    flagged: NDArray[np.bool_] = (block["flags"] & _HAS_NOTE) != 0
    return flagged


def redacted_counts(block: Columns) -> NDArray[np.int64]:
    """How many records up to each of a block, itself included, are of parts that were taken out."""
    return np.cumsum((block["flags"] & _REDACTED) != 0, dtype=np.int64)


def record_count(file_bytes: int) -> int:
    """How many whole records an index of this size holds."""
    return max(0, (file_bytes - HEADER_BYTES) // RECORD_BYTES)


def record_offset(number: int) -> int:
    """Where a record starts in the file."""
    return HEADER_BYTES + number * RECORD_BYTES
