"""`folkmoot tape verify` before servers, addresses and folders that mean it harm: one sentence, and exit code 2."""

import base64
import contextlib
import json
import os
import shutil
import socket
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.tape.conftest import _step_parts
from tests.tape.evening import SIGNER, Evening
from typer.testing import CliRunner, Result

from folkmoot.serve.tape import tape
from folkmoot.surfaces.cli import remote
from folkmoot.surfaces.cli.remote import CannotVerify, RemoteSpace
from folkmoot.surfaces.cli.tape import Report, lines
from folkmoot.tape import layout
from folkmoot.tape.checkpoint import NoteInvalid, Verifier
from folkmoot.tape.cut import download
from folkmoot.tape.evidence import evidence_of
from folkmoot.tape.model import Codec
from folkmoot.tape.proof import prove
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.verify import Evidence, Finding, Kind, verify

ESCAPES = "\x1b[2J\x1b[Hhttps://moot.example/spaces/7: intact\x9b8m"
DEEP = b'{"x":' + b"[" * 200_000


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    evening = Evening(tmp_path_factory.mktemp("tapes") / "7", _step_parts)
    evening.say(30)
    evening.writer.close()
    evening.sign()
    return evening.directory


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "7"))


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], str]]:
    """A server that has one reply to everything, and hangs up unless the reply is empty; its address."""
    with contextlib.ExitStack() as stack:

        def start(reply: bytes) -> str:
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def answer() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        asking = stack.enter_context(listening.accept()[0])
                        asking.recv(65_536)
                        asking.sendall(reply)
                        if reply:
                            asking.close()

            thread = threading.Thread(target=answer)
            thread.start()
            stack.callback(thread.join)
            stack.callback(listening.shutdown, socket.SHUT_RDWR)
            return f"http://127.0.0.1:{listening.getsockname()[1]}/spaces/7"

        yield start


def run(*words: str) -> Result:
    return CliRunner().invoke(tape, ["verify", *words])


def require_one_sentence(result: Result) -> None:
    assert result.exit_code == 2, result.exception
    assert isinstance(result.exception, SystemExit)
    sentence = result.stderr.removeprefix("\r").removesuffix("\n")
    assert sentence
    assert sentence.isprintable()


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 503 x\r\nRetry-After: \xb2\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 x\r\nRetry-After: " + b"9" * 5000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 x\r\n\r\n" + DEEP,
        b"HTTP/1.1 400 x\r\n\r\n" + DEEP,
        b"HTTP/1.1 404 x\r\n\r\n" + json.dumps({"error": ESCAPES}).encode(),
        b"HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        b"\x1b[2J",
    ],
)
def test_what_a_server_answers(
    serve: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch, reply: bytes
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    require_one_sentence(run(serve(reply)))


def test_a_server_that_never_ends_has_a_time_to_do_so(
    serve: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folkmoot.surfaces.cli.tape.DEADLINE_S", 0.05)
    result = run(serve(b""))
    require_one_sentence(result)
    assert "longer than 0.05 s" in result.stderr


@pytest.mark.parametrize(
    "address",
    [
        *("http://[/spaces/7", "http://" + "a" * 70 + ".example/spaces/7", "http://a\0b/spaces/7"),
        *("http://127.0.0.1:99999999/spaces/7", "http://127.0.0.1:65536/spaces/7", "http://a..b/spaces/7"),
        *("https://moot.example@evil.example/spaces/7", "https://möot.example/spaces/7", "http:///spaces/7"),
        *("https://moot.example/spaces/٧", "://", "https://moot.example/spaces/" + "9" * 5000),
    ],
)
def test_addresses_that_are_none(address: str) -> None:
    require_one_sentence(run(address))


def test_a_file_that_names_such_an_address(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.m4a"
    for named in ("https://[/spaces/7", ESCAPES, f"https://evil.example/spaces/7?$(reboot){ESCAPES}"):
        with TapeReader(folder) as reader:
            path.write_bytes(b"".join(download(reader, page=named)))
        result = run(str(path))
        require_one_sentence(result)
        assert "reboot" not in result.stderr  # people paste what they are told to say


def test_a_folder_whose_json_is_nested_too_deeply(folder: Path) -> None:
    layout.header_path(folder).write_bytes(DEEP[:60_000])
    result = run(str(folder))
    assert result.exit_code == 1
    assert "header: When the recording began" in result.stdout
    layout.redactions_path(folder).write_bytes(DEEP + b"\n")
    assert run(str(folder)).exit_code == 1


@pytest.mark.parametrize(
    "name",
    ["opus.index", "opus.leaves", "aac.checkpoints", "tape.json", "redactions", "verifier-key", "opus.copies"],
)
def test_a_file_that_claims_a_terabyte(folder: Path, name: str) -> None:
    path = folder / name
    path.touch()
    os.truncate(path, 1 << 40)
    tracemalloc.start()
    require_one_sentence(run(str(folder)))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 20 << 20


def test_a_pipe_in_the_place_of_a_file(folder: Path) -> None:
    layout.index_path(folder, Codec.OPUS).unlink()
    os.mkfifo(layout.index_path(folder, Codec.OPUS))
    require_one_sentence(run(str(folder)))


def test_no_word_of_others_reaches_the_terminal_as_it_is(folder: Path) -> None:
    evidence = evidence_of(folder, Codec.AAC, lambda done, of: None)
    verdict = verify(evidence, SIGNER.verifier, None)
    finding = Finding(Kind.REDACTED, Codec.AAC, 0, 100, f"Taken out by decision {ESCAPES}: {ESCAPES}.")
    verdict = msgspec.structs.replace(verdict, origin=ESCAPES, findings=(finding,))
    for line in lines(Report(ESCAPES, True, True, ESCAPES, False, ESCAPES, [verdict])):
        assert line.isprintable()
    strange = folder.rename(folder.with_name("\x1b[2J"))
    assert "\x1b" not in run(str(strange)).stdout
    assert run(str(strange), "--json").stdout.isascii()


def test_a_key_with_a_name_that_a_terminal_obeys() -> None:
    with pytest.raises(NoteInvalid):
        Verifier("moot.example/tapes\x1b[2J", bytes(32))


def asked(folder: Path, **fields: Any) -> Evidence:
    """What comes of a server whose proofs say something else than they should."""
    proof = prove(folder, Codec.AAC, 0, 1000)

    def get(path: str) -> tuple[int, bytes]:
        if "/checkpoints" in path:
            return 200, layout.checkpoints_path(folder, Codec.AAC).read_bytes()
        return 200, msgspec.json.encode({**msgspec.to_builtins(proof), **fields})

    return RemoteSpace(get, "moot.example", "7").evidence(Codec.AAC, lambda done, of: None)


def test_one_part_that_starts_at_the_end_of_time(folder: Path) -> None:
    leaf = base64.b64encode(struct.pack(">QIB32s32s", 2**63, 4800, 0, b"", b"")).decode()
    with pytest.raises(CannotVerify, match="longer recording than there can be"):
        asked(folder, leaves=leaf, first=0)


def test_parts_without_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PARTS_MAX", 5)
    with pytest.raises(CannotVerify, match="more parts"):
        asked(folder)
