"""Somebody says an address on stage; the host takes it out while the Space is live, and it is gone everywhere."""

import asyncio
import io
import time
from typing import Any

import av
import numpy as np
import pytest
from playwright.async_api import Browser, Page, expect
from tests.serve.moot import SPACES, Moot, Person
from tests.stage.peers import has_tone
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S, Starved
from tests.web.browser import DESKTOP_LIGHT, PHONE_DARK, page_of, problems

pytestmark = pytest.mark.slow

TALK_HZ, ADDRESS_HZ = 440, 1_500
# So soon a listener's page knows of it, whoever listens.
WITHIN_S = 2.0
BEFORE_MS, ADDRESS_MS, AFTER_MS = 2_500, 1_800, 2_500
# How loud a tone is in what the page's player sounds now, 0 to 255.
LISTEN_IN = """() => {
  const audio = document.querySelector('audio[data-sound="player"]');
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(audio.captureStream()).connect(analyser);
  window.loudnessOf = (hertz) => {
    const bins = new Uint8Array(analyser.frequencyBinCount);
    analyser.getByteFrequencyData(bins);
    return bins[Math.round((hertz * analyser.fftSize) / context.sampleRate)];
  };
}"""


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
        self.from_ms = await self.reach(BEFORE_MS) - 100
        voice.tone.frequency = ADDRESS_HZ
        at = await self.reach(self.from_ms + ADDRESS_MS)
        voice.tone.frequency = TALK_HZ
        self.to_ms = at + 500  # until the change has arrived
        await self.reach(self.to_ms + AFTER_MS)

    async def has_address(self, content: bytes) -> bool:
        """Whether the address is anywhere in a file."""
        with av.open(io.BytesIO(content), "r") as container:
            frames = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
        pcm = np.concatenate(frames)
        samples = pcm.astype(np.int16) if pcm.dtype == np.int16 else (pcm * 32_767).astype(np.int16)
        windows = range(0, len(samples) - 4_800, 4_800)
        return any(has_tone(samples[at : at + 4_800], ADDRESS_HZ, 0.01) for at in windows)

    async def fetched(self, *paths: str) -> bytes:
        """Files one after the other."""
        answers = [await self.host.http.get(path) for path in paths]
        assert all(answer.status_code == 200 for answer in answers), answers
        return b"".join(answer.content for answer in answers)

    async def stepped_back(self, codec: str) -> bytes:
        base = f"{self.path}/media/{codec}"
        return await self.fetched(f"{base}/init.mp4", f"{base}?from_ms=0&to_ms={self.to_ms + 2_000}")

    async def hls(self, codec: str, playlist: str) -> bytes:
        base = f"{self.path}/hls/{codec}"
        text = (await self.fetched(f"{base}/{playlist}")).decode()
        files = [line for line in text.splitlines() if line.endswith(".m4s")]
        return await self.fetched(f"{base}/init.mp4", *(f"{base}/{file}" for file in files))


@pytest.fixture
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
    await page.get_by_role("button", name="Play this range").click()
    await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
    assert await problems(page) == []
    await page.get_by_role("button", name="Take it out for good").click()
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def loudest(page: Page, hertz: int, during_ms: int) -> int:
    """How loud a tone gets in what the page plays."""
    values = []
    for _ in range(during_ms // 50):
        values.append(int(await page.evaluate("hertz => window.loudnessOf(hertz)", hertz)))
        await page.wait_for_timeout(50)
    return max(values)


async def test_an_address_is_gone_from_everything(moot: Moot, server: Server, browser: Browser, said: Said) -> None:
    fan = await moot.person("fenn")
    url, post_id = await published_clip(fan, said)
    assert await said.has_address(await said.stepped_back("opus"))
    assert await said.has_address(await said.fetched(url))
    _, listening = await page_of(browser, server, fan, **PHONE_DARK)
    await listening.goto(f"/spaces/{said.space['id']}")
    await listening.get_by_role("button", name="Listen", exact=True).click()
    await expect(listening.get_by_text("Live", exact=True).last).to_be_visible()
    # What was said is in the page's own buffer before it is taken out.
    await drag(listening, "Position in the Space", said.from_ms)
    await listening.wait_for_function(
        f"() => (document.querySelector('audio')?.currentTime ?? 0) * 1000 > {said.from_ms + 500}"
    )
    await listening.evaluate(LISTEN_IN)
    assert await loudest(listening, ADDRESS_HZ, 500) > 100

    _, hosting = await page_of(browser, server, said.host, **DESKTOP_LIGHT)
    await take_out(hosting, said)

    for codec in ("opus", "aac"):
        assert not await said.has_address(await said.stepped_back(codec)), codec
        assert not await said.has_address(await said.hls(codec, "live.m3u8")), codec
    assert not await said.has_address(await said.fetched(url))

    # The listener steps back to what the player had in memory.
    await drag(listening, "Position in the Space", said.from_ms + 300)
    await expect(listening.get_by_test_id("taken-out")).to_contain_text("taken out here by the host")
    assert await problems(listening) == []
    assert await loudest(listening, ADDRESS_HZ, 1_000) < 60
    await drag(listening, "Position in the Space", said.from_ms + 100)
    await listening.get_by_role("button", name="Skip").click()
    await expect(listening.get_by_test_id("taken-out")).to_be_hidden()

    await said.host.tell(said.space, "end")
    await eventually_replayed(said)
    assert not await said.has_address(await said.fetched(f"{said.path}/download"))
    assert not await said.has_address(await said.hls("aac", "index.m3u8"))
    await look_at_replay_and_clip(browser, server, said, post_id)


async def hears_address(browser: Any, server: Server, said: Said) -> Page:
    """A listener without an account, a step back at the address: it is in the page's own buffer."""
    _, page = await page_of(browser, server, None, **PHONE_DARK)
    await page.goto(f"/spaces/{said.space['id']}")
    await page.get_by_role("button", name="Listen", exact=True).click()
    await expect(page.get_by_text("Live", exact=True).last).to_be_visible()
    await drag(page, "Position in the Space", said.from_ms)
    await page.wait_for_function(
        f"() => (document.querySelector('audio')?.currentTime ?? 0) * 1000 > {said.from_ms + 300}"
    )
    await page.evaluate(LISTEN_IN)
    assert await loudest(page, ADDRESS_HZ, 300) > 100
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
    await drag(listening, "Position in the Space", said.from_ms + 100)
    await expect(listening.get_by_test_id("taken-out")).to_be_visible()
    marked_s = time.monotonic() - taken_s - starved.s()
    print(f"\nmarked {marked_s:.2f} s after it was taken out, without an account")
    assert marked_s < WITHIN_S
    await drag(listening, "Position in the Space", said.from_ms + 300)
    await listening.wait_for_timeout(300)  # what sounds now was decoded before
    assert await loudest(listening, ADDRESS_HZ, 1_000) < 60


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
    assert not await said.has_address(await said.stepped_back("opus"))
    space = await said.host.look(said.space)
    assert space["stage"] == []
    assert {mark["kind"] for mark in space["redactions"]} == {"consent_withdrawn"}
