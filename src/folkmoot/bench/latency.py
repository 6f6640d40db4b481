"""`bench latency`: from one person's microphone to another's ear, in real browsers, against a whole server."""

import base64
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from folkmoot.bench.bursts import Recording, delays_ms, recording, write_bursts, write_silence
from folkmoot.bench.machine import this_machine
from folkmoot.bench.processes import CpuMeter, tree
from folkmoot.bench.report import Report, Result, at_most, command_line, median, shown
from folkmoot.bench.server import Server, running_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SPEAKER_MS = 200.0
MSE_MS = 500.0
HLS_MS = 1500.0

_SPACES = "/api/folkmoot/v1/spaces"
_PAGE = "/bench-page"
_SCRIPT = Path(__file__).with_name("latency_page.js")
_HLS_SCRIPT = Path(__file__).parents[3] / "web/node_modules/hls.js/dist/hls.min.js"
_CONNECT_WITHIN_MS = 20_000
_PLAY_WITHIN_MS = 30_000
# What plays for three seconds has found its place behind the edge.
_SETTLED_S = 3.0
_BURSTS_MIN = 4
_SAID, _HEARD = "said", "heard"


class LatencyFailed(Exception):
    """It could not be measured. The message is a sentence."""


def run_latency(seconds: float) -> Report:
    """Two speakers, then two listeners, each heard for `seconds`. Raises LatencyFailed, ServerFailed."""
    started_at, machine = datetime.now(UTC), this_machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folkmoot-bench-")))
        server = stack.enter_context(running_server(folder))
        evening = stack.enter_context(_evening(server, folder))
        meter, own = CpuMeter(server.pids), CpuMeter(lambda: _browsers(server))
        delays = evening.speakers(seconds) | evening.listeners(seconds)
        cores, browser_cores = meter.cores(), own.cores()
    results = [
        _result("speaker_to_speaker_ms", delays, SPEAKER_MS),
        _result("listener_mse_ms", delays, MSE_MS),
        _result("listener_hls_ms", delays, HLS_MS),
        shown("server_cores", cores, "cores"),
        shown("browser_cores", browser_cores, "cores"),
    ]
    return Report(
        bench="latency",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=results,
        notes=[*evening.notes, *(_spread(name, found) for name, found in delays.items())],
    )


def _result(name: str, delays: dict[str, list[float]], limit: float) -> Result:
    found = delays[name]
    return at_most(name, median(found) if len(found) >= _BURSTS_MIN else None, "ms", limit)


def _spread(name: str, found: list[float]) -> str:
    between = f", {min(found):.0f} to {max(found):.0f} ms" if found else ""
    return f"{name}: {len(found)} bursts heard{between}."


def _browsers(server: Server) -> list[int]:
    """Everything below this process that isn't the server."""
    ours = set(server.pids())
    return [pid for pid in tree(os.getpid()) if pid not in ours]


class _Evening:
    """A Space with two on stage, in two browsers: one says bursts, the other hears them."""

    def __init__(self, server: Server, talking: "Browser", hearing: "Browser") -> None:
        self._server = server
        self._hearing = hearing
        self._host, self._guest = _token(server, "ada"), _token(server, "ben")
        self.notes = [
            f"Chromium {talking.version}; all processes on one machine share its clock. What the device adds "
            "before the browser has a sound isn't in it; what it says it adds after is."
        ]
        space = server.call("POST", _SPACES, self._host, {"title": "Bench", "start": True})
        self._space = f"{_SPACES}/{space['id']}"
        self._talker = self._page(talking)
        self._speak(self._talker, self._host)
        self._let_up()
        self._hearer = self._page(hearing)
        self._speak(self._hearer, self._guest)

    def speakers(self, seconds: float) -> dict[str, list[float]]:
        """From the first speaker's microphone to the second's ear."""
        _clear(self._talker, self._hearer)
        time.sleep(seconds)
        found = delays_ms(_take(self._talker, _SAID), _take(self._hearer, _HEARD))
        return {"speaker_to_speaker_ms": found}

    def listeners(self, seconds: float) -> dict[str, list[float]]:
        """From the first speaker's microphone to listeners by MSE and by HLS, at the same time."""
        self._hearer.close()
        pages = {"listener_mse_ms": self._page(self._hearing), "listener_hls_ms": self._page(self._hearing)}
        pages["listener_mse_ms"].evaluate("address => bench.listenMse(address)", f"{self._space}/listen?codec=opus")
        hls = pages["listener_hls_ms"]
        self._wait_for_hls(hls)
        hls.evaluate("address => bench.listenHls(address)", f"{self._space}/hls/index.m3u8")
        for page in pages.values():
            page.wait_for_function("seconds => bench.playing(seconds)", arg=_SETTLED_S, timeout=_PLAY_WITHIN_MS)
        _clear(*pages.values())
        time.sleep(seconds)
        said = _take(self._talker, _SAID)
        return {name: delays_ms(said, _take(page, _HEARD)) for name, page in pages.items()}

    def _wait_for_hls(self, page: "Page") -> None:
        """The playlist comes with the first segment."""
        page.wait_for_function(
            "async address => (await fetch(address)).ok",
            arg=f"{self._space}/hls/opus/live.m3u8",
            timeout=_PLAY_WITHIN_MS,
        )
        playlist = page.evaluate(
            "async address => (await fetch(address)).text()", f"{self._space}/hls/opus/live.m3u8"
        )
        if "#EXT-X-PART" not in playlist:
            self.notes.append("HLS is plain: whole segments, no parts; players stay three of them behind.")
        if _HLS_SCRIPT.is_file():
            page.add_script_tag(path=_HLS_SCRIPT)
            self.notes.append(f"HLS is played by hls.js {page.evaluate('Hls.version')}.")
        elif page.evaluate("bench.playsHls()"):
            self.notes.append("HLS is played by Chromium itself.")
        else:
            raise LatencyFailed("This Chromium plays no HLS, and hls.js isn't installed: npm --prefix web ci.")

    def _page(self, browser: "Browser") -> "Page":
        """An empty page of the server's origin, with our script in it."""
        page = browser.new_page()
        page.route(f"**{_PAGE}", lambda route: route.fulfill(content_type="text/html", body="<!doctype html>"))
        page.goto(self._server.base_url + _PAGE)
        page.add_script_tag(path=_SCRIPT)
        return page

    def _speak(self, page: "Page", token: str) -> None:
        page.evaluate("([whip, token]) => bench.speak(whip, token)", [f"{self._space}/whip", token])
        page.wait_for_function("bench.connected()", timeout=_CONNECT_WITHIN_MS)

    def _let_up(self) -> None:
        commands = f"{self._space}/commands"
        self._server.call("POST", commands, self._guest, {"do": "ask", "recording_consent": True})
        guest = self._server.call("GET", "/api/v1/accounts/verify_credentials", self._guest)
        self._server.call("POST", commands, self._host, {"do": "let_up", "account": guest["id"]})


@contextmanager
def _evening(server: Server, folder: Path) -> Iterator[_Evening]:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise LatencyFailed("Browsers are driven by playwright: pip install 'folkmoot[dev]'.") from error
    chromium = shutil.which("chromium")
    if chromium is None:
        raise LatencyFailed("There is no browser: apt-get install chromium.")
    write_bursts(folder / "bursts.wav")
    write_silence(folder / "silence.wav")
    with sync_playwright() as playwright:

        def launch(microphone: Path) -> "Browser":
            return playwright.chromium.launch(executable_path=chromium, args=_arguments(microphone))

        talking, hearing = launch(folder / "bursts.wav"), launch(folder / "silence.wav")
        try:
            yield _Evening(server, talking, hearing)
        except Error as error:
            raise LatencyFailed(f"A browser failed: {error.message}") from error
        finally:
            talking.close()
            hearing.close()


def _arguments(microphone: Path) -> list[str]:
    arguments = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
        "--autoplay-policy=no-user-gesture-required",
    ]
    # Chromium's sandbox refuses to run as root.
    return [*arguments, "--no-sandbox"] if os.geteuid() == 0 else arguments


def _token(server: Server, name: str) -> str:
    server.admin("create", name, "--password", f"{name}-has-a-long-password")
    return server.admin("token", name).split()[-1]


def _clear(*pages: "Page") -> None:
    for page in pages:
        page.evaluate("bench.clear()")


def _take(page: "Page", name: str) -> Recording:
    """What a page has recorded under a name since it was cleared; of sound that is played, as the ear gets it."""
    taken: dict[str, Any] = page.evaluate("name => bench.take(name)", name)
    if not taken["stamps"]:
        raise LatencyFailed("A browser recorded nothing.")
    made = recording(base64.b64decode(taken["pcm"]), [(frame, unix_ms) for frame, unix_ms in taken["stamps"]])
    output_ms = taken["output_latency_s"] * 1000 if name == _HEARD else 0.0
    return msgspec.structs.replace(made, start_unix_ms=made.start_unix_ms + output_ms)
