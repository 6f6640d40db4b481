"""A speaker whose voice says what time it is, and programs that play what listeners are sent."""

import base64
import io
import json
import os
import queue
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import av
import numpy as np
import numpy.typing as npt
from tests.stage.peers import Client, Tone
from tests.support.waiting import PATIENCE_S

RATE = 48_000
STEP_S = 0.5
STEPS = 24
LOWEST_HZ = 400
APART_HZ = 50

Pcm = npt.NDArray[np.int16]


class Scale(Tone):
    """A tone that climbs a step every half second: of any stretch one hears which it was."""

    async def recv(self):  # type: ignore[no-untyped-def]
        self.frequency = LOWEST_HZ + APART_HZ * (int(self._sent * 0.02 / STEP_S) % STEPS)
        return await super().recv()


def singer() -> Client:
    client = Client(LOWEST_HZ)
    client.tone = Scale(LOWEST_HZ)
    return client


def steps_heard(pcm: Pcm) -> list[int]:
    """The steps of the scale in the order in which they are heard, each once for as long as it lasts."""
    window = int(0.1 * RATE)
    found: list[int] = []
    for at in range(0, len(pcm) - window + 1, window):
        piece = pcm[at : at + window].astype(float)
        if np.abs(piece).max() < 500:
            continue
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(window), 4 * window))
        step = round((int(np.argmax(spectrum)) * RATE / (4 * window) - LOWEST_HZ) / APART_HZ)
        if not found or found[-1] != step:
            found.append(step)
    return found


def climbs(steps: list[int]) -> bool:
    """Whether every step follows the one before it: nothing is missing, nothing comes twice."""
    return all((after - before) % STEPS == 1 for before, after in pairwise(steps))


def by_ffmpeg(address: str, seconds: float) -> Pcm:
    command = ["ffmpeg", "-v", "error", "-i", address, "-t", str(seconds)]
    command += ["-f", "s16le", "-ac", "1", "-ar", str(RATE), "-"]
    played = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S)
    assert played.returncode == 0, played.stderr.decode()
    return np.frombuffer(played.stdout, np.int16)


def by_mpv(address: str, seconds: float, folder: Path) -> Pcm:
    path = folder / "mpv.pcm"
    command = ["mpv", "--no-config", "--no-video", "--msg-level=all=error", "--ao=pcm", "--ao-pcm-waveheader=no"]
    command += [
        f"--ao-pcm-file={path}",
        "--audio-samplerate=48000",
        "--audio-channels=mono",
        "--audio-format=s16",
        f"--length={seconds}",
    ]
    played = subprocess.run([*command, address], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert played.returncode == 0, played.stdout + played.stderr
    return np.fromfile(path, np.int16)


_ROOT = Path(__file__).parents[2]
_FILES = {
    "/": (Path(__file__).with_name("player_page.html"), "text/html"),
    "/bench.js": (_ROOT / "src/folkmoot/bench/latency_page.js", "text/javascript"),
    "/hls.js": (_ROOT / "web/node_modules/hls.js/dist/hls.min.js", "text/javascript"),
}
_FIREFOX_MAY_SOUND = 'user_pref("media.autoplay.default", 0);\nuser_pref("media.autoplay.blocking_policy", 0);\n'


class _Page(BaseHTTPRequestHandler):
    """The page that plays, and where it reports to."""

    reports: queue.Queue[dict[str, Any]]
    following: Iterator[str]

    def do_GET(self) -> None:
        file, kind = _FILES.get(self.path.partition("?")[0], (None, ""))
        content = file.read_bytes() if file else b""
        self.send_response(200 if file else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        following = next(self.following, "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(following)))
        self.end_headers()
        self.wfile.write(following)

    def log_message(self, *_: object) -> None:
        pass


def by_browser(browser: str, base: str, hows: Sequence[str], seconds: float, folder: Path) -> list[Pcm]:
    """What a browser plays, in these ways one after the other: mse (our stream), hls (hls.js) or native."""
    reports: queue.Queue[dict[str, Any]] = queue.Queue()

    class Page(_Page):
        """That of this browser."""

    Page.reports = reports
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        queries = [urlencode({"base": base, "how": how, "seconds": seconds}) for how in hows]
        first, *others = [f"http://127.0.0.1:{server.server_port}/?{query}" for query in queries]
        Page.following = iter(others)
        with _browser(browser, folder, first):
            found = [reports.get(timeout=PATIENCE_S) for _ in hows]
        server.shutdown()
    assert [report for report in found if "error" in report] == []
    return [_decoded(base64.b64decode(report["sound"])) for report in found]


@contextmanager
def _browser(browser: str, folder: Path, address: str) -> Iterator[None]:
    profile = folder / "profile"
    profile.mkdir()
    if browser == "firefox-esr":
        (profile / "user.js").write_text(_FIREFOX_MAY_SOUND)
        command = [browser, "--headless", "--no-remote", "--profile", str(profile), address]
    else:
        command = [browser, "--headless=new", "--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        command += [f"--user-data-dir={profile}", "--no-first-run", address]
    environment = {**os.environ, "HOME": str(folder)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _decoded(content: bytes) -> Pcm:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(io.BytesIO(content), "r") as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().ravel() for frame in frames]).astype(np.int16)
