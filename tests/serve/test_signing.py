"""The worker's part in signing: which tapes, under which name, and that its failure holds nothing up."""

from pathlib import Path

from folkmoot.serve.places import places
from folkmoot.serve.signing import TapeSigning, verifier_key_path
from folkmoot.settings import Settings
from folkmoot.tape import layout
from folkmoot.tape.checkpoint import Verifier, parse_checkpoint, split_notes
from folkmoot.tape.encode import silent_frame
from folkmoot.tape.model import Codec, Note, Part
from folkmoot.tape.writer import TapeWriter


async def nobody() -> list[int]:
    return []


def step(number: int) -> Part:
    return Part(Codec.OPUS, number * 4_800, (silent_frame(Codec.OPUS),) * 5)


async def test_a_tape_is_signed_under_the_name_of_its_server(tmp_path: Path) -> None:
    where = places(Settings(data=str(tmp_path)))
    where.make()
    signing = TapeSigning(where, "https://moot.example", nobody)
    writer = TapeWriter.open(where.tape(7), lambda: 0)
    writer.append((step(0),), Note())
    await signing.sign(7)
    path = layout.checkpoints_path(where.tape(7), Codec.OPUS)
    (note,), _ = split_notes(path.read_bytes())
    verifier = Verifier.parse(verifier_key_path(where).read_text())
    assert verifier.name == "moot.example/tapes"
    assert parse_checkpoint(verifier.open(note)).origin == "moot.example/spaces/7/opus"

    path.write_bytes(b"\n\n\xe2\x80\x94 somebody AAAA\n")
    writer.append((step(1),), Note())
    await signing.sign(7)
    await signing.sign(8)
    assert b"somebody" in path.read_bytes()
    writer.close()
