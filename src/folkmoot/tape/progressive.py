"""The head of a progressive .m4a: `ftyp moov` and the start of `mdat` (ISO/IEC 14496-12). Pure."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from folkmoot.tape import boxes
from folkmoot.tape.model import CodecConfig

_FRAMES_PER_CHUNK = 47  # about a second: how finely a player can find its place


def head(
    config: CodecConfig,
    sizes: NDArray[np.uint32],
    *,
    lead_samples: int,
    duration_samples: int,
    comment: str = "",
) -> bytes:
    """Everything before the frames, which follow without anything between them.

    `sizes` are the frames' bytes (big-endian), `lead_samples` are decoded but not played, then
    `duration_samples` are. `comment` is what players show of the file.
    """
    brands = boxes.box(b"ftyp", b"M4A ", bytes(4), b"M4A ", b"mp42", b"isom")
    said = _comment(comment)
    media_start = len(brands) + len(_movie(config, sizes, 0, lead_samples, duration_samples, said)) + 8
    movie = _movie(config, sizes, media_start, lead_samples, duration_samples, said)
    return brands + movie + struct.pack(">I4s", 8 + int(sizes.sum(dtype=np.int64)), b"mdat")


def _comment(text: str) -> bytes:
    """User data (QuickTime File Format): an international text of no certain language."""
    if not text:
        return b""
    data = text.encode()
    undetermined = 0x55C4
    return boxes.box(b"udta", boxes.box(b"\xa9cmt", struct.pack(">HH", len(data), undetermined), data))


def _movie(
    config: CodecConfig,
    sizes: NDArray[np.uint32],
    media_start: int,
    lead_samples: int,
    duration_samples: int,
    comment: bytes,
) -> bytes:
    frame_samples = config.codec.frame_samples
    edit = struct.pack(">IIiI", 1, duration_samples, lead_samples, 0x10000)
    track = boxes.track(
        config,
        _tables(sizes, frame_samples, media_start),
        media_samples=len(sizes) * frame_samples,
        duration_samples=duration_samples,
        edits=boxes.box(b"edts", boxes.full_box(b"elst", 0, 0, edit)),
    )
    return boxes.movie(track, comment, duration_samples=duration_samples)


def _tables(sizes: NDArray[np.uint32], frame_samples: int, media_start: int) -> list[bytes]:
    count = len(sizes)
    starts = media_start + np.append(0, np.cumsum(sizes, dtype=np.int64))[:count:_FRAMES_PER_CHUNK]
    rest = count % _FRAMES_PER_CHUNK
    runs = [(1, _FRAMES_PER_CHUNK, 1)] if count >= _FRAMES_PER_CHUNK else []
    runs += [(len(starts), rest, 1)] if rest else []
    preroll_frames = 1  # a frame sounds right only after the one before it (14496-12, 10.1)
    return [
        boxes.full_box(b"stts", 0, 0, struct.pack(">III", 1, count, frame_samples)),
        boxes.full_box(b"stsc", 0, 0, struct.pack(">I", len(runs)), *(struct.pack(">III", *run) for run in runs)),
        boxes.full_box(b"stsz", 0, 0, struct.pack(">II", 0, count), sizes.astype(">u4").tobytes()),
        boxes.full_box(b"stco", 0, 0, struct.pack(">I", len(starts)), starts.astype(">u4").tobytes()),
        boxes.full_box(b"sgpd", 1, 0, b"roll", struct.pack(">IIh", 2, 1, -preroll_frames)),
        boxes.full_box(b"sbgp", 0, 0, b"roll", struct.pack(">III", 1, count, 1)),
    ]
