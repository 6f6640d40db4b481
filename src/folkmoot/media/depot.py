"""Uploads come in, and what was made of them goes into the object store. Knows nothing of whose they are."""

import asyncio
import re
import shutil
import stat
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from folkmoot.media.child import UNREADABLE
from folkmoot.media.model import Piece, Processed, Purpose, Unusable
from folkmoot.media.processing import FILM_WITHIN_S, PICTURE_WITHIN_S, SOURCE, Watch, Workshop
from folkmoot.storage.objects import ObjectStore


class Upload(Protocol):
    """A file that somebody sent, in memory or on disk."""

    def read(self, size: int = -1, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...


log = structlog.get_logger(__name__)
_NAME = re.compile(r"[a-z]{1,20}\.[a-z0-9]{1,8}", re.ASCII)
_AS_IT_CAME = "application/octet-stream"


class Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    """An object in the store. Sizes in pixels, 0 for sound."""

    key: str
    content_type: str
    size_bytes: int
    width: int = 0
    height: int = 0

    @property
    def extension(self) -> str:
        return self.key.rpartition(".")[2]


class Made(msgspec.Struct, frozen=True):
    """What was made of an upload, and where it is now."""

    processed: Processed
    original: Stored
    small: Stored | None

    @property
    def keys(self) -> list[str]:
        return [self.original.key, *([self.small.key] if self.small is not None else [])]


class Depot(msgspec.Struct, frozen=True):
    """One in each process that takes or processes uploads."""

    objects: ObjectStore
    workshop: Workshop

    async def at_once(self, upload: Upload, purpose: Purpose, folder: str) -> Made:
        """Process a picture while its sender waits, and store what was made below a folder of the store.

        Raises Unusable with a sentence for them; OSError if the store can't be reached.
        """
        async with self.workshop.bench() as bench:
            await asyncio.to_thread(_copy, upload, bench / SOURCE)
            processed = await self.workshop.process(bench, purpose, PICTURE_WITHIN_S)
            return await self._store(bench, folder, processed)

    async def keep(self, upload: Upload, key: str) -> int:
        """Store an upload as it came, for `later`; return its size in bytes. Raises OSError."""
        async with self.workshop.bench() as bench:
            size_bytes = await asyncio.to_thread(_copy, upload, bench / SOURCE)
            await self.objects.put(key, bench / SOURCE, _AS_IT_CAME)
            return size_bytes

    async def later(self, key: str, folder: str, watch: Watch) -> Made:
        """Process what was kept. Raises Unusable; FileNotFoundError, and OSError if the store can't be reached."""
        async with self.workshop.bench() as bench:
            with (bench / SOURCE).open("wb") as source:
                async for chunk in self.objects.stream(key):
                    source.write(chunk)
            processed = await self.workshop.process(bench, Purpose.ATTACHMENT, FILM_WITHIN_S, watch)
            return await self._store(bench, folder, processed)

    async def _store(self, bench: Path, folder: str, processed: Processed) -> Made:
        original = await self._put(bench, folder, processed.original)
        small = await self._put(bench, folder, processed.small) if processed.small is not None else None
        return Made(processed, original, small)

    async def _put(self, bench: Path, folder: str, piece: Piece) -> Stored:
        """Raises Unusable for what a child says that was taken over: the name of a file that it didn't make."""
        if not _NAME.fullmatch(piece.name) or not _is_made_here(bench / piece.name):
            log.warning("media.not_made", name=piece.name[:100])
            raise Unusable(UNREADABLE)
        made, key = bench / piece.name, f"{folder}/{piece.name}"
        await self.objects.put(key, made, piece.content_type)
        return Stored(key, piece.content_type, made.stat().st_size, piece.width, piece.height)


def _is_made_here(path: Path) -> bool:
    """A file of its own: no link to another one, soft or hard."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1


def _copy(upload: Upload, to: Path) -> int:
    upload.seek(0)
    with to.open("wb") as source:
        shutil.copyfileobj(upload, source, 1 << 20)
        return source.tell()
