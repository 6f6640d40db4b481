"""What a stranger needs to verify any part of a tape: the leaves of a range, and the way to a signed root."""

from __future__ import annotations

from pathlib import Path

import msgspec

from folkmoot.tape import layout, merkle
from folkmoot.tape.checkpoint import Checkpoint, NoteInvalid, Verifier, parse_checkpoint, split_notes
from folkmoot.tape.leaves import Leaves, hashes_of
from folkmoot.tape.merkle import ProofError
from folkmoot.tape.model import Codec, TapeDamaged
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.taken_out import taken_out

PROOF_PARTS_MAX = 4096
CHECKPOINTS_MAX = 500


class ReplacedPart(msgspec.Struct, frozen=True):
    """A part that a decision took out: the leaf stays, `frames_sha256` is what stands there now."""

    number: int
    redaction: str
    reason: str
    at_unix_ms: int
    frames_sha256: bytes


class Proof(msgspec.Struct, frozen=True):
    """Leaves (77 bytes each, one after the other) from number `first` on, and what proves them. Bytes are base64.

    `checkpoint` is the newest signed note; `before` and `after` are the hashes of the complete subtrees on both
    sides of the range, in order, so that the root over all of them is the signed one. `parts` is how many parts
    the recording has, signed or not yet; `replay_to_ms` where its replay ends, if not with it.
    """

    verifier_key: str
    checkpoint: str
    parts: int
    ended: bool
    replay_to_ms: int | None
    first: int
    leaves: bytes
    before: list[bytes]
    after: list[bytes]
    replaced: list[ReplacedPart]


def prove(directory: Path, codec: Codec, from_ms: int, to_ms: int, replay_to_ms: int | None = None) -> Proof | None:
    """The proof of the parts that overlap a range, as far as they are signed, and of PROOF_PARTS_MAX at most.

    None where nothing is signed yet. Raises TapeMissing, TapeDamaged.
    """
    notes = _notes(directory, codec)
    if not notes:
        return None
    size = _size(notes[-1])
    with TapeReader(directory) as reader, Leaves(directory, codec) as leaves:
        first, past_last = reader.numbers(codec, from_ms, to_ms)
        first = min(first, size)
        past_last = min(max(first, past_last), size, first + PROOF_PARTS_MAX)
        return Proof(
            verifier_key=layout.verifier_key_path(directory).read_text().strip(),
            checkpoint=notes[-1],
            parts=reader.count(codec),
            ended=reader.ended,
            replay_to_ms=replay_to_ms,
            first=first,
            leaves=leaves.read(first, past_last),
            before=leaves.hashes(0, first),
            after=leaves.hashes(past_last, size),
            replaced=_replaced(directory, codec, range(first, past_last)),
        )


def checkpoints(directory: Path, codec: Codec, skip: int) -> str | None:
    """Signed notes, one after the other, oldest first, without the first `skip`; CHECKPOINTS_MAX at most.

    None where nothing is signed yet.
    """
    notes = _notes(directory, codec)
    return "".join(notes[skip : skip + CHECKPOINTS_MAX]) if notes else None


def proven(proof: Proof, verifier: Verifier) -> Checkpoint:
    """The checkpoint that proves these leaves. Raises NoteInvalid where none does."""
    checkpoint = parse_checkpoint(verifier.open(proof.checkpoint))
    try:
        root = merkle.root_around(proof.before, proof.first, hashes_of(proof.leaves), proof.after, checkpoint.size)
    except ProofError as error:
        raise NoteInvalid(f"The proof does not fit: {error}.") from error
    if root != checkpoint.root:
        raise NoteInvalid("The proof does not lead to the signed root.")
    return checkpoint


def _notes(directory: Path, codec: Codec) -> list[str]:
    try:
        return split_notes(layout.checkpoints_path(directory, codec).read_bytes())[0]
    except FileNotFoundError:
        return []


def _size(note: str) -> int:
    """Of how many parts it is; whether it is signed well is for who reads it. Raises TapeDamaged."""
    try:
        return parse_checkpoint(note.rpartition("\n\n")[0] + "\n").size
    except NoteInvalid as error:
        raise TapeDamaged(f"the last checkpoint can't be read: {error}") from error


def _replaced(directory: Path, codec: Codec, numbers: range) -> list[ReplacedPart]:
    replaced = taken_out(directory, codec)
    return [
        ReplacedPart(number, part.redaction, part.reason, part.at_unix_ms, part.frames_sha256)
        for number in numbers
        if (part := replaced.get(number)) is not None
    ]
