"""AAC in ADTS (ISO/IEC 14496-3, 1.A.2.2), for players and internet radios. Pure: coded frames in, bytes out."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.tape.model import CodecConfig

_HEADER_BYTES = 7
_FULLNESS_UNKNOWN = 0x7FF


def framed(config: CodecConfig, frames: Sequence[bytes]) -> bytes:
    """Each frame behind a header that says how it is coded: a player may begin at any of them."""
    return b"".join(piece for frame in frames for piece in (_header(config, len(frame)), frame))


def _header(config: CodecConfig, frame_bytes: int) -> bytes:
    first, second = config.audio_specific_config[:2]
    object_type, rate, channels = first >> 3, (first & 7) << 1 | second >> 7, second >> 3 & 15
    assert _HEADER_BYTES + frame_bytes < 1 << 13
    bits = 0xFFF << 44  # syncword
    bits |= 1 << 40  # MPEG-4, no CRC
    bits |= (object_type - 1) << 38 | rate << 34 | channels << 30
    bits |= (_HEADER_BYTES + frame_bytes) << 13
    bits |= _FULLNESS_UNKNOWN << 2
    return bits.to_bytes(_HEADER_BYTES, "big")
