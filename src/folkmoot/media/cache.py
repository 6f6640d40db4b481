"""A folder of files that can be had again: bounded in size; what was asked for longest ago goes first."""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO

from folkmoot.media.remote import Unfetchable

MISSING_LASTS_MS = 60_000
_MISSING_MAX = 10_000
_AT_ONCE_MAX = 8
_OPENED_TRIES_MAX = 3
_DOWNLOAD_PREFIX = "."

Fill = Callable[[Path], Awaitable[None]]


class Cache:
    """Filled when something is asked for, by one of those who ask; used by one event loop.

    Several processes may have the same folder: what another one deleted is fetched again.
    """

    def __init__(self, folder: Path, bytes_max: int, clock_ms: Callable[[], int]) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._clock_ms = clock_ms
        self._sizes: OrderedDict[str, int] = OrderedDict()  # those asked for last at the end
        self._is_known = False
        self._missing: OrderedDict[str, int] = OrderedDict()
        self._filling: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE_MAX)
        self.hits = 0
        self.misses = 0

    async def open(self, name: str, fill: Fill) -> BinaryIO:
        """The file that is kept under a name, opened: an eviction takes away the name, not the bytes. `fill` writes
        it, if it isn't there. Raises Unfetchable."""
        for _ in range(_OPENED_TRIES_MAX):
            path = await self.get(name, fill)
            with contextlib.suppress(FileNotFoundError):  # evicted since then
                return await asyncio.to_thread(path.open, "rb")
        raise Unfetchable("there is no room for it")

    async def get(self, name: str, fill: Fill) -> Path:
        """Where that file is, until it is evicted. Raises Unfetchable."""
        key = hashlib.sha256(name.encode()).hexdigest()
        path = self._path(key)
        if not self._is_known:
            self._is_known, self._sizes = True, await asyncio.to_thread(_sizes, self._folder)
        size_bytes = await asyncio.to_thread(_touch, path)
        if size_bytes is not None:
            self.hits += 1
            self._sizes[key] = size_bytes
            self._sizes.move_to_end(key)
            return path
        self.misses += 1
        if self._clock_ms() < self._missing.get(key, 0):
            raise Unfetchable("not there a moment ago")
        if key not in self._filling:
            self._filling[key] = asyncio.create_task(self._fill(key, fill))
            self._filling[key].add_done_callback(lambda _task: self._filling.pop(key, None))
        # Whoever goes away takes nothing from the others who wait for the same.
        await asyncio.shield(self._filling[key])
        return path

    @property
    def size_bytes(self) -> int:
        """Of what is kept, as far as that was looked at: once something was asked for."""
        return sum(self._sizes.values())

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    async def _fill(self, key: str, fill: Fill) -> None:
        path = self._path(key)
        async with self._places:
            written = await asyncio.to_thread(_begin, path)
            try:
                await fill(written)
                self._sizes[key] = await asyncio.to_thread(_finish, written, path)
            except Unfetchable:
                self._missing[key] = self._clock_ms() + MISSING_LASTS_MS
                if len(self._missing) > _MISSING_MAX:
                    self._missing.popitem(last=False)
                raise
            finally:
                await asyncio.to_thread(written.unlink, missing_ok=True)
        await asyncio.to_thread(self._evict)

    def _evict(self) -> None:
        left = self.size_bytes
        while left > self._bytes_max:
            key, size_bytes = self._sizes.popitem(last=False)
            left -= size_bytes
            self._path(key).unlink(missing_ok=True)


def files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """What is in a cache's folder."""
    found = folder.glob("??/*") if folder.is_dir() else ()
    return [(path, path.stat()) for path in found if not path.name.startswith(_DOWNLOAD_PREFIX)]


def shrink(folder: Path, bytes_max: int) -> tuple[int, int]:
    """Delete what was asked for longest ago until no more than this is left: how many files, how many bytes."""
    kept = sorted(files(folder), key=_asked_for)
    left = sum(found.st_size for _, found in kept)
    deleted = freed = 0
    for path, found in kept:
        if left - freed <= bytes_max:
            break
        path.unlink(missing_ok=True)
        deleted, freed = deleted + 1, freed + found.st_size
    return deleted, freed


def _sizes(folder: Path) -> OrderedDict[str, int]:
    return OrderedDict((path.name, found.st_size) for path, found in sorted(files(folder), key=_asked_for))


def _asked_for(one: tuple[Path, os.stat_result]) -> int:
    return one[1].st_mtime_ns


def _touch(path: Path) -> int | None:
    """Its size; None if it isn't there."""
    try:
        os.utime(path)
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _begin(path: Path) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, written = tempfile.mkstemp(dir=path.parent, prefix=_DOWNLOAD_PREFIX)
    os.close(descriptor)
    return Path(written)


def _finish(written: Path, path: Path) -> int:
    return written.rename(path).stat().st_size
