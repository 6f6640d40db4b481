"""What was signed, as a file: torn anywhere, it goes on with the last whole leaf."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.tape import layout, merkle
from folkmoot.tape.leaf import LEAF_BYTES
from folkmoot.tape.leaves import TILE_LEAVES, Leaves, hashes_of
from folkmoot.tape.model import Codec, TapeDamaged, TapeMissing

COUNT = 3 * TILE_LEAVES + 41


def leaf(number: int) -> bytes:
    return str(number).encode().ljust(LEAF_BYTES, b".")


def all_leaves(count: int) -> bytes:
    return b"".join(leaf(number) for number in range(count))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tape")
    with Leaves(directory, Codec.OPUS, writable=True) as leaves:
        leaves.append(all_leaves(COUNT))
    return directory


def test_nothing_was_signed(tmp_path: Path) -> None:
    with pytest.raises(TapeMissing):
        Leaves(tmp_path, Codec.OPUS)


@given(st.integers(0, COUNT + 9), st.integers(0, COUNT + 9))
def test_any_range_is_read_back(kept: Path, first: int, past_last: int) -> None:
    with Leaves(kept, Codec.OPUS) as leaves:
        assert leaves.count == COUNT
        assert leaves.read(first, past_last) == all_leaves(COUNT)[first * LEAF_BYTES : past_last * LEAF_BYTES]


@given(st.integers(0, COUNT))
def test_the_tree_as_it_was(kept: Path, size: int) -> None:
    with Leaves(kept, Codec.OPUS) as leaves:
        assert leaves.frontier(size).root() == merkle.root_of(hashes_of(all_leaves(size)))
        assert len(leaves.hashes(size, COUNT)) == len(merkle.subtrees(size, COUNT))
        with pytest.raises(TapeDamaged):
            leaves.frontier(COUNT + 1)


@settings(max_examples=30)
@given(st.integers(0, TILE_LEAVES * LEAF_BYTES + 100))
def test_a_torn_end_is_written_anew(tmp_path_factory: pytest.TempPathFactory, torn_bytes: int) -> None:
    directory = tmp_path_factory.mktemp("torn")
    with Leaves(directory, Codec.AAC, writable=True) as leaves:
        leaves.append(all_leaves(TILE_LEAVES + 1))
    path = layout.leaves_path(directory, Codec.AAC)
    with path.open("r+b") as file:
        file.truncate(torn_bytes)
    with Leaves(directory, Codec.AAC, writable=True) as leaves:
        assert leaves.read(0, leaves.count) == all_leaves(leaves.count)
        leaves.append(all_leaves(TILE_LEAVES + 9)[leaves.count * LEAF_BYTES :])
        assert leaves.frontier(TILE_LEAVES + 9).root() == merkle.root_of(hashes_of(all_leaves(TILE_LEAVES + 9)))
        leaves.cut(7)
    with Leaves(directory, Codec.AAC) as leaves:
        assert leaves.read(0, 99) == all_leaves(7)
