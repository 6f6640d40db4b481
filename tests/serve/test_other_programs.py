"""Other programs by WHIP and WHEP at a whole server: what they say is on the tape, what is said they hear."""

import base64
import io
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright
from tests.story.people import ALIKE, PATIENCE_MS, RECORD, TRIES, browser
from tests.story.sound import RATE, Sound, most_alike, read, recorded_voice, write
from tests.support.server import Server, eventually, running_server
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SPACES = "/api/folkmoot/v1/spaces"
PIECE_MS = 5_000
WORDS = ("Front_Center", "Rear_Left", "Side_Right")

PUBLISH = """
import { WHIPClient } from '@eyevinn/whip-web-client';
window.publish = async (endpoint, token) => {
  const stream = await navigator.mediaDevices.getUserMedia(
    { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  const client = new WHIPClient({ endpoint, opts: { authkey: token, noTrickleIce: true } });
  await client.ingest(stream);
  window.client = client;
};
"""
LISTEN = """
async (endpoint) => {
  const peer = new RTCPeerConnection();
  peer.addTransceiver('audio', { direction: 'recvonly' });
  const sound = new Promise((resolve) => (peer.ontrack = ({ track }) => resolve(new MediaStream([track]))));
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await fetch(endpoint, {
    method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: peer.localDescription.sdp });
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  const stream = await sound;
  const audio = document.body.appendChild(new Audio());
  audio.srcObject = stream;
  await audio.play();
  window.location_ = new URL(answer.headers.get('Location'), endpoint).href;
  return answer.status;
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("whole") / "data", whep_listeners_max="2") as running:
        yield running


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_voice(tmp_path_factory.mktemp("voice") / "voice.wav", WORDS, 0.4)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page of another origin that publishes with Eyevinn's WHIP client."""
    directory = tmp_path_factory.mktemp("page")
    entry = ROOT / "web" / f"whip-test-{directory.name}.js"
    entry.write_text(PUBLISH)
    try:
        bundler = [str(ROOT / "web/node_modules/.bin/rolldown"), str(entry), "--format", "iife"]
        command = [*bundler, "--file", str(directory / "it.js")]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
    finally:
        entry.unlink()
    (directory / "index.html").write_text("<!doctype html><title>Elsewhere</title><script src=it.js></script>")

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(directory))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
            pass

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_address[1]}/"
    serving.shutdown()
    serving.server_close()


OFFER = """
async () => {
  const peer = new RTCPeerConnection();
  peer.addTransceiver('audio', { direction: 'recvonly' });
  await peer.setLocalDescription(await peer.createOffer());
  return peer.localDescription.sdp;
}
"""
SDP = {"Content-Type": "application/sdp"}


class Host:
    """An account with a live Space, whose seat another program speaks on."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.http = server.client(server.token(name))
        space = self.http.post(SPACES, json={"title": "From a studio", "start": True}).json()
        self.space = f"{SPACES}/{space['id']}"
        made = self.http.post(f"{self.space}/whip/tokens")
        assert made.status_code == 201, made.text
        self.url, self.token = made.json()["url"], made.json()["token"]

    def listeners(self) -> int:
        return int(self.http.get(self.space).json()["listener_count"])

    def is_connected(self) -> bool:
        seats = self.http.get(self.space).json()["stage"]
        return bool(seats[0]["connected"])

    def spoken_ms(self) -> int:
        seats = self.http.get(f"{self.space}/seats", params={"from_ms": 0, "to_ms": 600_000}).json()
        return max((to_ms for _, _, to_ms in seats["speech"]), default=0)

    def taped(self, from_ms: int, to_ms: int) -> Sound:
        part = self.http.get(f"{self.space}/media/opus", params={"from_ms": from_ms, "to_ms": to_ms})
        head = self.http.get(f"{self.space}/media/opus/init.mp4")
        assert (part.status_code, head.status_code) == (200, 200), part.text
        return decoded(head.content + part.content)


def decoded(content: bytes) -> Sound:
    with av.open(io.BytesIO(content), "r") as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().ravel() for frame in frames]).astype(np.float32)


@pytest.fixture(scope="module")
def page(voice: Path, elsewhere: str) -> Iterator[Page]:
    with sync_playwright() as playwright, browser(playwright, voice) as launched:
        page = launched.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(elsewhere)
        yield page


@pytest.fixture(scope="module")
def studio(server: Server, page: Page) -> Host:
    """Publishing with Eyevinn's client while the module's tests run."""
    host = Host(server, "hana")
    page.evaluate("([url, token]) => publish(url, token)", [host.url, host.token])
    eventually(host.spoken_ms, what="speech on the tape")
    return host


def require_alike(host: Host, voice: Path, from_ms: int) -> None:
    """What is on the tape is what was said, in one stretch of several: who is starved loses sound of its own."""
    measured = []
    for to_ms in range(from_ms + PIECE_MS, from_ms + (TRIES + 1) * PIECE_MS, PIECE_MS):
        eventually(lambda to_ms=to_ms: host.spoken_ms() > to_ms + 500, what="speech on the tape")  # type: ignore[misc]
        measured.append(most_alike(read(voice), host.taped(to_ms - PIECE_MS, to_ms), 4))
        if measured[-1] >= ALIKE:
            return
    raise AssertionError(f"what is on the tape is not what was said: {measured}")


def test_what_another_origins_whip_client_says_is_on_the_tape(studio: Host, voice: Path) -> None:
    require_alike(studio, voice, 3_000)


def test_a_browser_hears_it_by_whep(studio: Host, page: Page, voice: Path) -> None:
    assert page.evaluate(LISTEN, f"{studio.server.base_url}{studio.space}/whep") == 201
    alike = []
    for _ in range(TRIES):
        heard = decoded(base64.b64decode(page.evaluate(RECORD, [-1, 5_000])))
        alike.append(most_alike(read(voice), heard, 4))
        if alike[-1] >= ALIKE:
            break
    assert alike[-1] >= ALIKE, alike
    eventually(lambda: studio.listeners() == 1, what="the listener counted")
    assert page.evaluate("async () => (await fetch(location_, { method: 'DELETE' })).status") == 200
    eventually(lambda: studio.listeners() == 0, what="the listener gone")


def test_gstreamer_offers_sound_and_a_picture_and_its_sound_is_on_the_tape(
    server: Server, voice: Path, tmp_path: Path
) -> None:
    host = Host(server, "rosa")
    long = write(tmp_path / "long.wav", np.tile(read(voice), 6))
    # Debian's GStreamer binds to Debian's Python only.
    command = [
        "/usr/bin/python3",
        str(Path(__file__).with_name("gstreamer_whip.py")),
        str(long),
        host.url,
        host.token,
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as publisher:
        try:
            require_alike(host, voice, 3_000)
            publisher.communicate(timeout=PATIENCE_S)
        finally:
            publisher.kill()
    assert publisher.returncode == 0, "it hung up: DELETE was answered"
    assert host.http.get(host.space).json()["you"]["seat"] == 1, "and the seat is kept"


def test_one_listener_too_many_is_told_where_to_listen(studio: Host, page: Page) -> None:
    offer = page.evaluate(OFFER)
    whep = f"{studio.space}/whep"
    never_followed_up = [studio.http.post(whep, content=offer, headers=SDP) for _ in range(3)]
    assert [answer.status_code for answer in never_followed_up] == [201, 201, 201]
    locations = []
    for _ in range(2):
        assert page.evaluate(LISTEN, f"{studio.server.base_url}{whep}") == 201
        locations.append(page.evaluate("location_"))
    eventually(lambda: studio.listeners() == 2, what="the listeners counted")
    refused = studio.http.post(whep, content=offer, headers=SDP)
    assert (refused.status_code, refused.json()["code"]) == (503, "listeners_full")
    assert "retry-after" in refused.headers
    for location in locations:
        assert studio.http.delete(location).status_code == 200
    assert studio.http.post(whep, content=offer, headers=SDP).status_code == 201


def test_a_new_token_silences_who_has_the_old_one(studio: Host) -> None:
    began_ms = studio.spoken_ms()
    eventually(lambda: studio.spoken_ms() > began_ms, what="still heard")
    assert studio.http.post(f"{studio.space}/whip/tokens").status_code == 201
    eventually(lambda: not studio.is_connected(), what="the old connection closed")
    headers = {**SDP, "Authorization": f"Bearer {studio.token}"}
    with httpx.Client(base_url=studio.server.base_url, timeout=PATIENCE_S) as anybody:
        assert anybody.post(f"{studio.space}/whip", content="v=0", headers=headers).status_code == 401


def test_no_token_is_in_the_log(studio: Host) -> None:
    assert "fmseat_" not in studio.server.log.read_text()
