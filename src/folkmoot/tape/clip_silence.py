"""Silencing a range of a clip that has no tape any more to be cut from anew. Pure: an .m4a in, one as long out."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from folkmoot.tape import boxes, progressive
from folkmoot.tape.model import CODEC_CONFIGS, SAMPLES_PER_MS, Codec
from folkmoot.tape.silence import silences

_FRAME = Codec.AAC.frame_samples
_CONFIG = CODEC_CONFIGS[Codec.AAC]


def silenced(clip: bytes, ranges: Sequence[tuple[int, int]]) -> bytes:
    """The clip with silence in each `[from_ms, to_ms)` of what it plays. Raises BoxError for a file that
    progressive.head() did not begin."""
    sizes, lead_samples, duration_samples, head_bytes = _parsed(clip)
    starts = head_bytes + np.append(0, np.cumsum(sizes, dtype=np.int64))
    frames = [clip[start:end] for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)]
    for from_ms, to_ms in ranges:
        # A frame overlaps the next one, so the frame before the range holds the beginning of it.
        first = max(0, (from_ms * SAMPLES_PER_MS + lead_samples) // _FRAME - 1)
        past_last = min(len(frames), -(-(to_ms * SAMPLES_PER_MS + lead_samples) // _FRAME))
        if first < past_last:
            total_bytes = sum(len(frame) for frame in frames[first:past_last])
            frames[first:past_last] = silences(Codec.AAC, past_last - first, total_bytes)
    new_sizes = np.array([len(frame) for frame in frames], ">u4")
    head = progressive.head(_CONFIG, new_sizes, lead_samples=lead_samples, duration_samples=duration_samples)
    return head + b"".join(frames)


def _parsed(clip: bytes) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint32]], int, int, int]:
    """Frame sizes, samples before the start, samples played, and the bytes before the first frame."""
    edit, table = _find(clip, b"elst"), _find(clip, b"stsz")
    _, duration_samples, lead_samples = struct.unpack_from(">IIi", clip, edit + 4)
    (count,) = struct.unpack_from(">I", clip, table + 8)
    if table + 12 + 4 * count > len(clip):
        raise boxes.BoxError("a clip is cut off")
    sizes = np.frombuffer(clip, ">u4", count, table + 12)
    head = progressive.head(_CONFIG, sizes, lead_samples=lead_samples, duration_samples=duration_samples)
    if not clip.startswith(head) or len(clip) != len(head) + int(sizes.sum(dtype=np.int64)):
        raise boxes.BoxError("a clip that this program did not cut")
    return sizes, lead_samples, duration_samples, len(head)


def _find(clip: bytes, kind: bytes) -> int:
    """Where the payload of the first box of a kind starts."""
    at = clip.find(kind)
    if not 0 <= at <= len(clip) - 24:
        raise boxes.BoxError("not a clip")
    return at + 4
