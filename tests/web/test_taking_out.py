"""Somebody says an address on stage; the host takes it out while the Space is live, and it is gone everywhere."""

import asyncio
import contextlib
import io
import time
from typing import Any

import av
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, TimeoutError, expect  # noqa: A004 - playwright's own
from tests.serve.moot import SPACES, Moot, Person
from tests.stage.peers import RATE, has_tone
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S, Starved
from tests.web.browser import DESKTOP_LIGHT, PHONE_DARK, page_of, problems

pytestmark = pytest.mark.slow

TALK_HZ, ADDRESS_HZ = 440, 1_500
# So soon a listener's page knows of it, whoever listens.
WITHIN_S = 2.0
BEFORE_MS, ADDRESS_MS, AFTER_MS, WINDOW_MS = 2_500, 1_800, 2_500, 100
# While the address is played it measures 255, and 0 where it was taken out; what is between is neither.
LOUD, QUIET = 190, 120
# Where the page's player is and how loud the address is there, 0 (-100 dB) to 255 (-30 dB), as long as it plays.
LISTEN_IN = """(hertz) => {
  const audio = document.querySelector('audio[data-sound="player"]');
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(audio.captureStream()).connect(analyser);
  const bins = new Uint8Array(analyser.frequencyBinCount);
  window.heard = [];
  setInterval(() => {
    analyser.getByteFrequencyData(bins);
    const loudness = bins[Math.round((hertz * analyser.fftSize) / context.sampleRate)];
    window.heard.push([audio.currentTime * 1000, loudness]);
  }, 25);
}"""
HAS_PASSED = """([fromMs, toMs]) => {
  const inside = window.heard.findIndex(([at]) => at > fromMs && at < toMs);
  return inside >= 0 && window.heard.slice(inside).some(([at]) => at >= toMs);
}"""
# Said so that the page shows it for a moment only.
NOTE_STOP = """() => new MutationObserver(() => {
  const names = [...document.querySelectorAll('button')].map((button) => button.innerText.trim());
  if (names.includes('Stop')) window.couldBeStopped = true;
}).observe(document.body, { subtree: true, childList: true, characterData: true })"""


class Said:
    """A live Space in which an address was said."""

    def __init__(self, host: Person, space: dict[str, Any]) -> None:
        self.host = host
        self.space = space
        self.path = f"{SPACES}/{space['id']}"
        self.from_ms = self.to_ms = 0

    async def edge_ms(self) -> int:
        answer = await self.host.http.get(f"{self.path}/waveform", params={"points": 10_000})
        if answer.status_code != 200:
            return 0
        return int(answer.json()["step_ms"] * len(answer.json()["peaks"]))

    async def reach(self, ms: int) -> int:
        """Wait until the tape is so long."""
        async with asyncio.timeout(PATIENCE_S):
            while (edge := await self.edge_ms()) < ms:
                await asyncio.sleep(0.1)
        return edge

    async def talk(self) -> None:
        """Talk, the address, and talk again."""
        voice = await self.host.speak(self.space, TALK_HZ)
        await self.reach(BEFORE_MS)
        voice.tone.frequency = ADDRESS_HZ
        await self.reach(await self.edge_ms() + ADDRESS_MS)
        voice.tone.frequency = TALK_HZ
        await self.find_the_address()

    async def find_the_address(self) -> None:
        """Where it is on the tape, as soon as the talk has gone on after it: what was said arrives in its time."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                edge_ms = await self.edge_ms()
                places_ms = address_ms(await self.stepped_back("opus", edge_ms))
                if places_ms and places_ms[-1] + AFTER_MS < edge_ms:
                    break
                await asyncio.sleep(0.2)
        self.from_ms, self.to_ms = places_ms[0] - WINDOW_MS, places_ms[-1] + 2 * WINDOW_MS

    async def fetched(self, *paths: str) -> bytes:
        """Files one after the other."""
        answers = [await self.host.http.get(path) for path in paths]
        assert all(answer.status_code == 200 for answer in answers), answers
        return b"".join(answer.content for answer in answers)

    async def stepped_back(self, codec: str, to_ms: int = 0) -> bytes:
        base, to_ms = f"{self.path}/media/{codec}", to_ms or self.to_ms + 2_000
        return await self.fetched(f"{base}/init.mp4", f"{base}?from_ms=0&to_ms={to_ms}")

    async def hls(self, codec: str, playlist: str) -> bytes:
        base = f"{self.path}/hls/{codec}"
        text = (await self.fetched(f"{base}/{playlist}")).decode()
        files = [line for line in text.splitlines() if line.endswith(".m4s")]
        return await self.fetched(f"{base}/init.mp4", *(f"{base}/{file}" for file in files))


def address_ms(content: bytes) -> list[int]:
    """Where the address is in a file: the beginnings of the windows in which it is heard."""
    with av.open(io.BytesIO(content), "r") as container:
        frames = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
    pcm = np.concatenate(frames)
    samples = pcm.astype(np.int16) if pcm.dtype == np.int16 else (pcm * 32_767).astype(np.int16)
    size = RATE * WINDOW_MS // 1000
    windows = range(0, len(samples) - size, size)
    return [at * 1000 // RATE for at in windows if has_tone(samples[at : at + size], ADDRESS_HZ, 0.01)]


@pytest_asyncio.fixture(loop_scope="session")
async def said(moot: Moot, request: pytest.FixtureRequest) -> Said:
    host = await moot.person(f"hana{len(request.node.name)}")
    said = Said(host, await host.open_space("Reading letters aloud"))
    await said.talk()
    return said


async def published_clip(fan: Person, said: Said) -> tuple[str, str]:
    """A clip of the address in a post: where its bytes are, and the post's id."""
    body = {"space": said.space["id"], "start_ms": said.from_ms - 1_000, "end_ms": said.to_ms + 1_000}
    clip = await fan.http.post("/api/folkmoot/v1/clips", json=body)
    assert clip.status_code == 201, clip.text
    post = await fan.http.post("/api/v1/statuses", json={"status": "!", "media_ids": [clip.json()["media_id"]]})
    assert post.status_code == 200, post.text
    return str(post.json()["media_attachments"][0]["url"]), str(post.json()["id"])


async def drag(page: Page, label: str, ms: int) -> None:
    slider = page.get_by_label(label, exact=True)
    async with asyncio.timeout(PATIENCE_S):
        while int(str(await slider.get_attribute("max"))) < ms:
            await page.wait_for_timeout(50)
    await slider.evaluate(
        "(input, ms) => { input.value = ms; input.dispatchEvent(new Event('input', {bubbles: true})) }", str(ms)
    )


async def take_out(page: Page, said: Said) -> None:
    """By the host's page, in every step of it."""
    await page.goto(f"/spaces/{said.space['id']}")
    await page.get_by_role("region", name="For the hosts").get_by_role("button", name="Take out…").click()
    await drag(page, "Take out from", said.from_ms)
    await drag(page, "Take out up to", said.to_ms)
    assert await problems(page) == []
    await page.get_by_role("dialog").get_by_role("button", name="Take out 0:").click()
    await page.evaluate(NOTE_STOP)
    await page.get_by_role("button", name="Play this range").click()
    await page.wait_for_function("window.couldBeStopped")
    await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
    assert await problems(page) == []
    await page.get_by_role("button", name="Take it out for good").click()
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def listen_in(page: Page) -> None:
    await page.wait_for_function("document.querySelector('audio[data-sound=player]')?.currentTime > 0.2")
    await page.evaluate(LISTEN_IN, ADDRESS_HZ)


async def loudest(page: Page, said: Said) -> int:
    """How loud the address gets where it was said, in what the page plays when somebody steps back there."""
    inside: list[int] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(inside) < 10:  # a page that got no processor meanwhile didn't hear it
            await drag(page, "Position in the Space", said.from_ms)
            await page.evaluate("window.heard.length = 0")
            await page.wait_for_function(HAS_PASSED, arg=[said.from_ms, said.to_ms])
            heard = await page.evaluate("window.heard")
            # What sounds at first was decoded before.
            inside = [loudness for at_ms, loudness in heard if said.from_ms + 400 < at_ms < said.to_ms - 200]
    print(f"\nthe address was played with {max(inside)} of 255, in {len(inside)} looks")
    return max(inside)


async def step_back_to_the_note(page: Page, said: Said) -> Locator:
    """It is there for as long as the silence lasts, and a page without a processor may sleep through that."""
    note = page.get_by_test_id("taken-out")
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await drag(page, "Position in the Space", said.from_ms + 100)
            with contextlib.suppress(TimeoutError):
                await note.wait_for(timeout=1_000)
                return note


async def skip_it(page: Page, said: Said) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            note = await step_back_to_the_note(page, said)
            with contextlib.suppress(TimeoutError):
                await note.get_by_role("button", name="Skip").click(timeout=1_000)
                return


async def test_an_address_is_gone_from_everything(moot: Moot, server: Server, browser: Browser, said: Said) -> None:
    fan = await moot.person("fenn")
    url, post_id = await published_clip(fan, said)
    assert address_ms(await said.stepped_back("opus"))
    assert address_ms(await said.fetched(url))
    _, listening = await page_of(browser, server, fan, **PHONE_DARK)
    await listening.goto(f"/spaces/{said.space['id']}")
    await listening.get_by_role("button", name="Listen", exact=True).click()
    await expect(listening.get_by_text("Live", exact=True).last).to_be_visible()
    # What was said is in the page's own buffer before it is taken out.
    await listen_in(listening)
    assert await loudest(listening, said) > LOUD

    _, hosting = await page_of(browser, server, said.host, **DESKTOP_LIGHT)
    await take_out(hosting, said)

    for codec in ("opus", "aac"):
        assert address_ms(await said.stepped_back(codec)) == [], codec
        assert address_ms(await said.hls(codec, "live.m3u8")) == [], codec
    assert address_ms(await said.fetched(url)) == []

    # The listener steps back to what the player had in memory.
    note = await step_back_to_the_note(listening, said)
    assert "taken out here by the host" in await note.inner_text()
    assert await problems(listening) == []
    assert await loudest(listening, said) < QUIET
    await skip_it(listening, said)
    await expect(listening.get_by_test_id("taken-out")).to_be_hidden()

    await said.host.tell(said.space, "end")
    await eventually_replayed(said)
    assert address_ms(await said.fetched(f"{said.path}/download")) == []
    assert address_ms(await said.hls("aac", "index.m3u8")) == []
    await look_at_replay_and_clip(browser, server, said, post_id)


async def hears_address(browser: Any, server: Server, said: Said) -> Page:
    """A listener without an account, a step back at the address: it is in the page's own buffer."""
    _, page = await page_of(browser, server, None, **PHONE_DARK)
    await page.goto(f"/spaces/{said.space['id']}")
    await page.get_by_role("button", name="Listen", exact=True).click()
    await expect(page.get_by_text("Live", exact=True).last).to_be_visible()
    await listen_in(page)
    assert await loudest(page, said) > LOUD
    return page


async def test_who_listens_without_an_account_drops_it_too(
    moot: Moot, server: Server, browser: Browser, said: Said
) -> None:
    """They follow no events, and would look at the Space only every 30 s: the sound tells them."""
    listening = await hears_address(browser, server, said)
    body = {"from_ms": said.from_ms, "to_ms": said.to_ms, "reason": "private_information"}
    taken = await said.host.http.post(f"{said.path}/redactions", json=body)
    assert taken.status_code == 200, taken.text
    taken_s, starved = time.monotonic(), Starved()
    await step_back_to_the_note(listening, said)
    marked_s = time.monotonic() - taken_s - starved.s()
    print(f"\nmarked {marked_s:.2f} s after it was taken out, without an account")
    assert marked_s < WITHIN_S
    # What was decoded before sounds for a moment, and what the page holds goes in its turn.
    async with asyncio.timeout(PATIENCE_S):
        while await loudest(listening, said) > QUIET:
            pass


async def eventually_replayed(said: Said) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not (await said.host.look(said.space))["replay"]:
            await asyncio.sleep(0.1)


async def look_at_replay_and_clip(browser: Any, server: Server, said: Said, post_id: str) -> None:
    """Both say what is missing, on a phone and on a desk, by day and by night."""
    for look in (PHONE_DARK, DESKTOP_LIGHT):
        _, page = await page_of(browser, server, said.host, **look)
        await page.goto(f"/spaces/{said.space['id']}?at={said.from_ms + 300}")
        await expect(page.get_by_test_id("taken-out")).to_contain_text("Private information was said here.")
        await page.get_by_test_id("taken-out").scroll_into_view_if_needed()
        assert await problems(page) == []
        await page.goto(f"/@fenn/{post_id}")
        await page.get_by_text("were taken out. Private information").wait_for()
        assert await problems(page) == []


async def test_consent_is_taken_back_on_the_page(moot: Moot, server: Server, browser: Browser, said: Said) -> None:
    _, page = await page_of(browser, server, said.host, **PHONE_DARK)
    await page.goto(f"/spaces/{said.space['id']}")
    await page.get_by_role("button", name="Take back my consent…").click()
    assert await problems(page) == []
    await page.get_by_role("button", name="Take out all I said").click()
    await page.get_by_text("What you said is taken out.").wait_for()
    assert address_ms(await said.stepped_back("opus")) == []
    space = await said.host.look(said.space)
    assert space["stage"] == []
    assert {mark["kind"] for mark in space["redactions"]} == {"consent_withdrawn"}
