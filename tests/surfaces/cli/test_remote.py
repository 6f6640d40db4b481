"""Verifying what a server lets anybody hear: the application itself answers here, over its own handlers."""

import asyncio
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.support.people import People
from tests.tape.conftest import _step_parts
from tests.tape.evening import SIGNER, Evening

from folkmoot.recordings.actions import close_recording
from folkmoot.surfaces.cli.remote import CannotVerify, RemoteSpace, _Server
from folkmoot.surfaces.cli.tape import Report, lines, of_file
from folkmoot.surfaces.services import Services
from folkmoot.tape import layout
from folkmoot.tape.loose import read_loose
from folkmoot.tape.model import Codec
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.redact import redact
from folkmoot.tape.redactions import Redaction
from folkmoot.tape.signing import sign_tape
from folkmoot.tape.verify import Kind, Verdict, verify

SPACES = "/api/folkmoot/v1/spaces"
RECORDED_MS = 130_000  # more than two of the minutes in which sound is fetched


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    evening = Evening(tmp_path_factory.mktemp("recorded") / "tape", _step_parts)
    evening.say(RECORDED_MS // 100)
    evening.writer.close()
    return evening.directory


@pytest.fixture
async def space_id(
    client: httpx.AsyncClient, alice: Any, people: People, services: Services, recorded: Path
) -> str:
    """An ended Space with a signed recording."""
    body = {"title": "The Moot", "start": True, "recorded": True}
    made: str = (await client.post(SPACES, json=body, headers=alice.headers)).json()["id"]
    await client.post(f"{SPACES}/{made}/commands", json={"do": "end"}, headers=alice.headers)
    directory = Path(shutil.copytree(recorded, services.tapes_directory / made))
    with TapeReader(directory) as reader:
        await people.system(lambda acting: close_recording(acting, int(made), reader.end_ms))
    sign_tape(directory, f"moot.example/spaces/{made}", SIGNER)
    return made


@pytest.fixture
async def space(client: httpx.AsyncClient, space_id: str) -> RemoteSpace:
    loop = asyncio.get_running_loop()

    def get(path: str) -> tuple[int, bytes]:
        answer = asyncio.run_coroutine_threadsafe(client.get(path), loop).result()
        return answer.status_code, answer.content

    return RemoteSpace(get, "moot.example", space_id)


@pytest.fixture
def checked(space: RemoteSpace) -> Callable[..., Any]:
    async def check(codec: Codec = Codec.AAC) -> Verdict:
        verifier = await asyncio.to_thread(space.verifier)
        evidence = await asyncio.to_thread(space.evidence, codec, lambda done, of: None)
        return verify(evidence, verifier, space.name)

    return check


@pytest.mark.parametrize("codec", list(Codec))
async def test_a_replay_as_it_is_served(checked: Callable[..., Any], codec: Codec) -> None:
    verdict = await checked(codec)
    assert verdict.findings == ()
    assert verdict.parts >= 1_300
    assert verdict.found_ms == verdict.signed_ms > RECORDED_MS - 100


async def test_a_served_byte_that_was_altered(
    checked: Callable[..., Any], services: Services, space_id: str
) -> None:
    directory = services.tapes_directory / space_id
    with TapeReader(directory) as reader:
        (ref,) = reader.numbered(Codec.OPUS, 700, 701)
    with layout.sound_path(directory, Codec.OPUS).open("r+b") as file:
        file.seek(ref.offset + ref.length - 2)
        file.write(b"\xde\xad")
    (finding,) = (await checked(Codec.OPUS)).findings
    assert (finding.kind, finding.from_ms, finding.to_ms) == (Kind.ALTERED, 70_000, 70_100)


async def test_a_trim_and_a_decision_are_no_damage(
    checked: Callable[..., Any], services: Services, space_id: str, client: httpx.AsyncClient, alice: Any
) -> None:
    directory = services.tapes_directory / space_id
    redact(directory, Redaction("12", 90_000, 91_000, "an address", "host", 1))
    sign_tape(directory, "", SIGNER)
    trimmed = await client.patch(
        f"{SPACES}/{space_id}/replay", json={"start_ms": 65_000, "end_ms": 120_000}, headers=alice.headers
    )
    assert trimmed.status_code == 200
    verdict = await checked(Codec.OPUS)
    assert verdict.is_intact
    assert [(finding.kind, finding.from_ms) for finding in verdict.findings] == [
        *((Kind.NOT_SERVED, 0), (Kind.REDACTED, 90_000), (Kind.NOT_SERVED, 120_000)),
    ]
    assert verdict.findings[0].to_ms == 65_000


def between(space: RemoteSpace, tamper: Callable[[str, int, bytes], tuple[int, bytes]]) -> RemoteSpace:
    """The Space as somebody without the key lets it be seen, who sits between the server and whoever asks."""
    get = space._get
    return RemoteSpace(lambda path: tamper(path, *get(path)), space.host, space.name.rpartition("/")[2])


def said(content: bytes, **fields: Any) -> bytes:
    """A proof that says something else."""
    return msgspec.json.encode({**msgspec.json.decode(content), **fields})


async def test_who_hides_most_of_it_does_not_get_it_called_intact(space: RemoteSpace) -> None:
    def hide(path: str, status: int, content: bytes) -> tuple[int, bytes]:
        if "/proof/aac?" in path:
            return 200, said(content, replay_to_ms=120_000)
        if "/media/aac?" in path and "from_ms=60000" not in path:
            return 416, b""
        return status, content

    evidence = await asyncio.to_thread(between(space, hide).evidence, Codec.AAC, lambda done, of: None)
    verdict = verify(evidence, SIGNER.verifier, space.name)
    assert [finding.kind for finding in verdict.findings] == [Kind.NOT_SERVED, Kind.NOT_SERVED]
    assert "host's choice" not in str(verdict.findings)
    assert 60_000 < verdict.not_served_ms < 71_000
    report = Report("x", False, True, "key", True, "https://moot.example", [verdict])
    assert lines(report)[0] == "x: intact as far as served: 1 min 0 s of 2 min 9 s"
    assert report.exit_code == 2


async def test_who_hides_all_of_it_leaves_nothing_to_verify(space: RemoteSpace) -> None:
    def hide(path: str, status: int, content: bytes) -> tuple[int, bytes]:
        if "/proof/opus?" in path:
            return 200, said(content, replay_to_ms=0)
        return (416, b"") if "/media/opus?" in path else (status, content)

    with pytest.raises(CannotVerify, match=r"https://moot.example serves nothing of the opus sound"):
        await asyncio.to_thread(between(space, hide).evidence, Codec.OPUS, lambda done, of: None)


async def test_another_server_s_key_is_none(space: RemoteSpace) -> None:
    other = RemoteSpace(space._get, "other.example", space.name.rpartition("/")[2])
    with pytest.raises(CannotVerify, match=r"key of moot.example/tapes, not of other.example/tapes"):
        await asyncio.to_thread(other.verifier)


async def test_what_the_server_refuses_is_said(
    checked: Callable[..., Any], services: Services, space_id: str
) -> None:
    for codec in Codec:
        layout.checkpoints_path(services.tapes_directory / space_id, codec).unlink()
    with pytest.raises(CannotVerify, match="Nothing of this recording is signed yet"):
        await checked()


async def test_a_download(
    client: httpx.AsyncClient, space: RemoteSpace, space_id: str, tmp_path: Path, services: Services
) -> None:
    path = tmp_path / "space.m4a"
    path.write_bytes((await client.get(f"{SPACES}/{space_id}/download")).content)
    assert read_loose(path).comment == f"{services.site.base_url}/spaces/{space_id}"
    verdicts, key = await asyncio.to_thread(of_file, read_loose(path), space, None)
    (verdict,) = verdicts
    assert verdict.is_intact
    assert key == str(SIGNER.verifier)
    (excerpt,) = verdict.findings
    assert (excerpt.kind, excerpt.from_ms) == (Kind.EXCERPT, 0)
    assert excerpt.to_ms > RECORDED_MS - 200
    content = bytearray(path.read_bytes())
    content[-100_000] ^= 1
    path.write_bytes(content)
    verdicts, _ = await asyncio.to_thread(of_file, read_loose(path), space, None)
    (verdict,) = verdicts
    assert [finding.kind for finding in verdict.findings] == [Kind.EXCERPT, Kind.ALTERED]
    assert not verdict.is_intact


async def test_a_clip_that_says_another_rate_is_altered(
    client: httpx.AsyncClient, space: RemoteSpace, space_id: str, tmp_path: Path
) -> None:
    content = (await client.get(f"{SPACES}/{space_id}/download")).content
    described = b"\x05\x80\x80\x80\x02"
    path = tmp_path / "slow.m4a"
    path.write_bytes(content.replace(described + b"\x11\x88", described + b"\x13\x08"))  # 48 kHz, 24 kHz
    (verdict,), _ = await asyncio.to_thread(of_file, read_loose(path), space, None)
    assert not verdict.is_intact
    assert verdict.findings[0].kind is Kind.HEADER


class Busy(http.server.BaseHTTPRequestHandler):
    """Answers the second time."""

    asked = 0

    def do_GET(self) -> None:
        Busy.asked += 1
        is_busy = Busy.asked == 1
        self.send_response(503 if is_busy else 200)
        if is_busy:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def busy() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_busy_server_is_asked_again(busy: str) -> None:
    assert _Server("http", busy).get("/x") == (200, b"ok")
    assert Busy.asked == 2
