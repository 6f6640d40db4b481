"""The Merkle tree of RFC 6962 (RFC 9162, 2.1): roots, proofs and their verification. Pure; hashes are SHA-256.

A tree of n leaves is a row of complete subtrees, those that n's binary digits name, largest first. `Frontier` is
that row: it grows by a leaf with a few hashes and never looks back. A range of leaves proves itself by the hashes
of the subtrees on both sides of it (`root_around`); proofs of a single leaf and of growth are those of the RFC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()

RangeRoot = Callable[[int, int], bytes]
"""The root of the leaves `[first, past_last)` of a tree, as a tree of their own."""


class ProofError(Exception):
    """A proof that has too many or too few hashes, or is about a tree that can't be."""


class Subtree(NamedTuple):
    """A complete subtree: 2**level leaves, of which the first has the number nth * 2**level."""

    level: int
    nth: int


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node of two."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees of a growing tree, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._levels: list[int] = []
        self._hashes: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Adds the hash of the next leaf."""
        self.append_subtree(0, leaf)

    def append_subtree(self, level: int, digest: bytes) -> None:
        """Adds the next 2**level leaves by the hash of their subtree. Raises ProofError where none can begin."""
        if self.size % (1 << level):
            raise ProofError("a subtree does not begin here")
        self.size += 1 << level
        while self._levels and self._levels[-1] == level:
            digest = node_hash(self._hashes.pop(), digest)
            level = self._levels.pop() + 1
        self._levels.append(level)
        self._hashes.append(digest)

    def root(self) -> bytes:
        """The root of all leaves so far."""
        if not self._hashes:
            return EMPTY_ROOT
        digest = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            digest = node_hash(left, digest)
        return digest

    def copy(self) -> Frontier:
        """Another that grows on its own."""
        twin = Frontier()
        twin.size = self.size
        twin._levels, twin._hashes = self._levels.copy(), self._hashes.copy()
        return twin


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over hashes of leaves."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def subtrees(first: int, past_last: int) -> list[Subtree]:
    """The fewest complete subtrees that make up the leaves `[first, past_last)`, in order."""
    found = []
    while first < past_last:
        level = (past_last - first).bit_length() - 1
        if first:
            level = min(level, (first & -first).bit_length() - 1)
        found.append(Subtree(level, first >> level))
        first += 1 << level
    return found


def root_around(
    before: Sequence[bytes], first: int, leaves: Sequence[bytes], after: Sequence[bytes], size: int
) -> bytes:
    """The root of a tree of `size` leaves of which the hashes of those from `first` on are at hand.

    `before` and `after` are the hashes of subtrees(0, first) and subtrees(first + len(leaves), size). That proves
    that all these leaves are in the tree, in this order and at this place. Raises ProofError.
    """
    past_last = first + len(leaves)
    left, right = subtrees(0, first), subtrees(past_last, size)
    if not 0 <= first <= past_last <= size or (len(left), len(right)) != (len(before), len(after)):
        raise ProofError("the hashes around a range do not fit it")
    frontier = Frontier()
    for subtree, digest in zip(left, before, strict=True):
        frontier.append_subtree(subtree.level, digest)
    for leaf in leaves:
        frontier.append(leaf)
    for subtree, digest in zip(right, after, strict=True):
        frontier.append_subtree(subtree.level, digest)
    return frontier.root()


def inclusion_proof(index: int, size: int, range_root: RangeRoot) -> list[bytes]:
    """RFC 9162, 2.1.3.1: the hashes beside the way from a leaf up to the root."""
    assert 0 <= index < size
    first, past_last, proof = 0, size, []
    while past_last - first > 1:
        middle = first + _split(past_last - first)
        if index < middle:
            proof.append(range_root(middle, past_last))
            past_last = middle
        else:
            proof.append(range_root(first, middle))
            first = middle
    return proof[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2: the root of the tree in which this leaf stands there. Raises ProofError."""
    if not 0 <= index < size:
        raise ProofError("the tree has no such leaf")
    position, last, digest = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if position % 2 or position == last:
            digest = node_hash(beside, digest)
            while position % 2 == 0 and position:
                position, last = position // 2, last // 2
        else:
            digest = node_hash(digest, beside)
        position, last = position // 2, last // 2
    if last:
        raise ProofError("the proof is too short")
    return digest


def consistency_proof(old_size: int, size: int, range_root: RangeRoot) -> list[bytes]:
    """RFC 9162, 2.1.4.1: that a tree of `size` begins with the leaves of the one of `old_size`."""
    assert 0 < old_size <= size
    first, past_last, proof = 0, size, []
    while old_size < past_last:
        middle = first + _split(past_last - first)
        if old_size <= middle:
            proof.append(range_root(middle, past_last))
            past_last = middle
        else:
            proof.append(range_root(first, middle))
            first = middle
    if first:
        proof.append(range_root(first, past_last))
    return proof[::-1]


def is_consistent(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162, 2.1.4.2: whether the proof leads to both roots."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == root
    hashes = list(proof)
    if old_size & (old_size - 1) == 0:  # a complete subtree: it is its own first hash
        hashes.insert(0, old_root)
    if not hashes:
        return False
    position, last = old_size - 1, size - 1
    while position % 2:
        position, last = position // 2, last // 2
    old_digest = digest = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            return False
        if position % 2 or position == last:
            old_digest, digest = node_hash(beside, old_digest), node_hash(beside, digest)
            while position % 2 == 0 and position:
                position, last = position // 2, last // 2
        else:
            digest = node_hash(digest, beside)
        position, last = position // 2, last // 2
    return last == 0 and old_digest == old_root and digest == root


def _split(size: int) -> int:
    """The largest power of two below `size`: how many leaves the left subtree has."""
    return 1 << ((size - 1).bit_length() - 1)
