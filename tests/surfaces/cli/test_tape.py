"""`folkmoot tape verify`: a folder, a server, and what it says of them."""

import shutil
from pathlib import Path

import msgspec
import pytest
from tests.tape.conftest import _step_parts
from tests.tape.evening import SIGNER, Evening
from typer.testing import CliRunner, Result

from folkmoot.serve.tape import tape
from folkmoot.surfaces.cli.tape import Report, length, lines
from folkmoot.tape import layout
from folkmoot.tape.checkpoint import Signer
from folkmoot.tape.cut import cut_clip, download
from folkmoot.tape.evidence import evidence_of
from folkmoot.tape.model import Codec
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.verify import verify


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    evening = Evening(tmp_path_factory.mktemp("tapes") / "7", _step_parts)
    evening.say(30)
    evening.sign()
    evening.writer.close()
    evening.sign()
    return evening.directory


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "7"))


def run(*words: str) -> Result:
    return CliRunner().invoke(tape, list(words))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_an_intact_recording(folder: Path) -> None:
    result = run("verify", str(folder))
    assert result.exit_code == 0
    assert f"{folder}: intact" in result.stdout
    assert "opus: intact; 0 min 3 s signed, 30 parts, 2 checkpoints" in result.stdout
    assert str(SIGNER.verifier) in result.stdout
    assert "give it with --key" in result.stdout


def test_the_key_may_be_pinned(folder: Path) -> None:
    result = run("verify", str(folder), "--key", str(SIGNER.verifier))
    assert result.exit_code == 0
    assert "give it with --key" not in result.stdout
    other = Signer("moot.example/tapes", bytes(32))
    refused = run("verify", str(folder), "--key", str(other.verifier))
    assert refused.exit_code == 1
    assert "not signed by the key" in refused.stdout
    assert run("verify", str(folder), "--key", "nonsense").exit_code == 2


def test_damage_is_a_line_with_its_place(folder: Path) -> None:
    sound = layout.sound_path(folder, Codec.OPUS)
    flip(sound, sound.stat().st_size - 1)
    result = run("verify", str(folder))
    assert result.exit_code == 1
    assert "NOT what was signed" in result.stdout
    assert "00:00:02.9–00:00:03.0 altered: The sound is not what was signed." in result.stdout
    assert "aac: intact" in result.stdout


def test_json(folder: Path) -> None:
    flip(layout.sound_path(folder, Codec.OPUS), -1)
    result = run("verify", str(folder), "--json")
    report = msgspec.json.decode(result.stdout, type=Report)
    assert (result.exit_code, report.intact, report.pinned) == (1, False, False)
    assert [finding.from_ms for finding in report.renditions[0].findings] == [2_900]


def test_another_space_s_recording_in_this_one_s_folder(folder: Path) -> None:
    renamed = folder.rename(folder.with_name("8"))
    result = run("verify", str(renamed))
    assert result.exit_code == 1
    assert "which is not the Space 8" in result.stdout


@pytest.mark.parametrize("what", ["nowhere", "https://moot.example/about", "ftp://moot.example/spaces/1"])
def test_what_can_not_be_verified(what: str) -> None:
    result = run("verify", what)
    assert result.exit_code == 2
    assert result.stderr.strip().endswith((".", "recording."))


def test_a_folder_without_a_key(folder: Path) -> None:
    layout.verifier_key_path(folder).unlink()
    result = run("verify", str(folder))
    assert result.exit_code == 2
    assert "--key" in result.stderr
    assert run("verify", str(folder), "--key", str(SIGNER.verifier)).exit_code == 0


def test_a_file_needs_its_space(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.m4a"
    with TapeReader(folder) as reader:
        path.write_bytes(cut_clip(reader, 0, 2_000))
    result = run("verify", str(path))
    assert result.exit_code == 2
    assert "--space" in result.stderr
    path.write_bytes(b"no sound")
    result = run("verify", str(path))
    assert result.exit_code == 2
    assert "no sound file" in result.stderr


def test_a_file_does_not_choose_its_own_judge(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.m4a"
    with TapeReader(folder) as reader:
        path.write_bytes(b"".join(download(reader, page="http://127.0.0.1:9/spaces/7")))
    result = run("verify", str(path))
    assert result.exit_code == 2
    assert "This file itself names http://127.0.0.1:9 to judge it" in result.stderr
    assert "--space http://127.0.0.1:9/spaces/7" in result.stderr
    with_key = run("verify", str(path), "--key", str(SIGNER.verifier))
    assert with_key.exit_code == 2  # it was asked, and is not there
    assert "refused" in with_key.stderr


def test_who_signed_and_who_was_asked_is_said(folder: Path) -> None:
    verdict = verify(evidence_of(folder, Codec.AAC, lambda done, of: None), SIGNER.verifier, None)
    said = "\n".join(lines(Report("x", True, True, "key", False, "https://moot.example", [verdict])))
    assert "signed as moot.example/spaces/7/aac, asked https://moot.example" in said
    assert "The key is the one that https://moot.example names." in said
    assert "signed as moot.example/spaces/7/opus\n" in run("verify", str(folder)).stdout


def test_an_end_that_is_not_signed_is_said(folder: Path) -> None:
    evidence = evidence_of(folder, Codec.AAC, lambda done, of: None)
    live = msgspec.structs.replace(evidence, notes=evidence.notes[:1], ended=False)
    verdict = verify(live, SIGNER.verifier, None)
    (_, line, *_) = lines(Report("x", True, True, "key", True, None, [verdict]))
    assert line.endswith("its end is not signed: there may be more")


def test_lengths_for_people() -> None:
    assert (length(7_384_999), length(61_000)) == ("2 h 3 min 4 s", "1 min 1 s")


def test_the_operator_s_key(tmp_path: Path) -> None:
    assert run("key", "--data", str(tmp_path)).exit_code == 1
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/tape-log.verifier").write_text(f"{SIGNER.verifier}\n")
    assert run("key", "--data", str(tmp_path)).stdout == f"{SIGNER.verifier}\n"
