"""Coded silence of a given size, so that it can stand where sound stood and nothing behind it moves. Pure."""

from __future__ import annotations

from folkmoot.tape.model import Codec

# CELT, full band, 20 ms, mono, with the silence flag set: it also resets what a decoder remembers (RFC 6716, 4.3).
_OPUS_TOC = 31 << 3
_OPUS_SILENCE = b"\xff\xfe"
_OPUS_CODE_3 = 3  # as many frames as the second byte says, and room for padding (RFC 6716, 3.2.5)
_OPUS_PADDED = 0x40

# A single channel element with no scale factor band: one long window of zeros (ISO/IEC 14496-3, 4.4.2.1).
_AAC_ELEMENT, _AAC_ELEMENT_BITS = 0x01182007 >> 3, 29
_AAC_END, _AAC_FILL = 7, 6
_AAC_BYTES_MIN = 4
_FILL_MAX = 269  # bytes in one fill element: 4 bits of count, and 8 more where those are all ones


def silences(codec: Codec, count: int, total_bytes: int) -> tuple[bytes, ...]:
    """`count` frames of silence of `total_bytes` together, as equal as can be: single sizes tell of what was said.

    Every frame has a byte at least.
    """
    size, rest = divmod(total_bytes, count)
    return tuple(silent_frame_of(codec, size + (number < rest)) for number in range(count))


def silent_frame_of(codec: Codec, size_bytes: int) -> bytes:
    """One frame of silence of so many bytes, at least 1. Real ones of AAC have 4, of Opus 3 (less says "lost")."""
    assert size_bytes >= 1
    return _opus(size_bytes) if codec is Codec.OPUS else _aac(size_bytes)


def _opus(size_bytes: int) -> bytes:
    if size_bytes == 1:
        return bytes([_OPUS_TOC])
    if size_bytes == 2:
        return bytes([_OPUS_TOC | _OPUS_CODE_3, 1])
    if size_bytes == 3:
        return bytes([_OPUS_TOC]) + _OPUS_SILENCE
    if size_bytes == 4:
        return bytes([_OPUS_TOC | _OPUS_CODE_3, 1]) + _OPUS_SILENCE
    # 255 says: 254 bytes of padding, and another length follows.
    more, last = divmod(size_bytes - 5, 255)
    lengths = b"\xff" * more + bytes([last])
    return bytes([_OPUS_TOC | _OPUS_CODE_3, _OPUS_PADDED | 1]) + lengths + _OPUS_SILENCE + bytes(254 * more + last)


def _aac(size_bytes: int) -> bytes:
    if size_bytes < _AAC_BYTES_MIN:
        return bytes([_AAC_END << 5]).ljust(size_bytes, b"\0")
    value, bits = _AAC_ELEMENT, _AAC_ELEMENT_BITS
    room = 8 * (size_bytes - _AAC_BYTES_MIN)
    while room >= 7:
        if room >= 15 + 8 * 15:
            count = min(_FILL_MAX, (room - 15) // 8)
            value, used = (value << 15) | (_AAC_FILL << 12) | (15 << 8) | (count - 14), 15
        else:
            count = min(14, (room - 7) // 8)
            value, used = (value << 7) | (_AAC_FILL << 4) | count, 7
        value <<= 8 * count
        bits += used + 8 * count
        room -= used + 8 * count
    value = (value << 3) | _AAC_END
    return (value << (8 * size_bytes - bits - 3)).to_bytes(size_bytes, "big")
