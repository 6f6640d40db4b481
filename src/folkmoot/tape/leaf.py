"""A part as a leaf of its codec's Merkle tree: what it says and when, not where its bytes happen to lie. Pure.

Leaf i is part i. It is 77 bytes, big-endian:

    0   8   start, samples of 48 kHz on the tape's timeline
    8   4   duration, samples
    12  1   1 where the silence of a gap was filled in, else 0
    13  32  SHA-256 of the note's JSON as it stands in the emsg, of no bytes where there is none
    45  32  SHA-256 of the sizes of the coded frames (4 bytes each), then the frames themselves

So the tape, an HLS segment or part and a range of chunks give the same leaf, and the frames of a download or a clip
give its last field. How many frames there are follows from the duration, where a part lies from the leaf's number.
"""

from __future__ import annotations

import contextlib
import hashlib
import struct

import msgspec

from folkmoot.tape import boxes
from folkmoot.tape.model import PartRef, TapeDamaged

LEAF_BYTES = 77
SAID_OFFSET = 13  # what is before is when it was said
_LEAF = struct.Struct(">QIB32s32s")

assert _LEAF.size == LEAF_BYTES


class LeafData(msgspec.Struct, frozen=True):
    """What is signed of a part. In JSON the hashes are base64."""

    start_samples: int
    duration_samples: int
    gap: bool
    note_sha256: bytes
    frames_sha256: bytes

    def encode(self) -> bytes:
        """The 77 bytes whose RFC 6962 leaf hash is in the tree."""
        return _LEAF.pack(self.start_samples, self.duration_samples, self.gap, self.note_sha256, self.frames_sha256)


def leaf_data(ref: PartRef, chunk: bytes) -> LeafData:
    """The leaf of a part from its chunk; `free` boxes behind the frames say nothing.

    Raises TapeDamaged where the chunk is not the one that its record is about, or its boxes are not as this program
    writes them.
    """
    count, rest = divmod(ref.duration_samples, ref.codec.frame_samples)
    head = chunk[: ref.header_bytes]
    if rest or len(chunk) != ref.length or not 8 + 4 * count <= ref.header_bytes == len(head):
        raise TapeDamaged(f"part {ref.number} is not as long as its index says")
    size_bytes = head[ref.header_bytes - 8 - 4 * count : -8]
    sizes = struct.unpack(f">{count}I", size_bytes)
    past_frames = ref.header_bytes + sum(sizes)
    _require_free(chunk, past_frames, ref.number)
    note = boxes.leading_note_text(head)
    event = b"" if note is None else boxes.text_event(note, ref.start_samples, ref.number)
    if head != boxes.chunk_header(ref.number + 1, ref.start_samples, ref.codec.frame_samples, sizes, event):
        raise TapeDamaged(f"part {ref.number} is not the part that its index says")
    return LeafData(
        start_samples=ref.start_samples,
        duration_samples=ref.duration_samples,
        gap=ref.gap,
        note_sha256=hashlib.sha256(note or b"").digest(),
        frames_sha256=frames_sha256(size_bytes, chunk[ref.header_bytes : past_frames]),
    )


def frames_sha256(size_bytes: bytes, frames: bytes) -> bytes:
    """The last field of a leaf: from the frames' sizes, big-endian in 4 bytes each, and the frames."""
    return hashlib.sha256(size_bytes + frames).digest()


def _require_free(chunk: bytes, start: int, number: int) -> None:
    """Nothing but `free` boxes from `start` to the end."""
    if start == len(chunk):
        return
    with contextlib.suppress(boxes.BoxError):
        if start < len(chunk) and {kind for kind, _, _ in boxes.iterate_boxes(chunk, start)} == {b"free"}:
            return
    raise TapeDamaged(f"part {number} has other frames than its boxes say")
