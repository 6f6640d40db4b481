"""Making a tape's folder anew from its objects, after it was lost: see archive.py for what they hold."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from folkmoot.tape import away, boxes, index, layout
from folkmoot.tape.archive import Store
from folkmoot.tape.model import Codec, TapeMissing


async def restore(directory: Path, store: Store) -> dict[Codec, int]:
    """Make a tape's folder anew from the store: how many segments there were of each codec, up to the first that
    is missing. The tape counts as ended. Raises FileExistsError, TapeMissing, and what the store raises."""
    keys = set(await store.keys(f"tapes/{directory.name}"))
    if _header_key(directory) not in keys:
        raise TapeMissing("there is no copy of this recording in the object store")
    await asyncio.to_thread(directory.mkdir, mode=0o700)
    for key in sorted(keys):
        if key.count("/") == 2:
            (directory / key.rpartition("/")[2]).write_bytes(await store.get(key))
    header = layout.read_header(directory)
    assert header is not None
    found = {}
    for config in header.codecs:
        files = _Restored(directory, config.codec, boxes.init_segment(config))
        while away.key(directory, config.codec, files.count) in keys:
            files.add(await store.get(away.key(directory, config.codec, files.count)))
        found[config.codec] = files.count
        files.close()
    return found


def _header_key(directory: Path) -> str:
    return f"tapes/{directory.name}/{layout.header_path(directory).name}"


class _Restored:
    """The files of one codec, growing by one object after the other."""

    def __init__(self, directory: Path, codec: Codec, init_segment: bytes) -> None:
        self.count = 0
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._codec = codec
        self._sound = os.open(layout.sound_path(directory, codec), flags, layout.FILE_MODE)
        self._index = os.open(layout.index_path(directory, codec), flags, layout.FILE_MODE)
        layout.write_all(self._sound, init_segment, 0)
        layout.write_all(self._index, index.header(codec, ended=True), 0)

    def add(self, content: bytes) -> None:
        sound, records = away.split(content)
        first = index.parse_record(self._codec, 0, records)
        count = index.record_count(os.fstat(self._index).st_size)
        layout.write_all(self._sound, sound, first.offset)
        layout.write_all(self._index, records, index.record_offset(count))
        self.count += 1

    def close(self) -> None:
        for file in (self._sound, self._index):
            os.fsync(file)
            os.close(file)
