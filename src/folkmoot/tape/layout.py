"""Where a tape's files are, and its header.

tapes/<space>/tape.json                  when timeline 0 was, and what a decoder has to know
tapes/<space>/opus.mp4    aac.mp4        init segment, then chunks of 100 ms: fragmented MP4 as it stands
tapes/<space>/opus.index  aac.index      a record for each chunk (index.py)
tapes/<space>/redactions                 what was taken out, and why (redactions.py)
tapes/<space>/opus.leaves  aac.leaves    what of each chunk is signed (leaf.py, leaves.py)
tapes/<space>/opus.checkpoints  aac.checkpoints  the signatures (signing.py)
tapes/<space>/verifier-key               what opens the checkpoints
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec

from folkmoot.tape.model import Codec, TapeDamaged, TapeFull, TapeHeader, TapeWriteError

VERSION = 1
FILE_MODE = 0o600  # a closed Space's sound is nobody else's

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def header_path(directory: Path) -> Path:
    return directory / "tape.json"


def sound_path(directory: Path, codec: Codec) -> Path:
    return directory / f"{codec}.mp4"


def index_path(directory: Path, codec: Codec) -> Path:
    return directory / f"{codec}.index"


def redactions_path(directory: Path) -> Path:
    return directory / "redactions"


def leaves_path(directory: Path, codec: Codec) -> Path:
    return directory / f"{codec}.leaves"


def checkpoints_path(directory: Path, codec: Codec) -> Path:
    return directory / f"{codec}.checkpoints"


def verifier_key_path(directory: Path) -> Path:
    return directory / "verifier-key"


def read_header(directory: Path) -> TapeHeader | None:
    """The header, or None where no tape was begun. Raises TapeDamaged."""
    try:
        data = header_path(directory).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        header = msgspec.json.decode(data, type=TapeHeader)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TapeDamaged(f"tape.json can't be read: {error}") from error
    if header.version != VERSION:
        raise TapeDamaged(f"tape.json is of version {header.version}; this program reads {VERSION}")
    return header


def write_header(directory: Path, header: TapeHeader) -> None:
    """Writes it whole or not at all. Raises TapeWriteError."""
    path = header_path(directory)
    beside = path.with_suffix(".new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
        try:
            write_all(descriptor, msgspec.json.encode(header), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        beside.replace(path)
    except OSError as error:
        raise write_error(error) from error


def write_all(descriptor: int, data: bytes, offset: int) -> None:
    """A short write means that there is hardly any room: the rest then says so by failing."""
    written = os.pwrite(descriptor, data, offset)
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], offset + written)


def write_error(error: OSError) -> TapeWriteError:
    """The error to raise for one of the system's."""
    if error.errno in _NO_ROOM:
        return TapeFull(f"there is no room for the recording: {error.strerror}")
    return TapeWriteError(f"the recording could not be written: {error.strerror}")
