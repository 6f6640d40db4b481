"""What was signed of a tape, leaf by leaf: kept, so that what is wrong later can be named and any range proven.

tapes/<space>/opus.leaves  aac.leaves    256 leaves of 77 bytes, the hash of their subtree, and so on

Nothing here is believed: whoever verifies hashes it anew and compares with the signed root.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from folkmoot.tape import layout, merkle
from folkmoot.tape.leaf import LEAF_BYTES
from folkmoot.tape.merkle import HASH_BYTES, Frontier
from folkmoot.tape.model import Codec, TapeDamaged, TapeMissing

TILE_LEVEL = 8
TILE_LEAVES = 1 << TILE_LEVEL
_ROOT_OFFSET = TILE_LEAVES * LEAF_BYTES
_TILE_BYTES = _ROOT_OFFSET + HASH_BYTES


class Leaves:
    """The file of one codec; `count` leaves are whole in it."""

    def __init__(self, directory: Path, codec: Codec, *, writable: bool = False) -> None:
        """Raises TapeMissing where nothing was signed (and `writable` is not asked for)."""
        flags = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        try:
            self._file = os.open(layout.leaves_path(directory, codec), flags | os.O_CLOEXEC, layout.FILE_MODE)
        except FileNotFoundError as error:
            raise TapeMissing("nothing of this recording was signed") from error
        except OSError as error:
            raise layout.write_error(error) from error
        tiles, rest = divmod(os.fstat(self._file).st_size, _TILE_BYTES)
        self.count = tiles * TILE_LEAVES + min(rest // LEAF_BYTES, TILE_LEAVES - 1)

    def __enter__(self) -> Leaves:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def read(self, first: int, past_last: int) -> bytes:
        """The leaves of these numbers, one after the other, as far as there are any."""
        past_last = min(past_last, self.count)
        if first >= past_last:
            return b""
        pieces = []
        for tile in range(first // TILE_LEAVES, -(-past_last // TILE_LEAVES)):
            start = max(first - tile * TILE_LEAVES, 0)
            end = min(past_last - tile * TILE_LEAVES, TILE_LEAVES)
            size_bytes = (end - start) * LEAF_BYTES
            pieces.append(os.pread(self._file, size_bytes, tile * _TILE_BYTES + start * LEAF_BYTES))
        return b"".join(pieces)

    def append(self, leaves: bytes) -> None:
        """Adds whole leaves. Raises TapeFull, TapeWriteError."""
        while leaves:
            tile, place = divmod(self.count, TILE_LEAVES)
            run = leaves[: (TILE_LEAVES - place) * LEAF_BYTES]
            added = len(run) // LEAF_BYTES
            is_full = place + added == TILE_LEAVES
            root = _root_of(self.read(tile * TILE_LEAVES, self.count) + run) if is_full else b""
            try:
                layout.write_all(self._file, run + root, tile * _TILE_BYTES + place * LEAF_BYTES)
            except OSError as error:
                raise layout.write_error(error) from error
            self.count += added
            leaves = leaves[len(run) :]

    def cut(self, count: int) -> None:
        """Forgets all but the first `count` leaves."""
        tile, place = divmod(count, TILE_LEAVES)
        os.ftruncate(self._file, tile * _TILE_BYTES + place * LEAF_BYTES)
        self.count = count

    def sync(self) -> None:
        """Waits until all of it is on the disk: what is signed must not be forgotten. Raises TapeWriteError."""
        try:
            os.fdatasync(self._file)
        except OSError as error:
            raise layout.write_error(error) from error

    def frontier(self, size: int) -> Frontier:
        """The tree as it was with `size` leaves. Raises TapeDamaged where there aren't so many."""
        frontier = Frontier()
        for (level, _), digest in zip(merkle.subtrees(0, size), self.hashes(0, size), strict=True):
            frontier.append_subtree(level, digest)
        return frontier

    def hashes(self, first: int, past_last: int) -> list[bytes]:
        """The hashes of merkle.subtrees(first, past_last). Raises TapeDamaged where there are fewer leaves."""
        if past_last > self.count:
            raise TapeDamaged("leaves that were signed are gone")
        return [self._hash(level, nth) for level, nth in merkle.subtrees(first, past_last)]

    def _hash(self, level: int, nth: int) -> bytes:
        if level < TILE_LEVEL:
            return _root_of(self.read(nth << level, (nth + 1) << level))
        tiles = range(nth << level - TILE_LEVEL, (nth + 1) << level - TILE_LEVEL)
        return merkle.root_of(os.pread(self._file, HASH_BYTES, t * _TILE_BYTES + _ROOT_OFFSET) for t in tiles)


def _root_of(leaves: bytes) -> bytes:
    return merkle.root_of(hashes_of(leaves))


def hashes_of(leaves: bytes) -> list[bytes]:
    """The leaf hash of each of them."""
    return [merkle.leaf_hash(leaves[at : at + LEAF_BYTES]) for at in range(0, len(leaves), LEAF_BYTES)]
