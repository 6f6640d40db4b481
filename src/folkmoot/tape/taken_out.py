"""What decisions took out of one rendition, by part, and the line of a checkpoint that signs them.

The journal lies beside the sound, so whoever can silence a part could write a reason for it too: what counts is the
digest that the newest checkpoint holds.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from folkmoot.tape import layout
from folkmoot.tape.model import Codec
from folkmoot.tape.redactions import read_redactions

PREFIX = "taken-out "


class TakenOut(msgspec.Struct, frozen=True):
    """A part that a decision took out: why, the hash of the frames that stand there instead, and the leaf that the
    part was, where that is known here."""

    redaction: str
    reason: str
    at_unix_ms: int
    frames_sha256: bytes
    original: bytes = b""


def taken_out(directory: Path, codec: Codec) -> Mapping[int, TakenOut]:
    """By number, in order, from the journal; cheap to ask for again and again. Raises TapeDamaged."""
    path = layout.redactions_path(directory)
    try:
        found = path.stat()
    except FileNotFoundError:
        return {}
    with _one_parses:
        return _taken_out(directory, codec, found.st_mtime_ns, found.st_size)


_one_parses = threading.Lock()  # and the others wait for that, instead of doing the same


@functools.lru_cache(maxsize=8)  # an hour of one codec is 10 MB
def _taken_out(directory: Path, codec: Codec, _mtime_ns: int, _size_bytes: int) -> Mapping[int, TakenOut]:
    parts = {
        part.number: TakenOut(
            redaction=line.redaction.id,
            reason=line.redaction.reason,
            at_unix_ms=line.redaction.at_unix_ms,
            frames_sha256=part.now_frames_sha256,
            original=part.leaf.encode() if part.leaf else b"",
        )
        for line in read_redactions(directory)
        for part in line.parts
        if part.codec is codec
    }
    return MappingProxyType(dict(sorted(parts.items())))


def signed_line(parts: Mapping[int, TakenOut]) -> tuple[str, ...]:
    """`taken-out`, how many parts, and the SHA-256 (base64) of a line of JSON for each, in order of their numbers:
    number, decision, reason, Unix ms, hash in base64. No line where nothing was taken out."""
    if not parts:
        return ()
    digest = hashlib.sha256()
    for number, part in sorted(parts.items()):
        fields = (number, part.redaction, part.reason, part.at_unix_ms, part.frames_sha256)
        digest.update(msgspec.json.encode(fields) + b"\n")
    return (f"{PREFIX}{len(parts)} {base64.b64encode(digest.digest()).decode('ascii')}",)
