"""Signed notes and checkpoints: what others made is read here, and what is made here others read."""

from __future__ import annotations

import base64
import json
import subprocess
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.tape import merkle
from folkmoot.tape.checkpoint import Checkpoint, NoteInvalid, Signer, Verifier, parse_checkpoint, split_notes

SIGSTORE = Path(__file__).parent / "sigstore_verifier.js"
WEB = Path(__file__).parents[2] / "web"
SIGNER = Signer("moot.example/tapes", bytes(range(32)))
CHECKPOINT = Checkpoint("moot.example/spaces/1/opus", 7, bytes(range(32)), ("ended",))
NOTE = SIGNER.sign(CHECKPOINT.text())
# The example in the documentation of Go's own package for signed notes.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def range_root(leaves: list[bytes], first: int, past_last: int) -> bytes:
    return merkle.root_of(leaves[first:past_last])


def encoded(hashes: list[bytes]) -> list[str]:
    return [base64.b64encode(digest).decode() for digest in hashes]


def test_a_note_that_go_signed() -> None:
    verifier = Verifier.parse(GO_KEY)
    assert verifier.open(f"{GO_TEXT}\n— PeterNeumann {GO_SIGNATURE}\n") == GO_TEXT
    assert str(verifier) == GO_KEY


def test_sigstore_verifies_what_is_signed_here() -> None:
    data = [str(number).encode() for number in range(1000)]
    root = partial(range_root, [merkle.leaf_hash(leaf) for leaf in data])
    checkpoint = Checkpoint("moot.example/spaces/1/opus", 1000, root(0, 1000), ("ended",))
    note = SIGNER.sign(checkpoint.text())
    question = {
        "key": str(SIGNER.verifier),
        "note": note,
        "leaf": encoded([data[321]])[0],
        "number": 321,
        "inclusion": encoded(merkle.inclusion_proof(321, 1000, root)),
    }

    def answer(**other: object) -> object:
        text = json.dumps(question | other)
        ran = subprocess.run(
            ["node", SIGSTORE], cwd=WEB, input=text, capture_output=True, text=True, timeout=60, check=True
        )
        return json.loads(ran.stdout)

    assert answer() == [checkpoint.origin, checkpoint.size, checkpoint.root.hex(), list(checkpoint.extensions)]
    assert answer(note=note.replace("1000", "1001")) == "invalid checkpoint signature"
    assert answer(key=str(Signer("moot.example/tapes", bytes(32)).verifier)) == "invalid checkpoint signature"
    assert answer(number=322) == "calculated root hash does not match inclusion proof"


def test_a_checkpoint_comes_back() -> None:
    assert parse_checkpoint(SIGNER.verifier.open(NOTE)) == CHECKPOINT


def test_the_signatures_of_others_do_not_matter() -> None:
    other = Signer("witness.example/w", bytes(32))
    cosigned = NOTE + other.sign(CHECKPOINT.text()).rpartition("\n\n")[2]
    assert SIGNER.verifier.open(cosigned) == other.verifier.open(cosigned) == CHECKPOINT.text()
    with pytest.raises(NoteInvalid, match="not signed by"):
        other.verifier.open(NOTE)
    renamed = Signer("moot.example/tapes", bytes(32))
    with pytest.raises(NoteInvalid, match="not signed by"):
        renamed.verifier.open(NOTE)


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(1, 255))
def test_no_altered_note_opens(at: int, mask: int) -> None:
    altered = bytearray(NOTE.encode())
    altered[at] ^= mask
    try:
        found = SIGNER.verifier.open(altered.decode())
    except (NoteInvalid, UnicodeDecodeError):
        return
    raise AssertionError(found)


@given(st.text(max_size=300))
def test_other_texts_are_refused(text: str) -> None:
    for read in (parse_checkpoint, Verifier.parse, SIGNER.verifier.open):
        with pytest.raises(NoteInvalid):
            read(text)


@pytest.mark.parametrize(
    "text",
    [
        "origin\n07\n" + "A" * 43 + "=\n",
        "origin\n7\n" + "A" * 43 + "=",
        "origin\n7\nAAAA\n",
        "origin\n7\n" + "A" * 42 + "B=\n",
        "origin\n-7\n" + "A" * 43 + "=\n",
        "origin\n7\n" + "A" * 43 + "=\n\nended\n",
        "\n7\n" + "A" * 43 + "=\n",
    ],
)
def test_a_checkpoint_is_written_in_one_way(text: str) -> None:
    with pytest.raises(NoteInvalid):
        parse_checkpoint(text)


@given(st.integers(0, 3), st.data())
def test_a_file_of_notes_is_read_up_to_where_it_was_torn(count: int, data: st.DataObject) -> None:
    whole = NOTE.encode() * count
    torn = data.draw(st.integers(0, len(NOTE.encode()) - 1))
    assert split_notes(whole + NOTE.encode()[:torn]) == ([NOTE] * count, len(whole))
