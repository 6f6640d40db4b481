"""A tape that a stage writes and a worker signs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.tape.conftest import Clock

from folkmoot.tape import layout, merkle
from folkmoot.tape.checkpoint import Checkpoint, Signer, parse_checkpoint, split_notes
from folkmoot.tape.leaf import leaf_data
from folkmoot.tape.model import Codec, Note, Part
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.signing import sign_tape
from folkmoot.tape.writer import TapeWriter

SPACE = "moot.example/spaces/7"
SIGNER = Signer("moot.example/tapes", bytes(range(32)))
Steps = Callable[..., tuple[Part, ...]]


class Evening:
    """In the folder `7`; its clock stands still."""

    def __init__(self, directory: Path, step_parts: Steps) -> None:
        self.directory = directory
        self.clock = Clock()
        self.writer = TapeWriter.open(directory, self.clock)
        self._step_parts = step_parts

    def say(self, steps: int) -> None:
        first = self.writer.next_samples // 4800
        for step in range(first, first + steps):
            self.writer.append(self._step_parts(step, 200), Note(speaking=(step % 3,)))

    def sign(self) -> int:
        return sign_tape(self.directory, SPACE, SIGNER)

    def checkpoints(self, codec: Codec = Codec.OPUS) -> list[Checkpoint]:
        notes, _ = split_notes(layout.checkpoints_path(self.directory, codec).read_bytes())
        return [parse_checkpoint(SIGNER.verifier.open(note)) for note in notes]

    def root(self, size: int, codec: Codec = Codec.OPUS) -> bytes:
        """From the sound alone."""
        with TapeReader(self.directory) as reader:
            refs = reader.numbered(codec, 0, size)
            return merkle.root_of(merkle.leaf_hash(leaf_data(ref, reader.read([ref])).encode()) for ref in refs)
