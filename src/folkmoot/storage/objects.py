"""The object store: media files by key, in a directory or in a bucket (S3 and its like, by URL)."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

# Somebody waits for an answer, or a job tries again anyway: obstore's own patience is three minutes.
_RETRIES: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=15)}
_CHUNK_BYTES_MIN = 64 * 1024
_KEY_CHARACTERS_MAX = 500
_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_KEY = re.compile(rf"{_PART}(/{_PART})*")


class ObjectInfo(msgspec.Struct, frozen=True):
    """What is known of an object without reading it."""

    size_bytes: int
    modified_at_ms: int


class ObjectStore:
    """Keys are parts of letters, digits, `.`, `_` and `-`, joined by `/`; no part begins with a dot.

    Every method raises ValueError for another key, and OSError if the store can't be reached; all but `put` and
    `delete` FileNotFoundError for what isn't there. Opened after the fork: the stores have threads of their own.
    """

    def __init__(self, store: Any, keeps_content_types: bool) -> None:
        self._store = store
        self._keeps_content_types = keeps_content_types

    @classmethod
    def open(cls, location: str, **options: Any) -> "ObjectStore":
        """Open a directory (made if missing) or a URL such as `s3://bucket/prefix`; `options` are obstore's."""
        if "://" in location:
            return cls(from_url(location, retry_config=_RETRIES, **options), keeps_content_types=True)
        return cls(LocalStore(location, mkdir=True), keeps_content_types=False)

    async def put(self, key: str, content: bytes | Path, content_type: str) -> None:
        """Store an object whole or not at all, in place of a former one. A path is read in pieces."""
        # A directory keeps no types: who serves its files knows them from the database.
        attributes: Any = {"Content-Type": content_type} if self._keeps_content_types else None
        with _errors():
            await obstore.put_async(self._store, _checked(key), content, attributes=attributes)

    async def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """The bytes [start, end) of an object; `end` may lie behind its last."""
        return b"".join([chunk async for chunk in self.stream(key, start, end)])

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes [start, end) in pieces of 64 KiB or more."""
        assert start >= 0
        size_bytes = (await self.head(key)).size_bytes
        end = size_bytes if end is None else min(end, size_bytes)
        if start >= end:
            return
        with _errors():
            result = await obstore.get_async(self._store, key, options={"range": (start, end)})
            async for chunk in result.stream(min_chunk_size=_CHUNK_BYTES_MIN):
                yield bytes(chunk)

    async def head(self, key: str) -> ObjectInfo:
        with _errors():
            found = await obstore.head_async(self._store, _checked(key))
        return ObjectInfo(found["size"], int(found["last_modified"].timestamp() * 1000))

    def read(self, key: str) -> bytes:
        """A whole object, for a thread that may block."""
        with _errors():
            return bytes(obstore.get(self._store, _checked(key)).bytes())

    async def keys(self, prefix: str) -> list[str]:
        """The keys of all objects below a folder, in no order."""
        with _errors():
            return [found["path"] async for page in obstore.list(self._store, _checked(prefix)) for found in page]

    async def delete(self, key: str) -> None:
        """Delete an object; one that isn't there is deleted already."""
        with _errors(), suppress(FileNotFoundError):
            await obstore.delete_async(self._store, _checked(key))


@contextmanager
def _errors() -> Iterator[None]:
    """obstore's own errors are no OSErrors."""
    try:
        yield
    except BaseError as error:
        raise OSError(str(error).partition("\n")[0]) from error


def _checked(key: str) -> str:
    if len(key) > _KEY_CHARACTERS_MAX or not _KEY.fullmatch(key):
        raise ValueError(f"Not the key of an object: {key[:80]!r}")
    return key
