"""The tree against the RFC's own recursive definition, and against the known test vectors."""

from __future__ import annotations

import hashlib
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.tape import merkle
from folkmoot.tape.merkle import Frontier, ProofError, leaf_hash

SIZES = st.integers(1, 70)
# The leaves and roots that Certificate Transparency's implementations test with (sizes 1 to 8).
KNOWN_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_consistency(old_size: int, leaves: list[bytes], is_whole: bool = True) -> list[bytes]:
    """RFC 6962, 2.1.2, SUBPROOF word for word: no verifier of consistency by others is at hand to ask."""
    if old_size == len(leaves):
        return [] if is_whole else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if old_size <= k:
        return [*naive_consistency(old_size, leaves[:k], is_whole), naive_root(leaves[k:])]
    return [*naive_consistency(old_size - k, leaves[k:], False), naive_root(leaves[:k])]


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(size)]


def range_root(leaves: list[bytes], first: int, past_last: int) -> bytes:
    return naive_root(leaves[first:past_last])


@pytest.mark.parametrize("size", range(1, 9))
def test_known_roots(size: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(text)) for text in KNOWN_LEAVES[:size]]
    assert merkle.root_of(leaves).hex() == KNOWN_ROOTS[size - 1]


def test_the_empty_tree() -> None:
    assert merkle.root_of([]) == merkle.EMPTY_ROOT == hashlib.sha256(b"").digest()


@given(SIZES)
def test_the_frontier_has_the_root_of_the_definition(size: int) -> None:
    frontier = Frontier()
    for number, leaf in enumerate(leaves_of(size)):
        frontier.append(leaf)
        assert frontier.root() == naive_root(leaves_of(number + 1))


@given(st.integers(0, 300), st.integers(0, 300))
def test_subtrees_are_complete_and_cover_a_range(first: int, past_last: int) -> None:
    at = first
    for level, index in merkle.subtrees(first, past_last):
        assert index << level == at
        at += 1 << level
    assert at == max(first, past_last)


@given(SIZES, st.data())
def test_a_range_proves_itself_and_nothing_else(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    first = data.draw(st.integers(0, size))
    past_last = data.draw(st.integers(first, size))

    def hashes(first: int, past_last: int) -> list[bytes]:
        found = merkle.subtrees(first, past_last)
        return [range_root(leaves, index << level, (index + 1) << level) for level, index in found]

    before, after = hashes(0, first), hashes(past_last, size)
    mine = leaves[first:past_last]
    assert merkle.root_around(before, first, mine, after, size) == naive_root(leaves)
    if len(mine) > 1:
        assert merkle.root_around(before, first, mine[::-1], after, size) != naive_root(leaves)
    with pytest.raises(ProofError):
        merkle.root_around([*before, bytes(32)], first, mine, after, size)
    with pytest.raises(ProofError):
        merkle.root_around(before, first, leaves, after, first + size - 1)


@given(SIZES, st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, partial(range_root, leaves))
    root = naive_root(leaves)
    assert merkle.root_from_inclusion(leaves[index], index, size, proof) == root
    assert merkle.root_from_inclusion(leaf_hash(b"other"), index, size, proof) != root
    for wrong in ([*proof, bytes(32)], proof[:-1]):
        if wrong != proof:
            with pytest.raises(ProofError):
                merkle.root_from_inclusion(leaves[index], index, size, wrong)
    with pytest.raises(ProofError):
        merkle.root_from_inclusion(leaves[index], size, size, proof)


@given(SIZES, SIZES, st.data())
def test_consistency(one: int, other: int, data: st.DataObject) -> None:
    old_size, size = sorted((one, other))
    leaves = leaves_of(size)
    old_root, root = naive_root(leaves[:old_size]), naive_root(leaves)
    proof = merkle.consistency_proof(old_size, size, partial(range_root, leaves))
    assert proof == naive_consistency(old_size, leaves)
    assert merkle.is_consistent(old_size, old_root, size, root, proof)
    assert not merkle.is_consistent(old_size, bytes(32), size, root, proof)
    assert not merkle.is_consistent(old_size, old_root, size, bytes(32), proof)
    assert not merkle.is_consistent(old_size, old_root, size, root, [*proof, bytes(32)])
    assert not merkle.is_consistent(size + 1, old_root, size, root, proof)
    if proof:
        assert not merkle.is_consistent(old_size, old_root, size, root, proof[:-1])
        altered = list(proof)
        altered[data.draw(st.integers(0, len(proof) - 1))] = bytes(32)
        assert not merkle.is_consistent(old_size, old_root, size, root, altered)


def test_a_subtree_begins_only_where_it_can() -> None:
    frontier = Frontier()
    frontier.append(bytes(32))
    with pytest.raises(ProofError):
        frontier.append_subtree(1, bytes(32))
