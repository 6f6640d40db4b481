"""Signing a tape while it is written: every few seconds its new parts become leaves, and the tree's root is signed.

tapes/<space>/opus.checkpoints  aac.checkpoints    signed notes, one after the other (checkpoint.py)
tapes/<space>/verifier-key                         what opens them; whoever doubts it compares it with the server's

A checkpoint's extension lines say when timeline 0 was, the hash of the init segment, what decisions took out
(taken_out.py), and at last `ended`.
What is signed never changes: each call first sees that the kept leaves still have the root that was signed last.
The stage takes no part in this, and does not wait for it.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from folkmoot.tape import boxes, layout
from folkmoot.tape.checkpoint import (
    NOTE_BYTES_MAX,
    Checkpoint,
    NoteInvalid,
    Signer,
    parse_checkpoint,
    split_notes,
)
from folkmoot.tape.leaf import leaf_data
from folkmoot.tape.leaves import Leaves
from folkmoot.tape.model import Codec, CodecConfig, PartRef, TapeDamaged, TapeMissing
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.taken_out import signed_line, taken_out

ENDED = "ended"
_PARTS_PER_READ = 600


def origin_of(space: str, codec: Codec) -> str:
    """Which log a checkpoint is of. `space` is the page of the Space without its scheme."""
    return f"{space}/{codec}"


def extensions(timeline_unix_ms: int, config: CodecConfig) -> tuple[str, ...]:
    """What every checkpoint of a rendition says beside the tree."""
    return f"started {timeline_unix_ms}", init_line(boxes.init_segment(config))


def init_line(init: bytes) -> str:
    """How a checkpoint names an init segment."""
    return f"init {base64.b64encode(hashlib.sha256(init).digest()).decode('ascii')}"


def sign_tape(directory: Path, space: str, signer: Signer) -> int:
    """Sign what is new of every codec; how many checkpoints that made. Again, and after a restart, too.

    `space` as in origin_of(). Raises TapeMissing; TapeDamaged where the tape can't be read or its folder holds
    something else than this key signed before; TapeFull, TapeWriteError.
    """
    with TapeReader(directory) as reader:
        _keep_verifier_key(directory, signer)
        return sum(_sign_codec(reader, directory, codec, space, signer) for codec in reader.codecs)


def _sign_codec(reader: TapeReader, directory: Path, codec: Codec, space: str, signer: Signer) -> int:
    with (
        _Checkpoints.open(directory, codec) as checkpoints,
        Leaves(directory, codec, writable=True) as leaves,
    ):
        last = checkpoints.last(signer)
        signed = last.size if last else 0
        has_ended = last is not None and ENDED in last.extensions
        size = signed if has_ended else max(signed, reader.count(codec))
        said = _said(reader, directory, codec)
        if size == signed and (said == last.extensions if last else not reader.ended):
            return 0
        leaves.cut(min(signed, leaves.count))  # what was not signed yet may have been torn off the tape since
        _extend(leaves, reader, directory, codec, signed)
        if last is not None and leaves.frontier(signed).root() != last.root:
            raise TapeDamaged(f"the {codec} leaves are not those that were signed")
        _extend(leaves, reader, directory, codec, size)
        leaves.sync()
        origin = last.origin if last else origin_of(space, codec)
        checkpoints.append(signer.sign(Checkpoint(origin, size, leaves.frontier(size).root(), said).text()))
        return 1


def _said(reader: TapeReader, directory: Path, codec: Codec) -> tuple[str, ...]:
    said = extensions(reader.timeline_unix_ms, reader.config(codec)) + signed_line(taken_out(directory, codec))
    return (*said, ENDED) if reader.ended else said


def _extend(leaves: Leaves, reader: TapeReader, directory: Path, codec: Codec, size: int) -> None:
    while leaves.count < size:
        past_last = min(leaves.count + _PARTS_PER_READ, size)
        found = _leaves_of(reader, directory, codec, leaves.count, past_last)
        if not found:
            raise TapeDamaged(f"parts of the {codec} sound that were signed are gone")
        leaves.append(found)


def _leaves_of(reader: TapeReader, directory: Path, codec: Codec, first: int, past_last: int) -> bytes:
    """The leaves of parts as they were said: of one that was taken out since, the one that the journal keeps."""
    refs = reader.numbered(codec, first, past_last)
    data, at, found = reader.read(refs), 0, []
    for ref in refs:
        found.append(_leaf(ref, data[at : at + ref.length]))
        at += ref.length
    # Read after the sound: the journal is written before any byte is.
    journal = taken_out(directory, codec)
    said = []
    for ref, leaf in zip(refs, found, strict=True):
        part = journal.get(ref.number)
        said.append(part.original if part and part.original else leaf)
        if not said[-1]:
            raise TapeDamaged(f"part {ref.number} of the {codec} sound is not what was written")
    return b"".join(said)


def _leaf(ref: PartRef, chunk: bytes) -> bytes:
    with contextlib.suppress(TapeDamaged):
        return leaf_data(ref, chunk).encode()
    return b""


class _Checkpoints:
    """The file of one codec, locked: nobody else signs meanwhile."""

    def __init__(self, file: int) -> None:
        self._file = file

    @classmethod
    @contextlib.contextmanager
    def open(cls, directory: Path, codec: Codec) -> Iterator[_Checkpoints]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            file = os.open(layout.checkpoints_path(directory, codec), flags, layout.FILE_MODE)
        except FileNotFoundError as error:
            raise TapeMissing("the recording was deleted") from error
        except OSError as error:
            raise layout.write_error(error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield cls(file)
        finally:
            os.close(file)

    def last(self, signer: Signer) -> Checkpoint | None:
        """The newest whole one; what is torn behind it is cut off. Raises TapeDamaged if it isn't this key's."""
        size_bytes = os.fstat(self._file).st_size
        start = max(0, size_bytes - 2 * NOTE_BYTES_MAX)
        notes, whole_bytes = split_notes(os.pread(self._file, size_bytes - start, start))
        os.ftruncate(self._file, start + whole_bytes)
        if not notes:
            return None
        try:
            return parse_checkpoint(signer.verifier.open(notes[-1]))
        except NoteInvalid as error:
            raise TapeDamaged(f"the last checkpoint was not signed by this server's key: {error}") from error

    def append(self, note: str) -> None:
        size_bytes = os.fstat(self._file).st_size
        try:
            layout.write_all(self._file, note.encode(), size_bytes)
            os.fdatasync(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, size_bytes)
            raise layout.write_error(error) from error


def _keep_verifier_key(directory: Path, signer: Signer) -> None:
    path = layout.verifier_key_path(directory)
    try:
        if not path.exists():
            beside = path.with_suffix(".new")
            beside.write_text(f"{signer.verifier}\n")
            beside.replace(path)
    except OSError as error:
        raise layout.write_error(error) from error
