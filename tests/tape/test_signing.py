"""The signer: what it signed it never unsays, whatever happens to stage, worker and disk in between."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.tape.conftest import START_UNIX_MS
from tests.tape.evening import SIGNER, SPACE, Evening, Steps

from folkmoot.tape import layout
from folkmoot.tape.checkpoint import Checkpoint, Signer
from folkmoot.tape.leaves import Leaves
from folkmoot.tape.model import Codec, TapeDamaged, TapeFull
from folkmoot.tape.redact import redact
from folkmoot.tape.redactions import Redaction
from folkmoot.tape.signing import ENDED, sign_tape
from folkmoot.tape.writer import TapeWriter


@pytest.fixture
def evening(tmp_path: Path, step_parts: Steps) -> Evening:
    return Evening(tmp_path / "7", step_parts)


def sizes(checkpoints: Sequence[Checkpoint]) -> list[int]:
    return [checkpoint.size for checkpoint in checkpoints]


def test_what_is_new_is_signed_in_every_codec(evening: Evening) -> None:
    evening.say(100)
    assert evening.sign() == 2
    assert evening.sign() == 0
    evening.say(200)
    evening.sign()
    assert sizes(evening.checkpoints()) == [100, 300]
    for codec in Codec:
        for checkpoint in evening.checkpoints(codec):
            assert checkpoint.root == evening.root(checkpoint.size, codec)
            assert checkpoint.origin == f"{SPACE}/{codec}"
            assert checkpoint.extensions[0] == f"started {START_UNIX_MS}"
    assert layout.verifier_key_path(evening.directory).read_text() == f"{SIGNER.verifier}\n"


def test_the_end_is_signed_once_and_says_so(evening: Evening) -> None:
    evening.say(20)
    evening.sign()
    evening.writer.close()
    assert evening.sign() == 2
    assert evening.sign() == 0
    assert [ENDED in checkpoint.extensions for checkpoint in evening.checkpoints()] == [False, True]
    assert sizes(evening.checkpoints()) == [20, 20]


def test_a_stage_that_comes_back_goes_on_in_the_same_tree(evening: Evening) -> None:
    evening.say(50)
    evening.sign()
    evening.writer.release()
    evening.clock.now_ms += 9_000
    evening.writer = TapeWriter.open(evening.directory, evening.clock)
    evening.say(5)
    evening.sign()
    (old, new) = evening.checkpoints()
    assert new.size == 95
    assert (old.root, new.root) == (evening.root(50), evening.root(95))


@pytest.mark.parametrize("lost", ["opus.leaves", "aac.leaves"])
def test_lost_leaves_are_made_anew_from_the_sound(evening: Evening, lost: str) -> None:
    evening.say(300)
    evening.sign()
    (evening.directory / lost).unlink()
    evening.say(10)
    evening.sign()
    assert evening.checkpoints()[-1].root == evening.root(310)


@pytest.mark.parametrize("torn_bytes", [1, 60, 150, 200])
def test_a_torn_checkpoint_is_cut_off(evening: Evening, torn_bytes: int) -> None:
    evening.say(30)
    evening.sign()
    path = layout.checkpoints_path(evening.directory, Codec.OPUS)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:torn_bytes])
    evening.say(30)
    evening.sign()
    assert sizes(evening.checkpoints()) == [30, 60]


def test_leaves_that_were_not_signed_are_forgotten(evening: Evening) -> None:
    """A worker that died before it signed, and a stage that lost its last parts and wrote others."""
    evening.say(30)
    evening.sign()
    with Leaves(evening.directory, Codec.OPUS, writable=True) as leaves:
        leaves.append(bytes(77) * 3)
    evening.say(30)
    evening.sign()
    assert evening.checkpoints()[-1].root == evening.root(60)


def test_nothing_is_signed_on_top_of_what_was_altered(evening: Evening) -> None:
    evening.say(30)
    evening.sign()
    path = layout.leaves_path(evening.directory, Codec.OPUS)
    altered = bytearray(path.read_bytes())
    altered[500] ^= 1
    path.write_bytes(altered)
    evening.say(30)
    with pytest.raises(TapeDamaged, match="leaves"):
        evening.sign()
    with pytest.raises(TapeDamaged, match="key"):
        sign_tape(evening.directory, SPACE, Signer("moot.example/tapes", bytes(32)))
    assert sizes(evening.checkpoints()) == [30]


def test_a_tape_that_lost_signed_parts_waits_until_there_are_more(evening: Evening) -> None:
    """After a power failure; verify then says what was lost."""
    evening.say(30)
    evening.sign()
    evening.writer.release()
    for codec in Codec:
        with layout.index_path(evening.directory, codec).open("r+b") as file:
            file.truncate(64 + 40 * 20)
    assert evening.sign() == 0
    evening.clock.now_ms += 4_000
    evening.writer = TapeWriter.open(evening.directory, evening.clock)
    evening.say(20)
    assert evening.sign() == 2
    assert sizes(evening.checkpoints()) == [30, 60]
    assert evening.checkpoints()[-1].root != evening.root(60)


def test_what_was_taken_out_keeps_its_leaf(evening: Evening) -> None:
    evening.say(100)
    before = evening.root(100)
    redact(evening.directory, Redaction("1", 2_000, 4_000, "an address", "host", START_UNIX_MS))
    assert evening.root(100) != before
    evening.sign()
    assert evening.checkpoints()[-1].root == before


def test_a_full_disk_is_tried_again(evening: Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    evening.say(30)
    evening.sign()
    evening.say(30)
    write = os.pwrite

    def full(file: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(TapeFull):
        evening.sign()
    monkeypatch.setattr(os, "pwrite", write)
    evening.sign()
    assert sizes(evening.checkpoints()) == [30, 60]
    assert evening.checkpoints()[-1].root == evening.root(60)
