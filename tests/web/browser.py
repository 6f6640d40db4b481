"""A Chromium with a microphone that says what a test wants, in front of a whole server."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Playwright, Route, expect
from tests.serve.moot import Person
from tests.stage.peers import RATE, Client, has_tone
from tests.story.people import CHROMIUM, PATIENCE_MS, QUIET
from tests.story.sound import write
from tests.support.server import Server

from folkmoot.surfaces.http import SESSION_COOKIE

expect.set_options(timeout=PATIENCE_MS)

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
SAID_HZ = 1_000
# A steady tone is noise to a browser that suppresses noise.
UNTREATED = {"echo": False, "noise": False, "gain": False}
PHONE_DARK: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}
DESKTOP_LIGHT: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"}


def spoken_tone(path: Path, amplitude: float = 0.3, seconds: float = 2) -> Path:
    """What the fake microphone repeats: whole periods, so that no click is between."""
    at = np.arange(int(seconds * RATE)) / RATE
    return write(path, (amplitude * np.sin(2 * np.pi * SAID_HZ * at)).astype(np.float32))


@asynccontextmanager
async def chromium(playwright: Playwright, *arguments: str) -> AsyncIterator[Browser]:
    browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *arguments])
    try:
        yield browser
    finally:
        await browser.close()


def microphone(voice: Path) -> tuple[str, ...]:
    """Arguments for a Chromium whose microphones all hear this file, and are allowed."""
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
    )


async def context_of(browser: Browser, base_url: str, **look: Any) -> BrowserContext:
    """Cookies and storage of its own; closed with the test."""
    context = await browser.new_context(base_url=base_url, reduced_motion="reduce", **look)
    context.set_default_timeout(PATIENCE_MS)
    return context


async def page_of(
    browser: Browser, server: Server, person: Person | None, base_url: str = "", **look: Any
) -> tuple[BrowserContext, Page]:
    """A page that is signed in as this person, or as nobody."""
    address = base_url or server.base_url
    context = await context_of(browser, address, bypass_csp=True, **look)
    if person is not None:
        await context.add_cookies([{"name": SESSION_COOKIE, "value": person.token, "url": address}])
    untreated = json.dumps(json.dumps({"": UNTREATED}))
    await context.add_init_script(f"localStorage.setItem('folkmoot.processing', {untreated})")
    return context, await context.new_page()


class Network:
    """A page's network, to be cut. Made before the page opens anything: Chromium stops only what passed by here."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    @classmethod
    async def of(cls, page: Page) -> "Network":
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        network = cls(session)
        await network.be()
        return network

    async def be(self, *, offline: bool = False, lost_percent: float = 0) -> None:
        """`offline`: nothing in or out, and the browser knows. `lost_percent`: of WebRTC, silently."""
        speed = {"latency": 1, "downloadThroughput": -1, "uploadThroughput": -1}
        conditions = {"offline": offline, "packetLoss": 100.0 if offline else lost_percent, **speed}
        await self._session.send("Network.emulateNetworkConditions", conditions)


class Wire:
    """Between a browser and the server's port: `cut` it, and packets vanish without a word; `mend` it, and what was
    open before is dead for ever, as behind a router that has forgotten."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._relays: set[asyncio.Task[None]] = set()
        self._held: list[asyncio.StreamWriter] = []
        self._whole = asyncio.Event()
        self._whole.set()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[str]:
        """The address of the browser's end."""
        end = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{end.sockets[0].getsockname()[1]}"
        finally:
            self.cut()
            end.close()
            for writer in self._held:
                writer.close()

    def cut(self) -> None:
        self._whole.clear()
        for relay in self._relays:
            relay.cancel()

    def mend(self) -> None:
        self._whole.set()

    async def _connected(self, browser: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self._held.append(back)
        await self._whole.wait()
        server, on = await asyncio.open_connection("127.0.0.1", self._port)
        self._held.append(on)
        for source, sink in ((browser, on), (server, back)):
            relay = asyncio.create_task(self._relay(source, sink))
            self._relays.add(relay)
            relay.add_done_callback(self._relays.discard)

    async def _relay(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.close()
        except OSError:
            sink.transport.abort()  # who is reset here is reset there


class UdpPath:
    """Between a browser and a stage: all sound goes through here, until it is `dead` without a word."""

    def __init__(self) -> None:
        self.dead = False
        self._browser: tuple[str, int] | None = None
        self._ends: list[asyncio.DatagramTransport] = []

    @classmethod
    async def laid(cls, host: str, port: int) -> "UdpPath":
        """To this address of a stage."""
        path = cls()
        loop = asyncio.get_running_loop()
        on, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(path._back), remote_addr=(host, port))
        near, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(path._there), local_addr=("127.0.0.1", 0))
        path._ends = [near, on]
        return path

    @property
    def port(self) -> int:
        """The browser's end."""
        return int(self._ends[0].get_extra_info("sockname")[1])

    def close(self) -> None:
        for end in self._ends:
            end.close()

    def _there(self, data: bytes, browser: tuple[str, int]) -> None:
        self._browser = browser
        if not self.dead:
            self._ends[1].sendto(data)

    def _back(self, data: bytes, _: tuple[str, int]) -> None:
        if not self.dead and self._browser is not None:
            self._ends[0].sendto(data, self._browser)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._received(data, addr)

    def error_received(self, exc: Exception) -> None:
        """The stage of a path that is no longer used has closed its port."""


@asynccontextmanager
async def paths_laid(page: Page) -> AsyncIterator[list[UdpPath]]:
    """Each connection that the page makes to a stage has a path of its own, and no other way."""
    paths: list[UdpPath] = []

    async def lay(route: Route) -> None:
        offer = route.request.post_data
        if route.request.method != "POST" or offer is None:
            await route.continue_()
            return
        lines = [line for line in offer.split("\r\n") if not line.startswith("a=candidate")]
        response = await route.fetch(post_data="\r\n".join(lines))
        answer = await response.text()
        ends = re.findall(r"a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) typ host", answer)
        host, port = min(ends, key=lambda end: end[0] != "127.0.0.1")
        paths.append(await UdpPath.laid(host, int(port)))
        await route.fulfill(response=response, body=_only_by(answer, paths[-1].port))

    await page.route("**/whip", lay)
    try:
        yield paths
    finally:
        await page.unroute_all(behavior="ignoreErrors")
        for path in paths:
            path.close()


def _only_by(answer: str, port: int) -> str:
    """The answer with one candidate, in place of its first."""
    lines = answer.split("\r\n")
    at = next(index for index, line in enumerate(lines) if line.startswith("a=candidate"))
    lines[at] = f"a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host"
    kept = [line for index, line in enumerate(lines) if index == at or not line.startswith("a=candidate")]
    return "\r\n".join(kept)


# A colour on its way from one to another is none that anybody reads. What never ends isn't waited for.
ALL_IS_STILL = """() => {
  const moving = document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime < Infinity);
  const ended = Promise.allSettled(moving.map((one) => one.finished));
  return Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 3000))]).then(() => undefined);
}"""


async def problems(page: Page) -> list[str]:
    """What axe finds (WCAG 2.2 AA and best practices), and a page that is wider than its window."""
    await page.evaluate(ALL_IS_STILL)
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    listed = [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
    if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        listed.append("the page is wider than its window")
    return listed


def heard_s(voice: Client, frequency: float, window_s: float = 0.02) -> list[bool]:
    """For each window of what this speaker has heard since `forget`: whether the tone was in it."""
    samples = np.concatenate([np.zeros(0, np.int16), *voice.heard])
    window = int(window_s * RATE)
    starts = range(0, len(samples) - window + 1, window)
    return [has_tone(samples[at : at + window], frequency) for at in starts]
