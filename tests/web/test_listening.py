"""Listening in a real browser: a replay's keys, lock screen, speed and skipped pauses; a stream that comes back."""

import asyncio
import time
from itertools import accumulate, groupby
from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.serve.moot import SPACES, Moot, Person
from tests.stage.peers import until
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S, Starved
from tests.web.browser import DESKTOP_LIGHT, PHONE_DARK, Network, Wire, page_of, problems

pytestmark = pytest.mark.slow

SPOKEN_S, PAUSED_S = 3, 5
AUDIO = "document.querySelector('audio[data-sound=player]')"
# How much of the recording passes in a second, by the page's own clock.
SPEED = f"""async () => {{
  const [beganMs, fromS] = [performance.now(), {AUDIO}.currentTime];
  await new Promise((resolve) => setTimeout(resolve, 800));
  return (1000 * ({AUDIO}.currentTime - fromS)) / (performance.now() - beganMs);
}}"""
# What the page tells the system, and what it offers: there is no other way to see it from here.
WATCH_SYSTEM = """
window.actions = {}; window.places = [];
const here = navigator.mediaSession;
here.setActionHandler = (name, act) => { if (act) actions[name] = act; else delete actions[name]; };
here.setPositionState = (place) => places.push(place ?? null);
"""


async def position_s(page: Page) -> float:
    return float(await page.evaluate(f"{AUDIO}?.currentTime ?? 0"))


async def speak_with_a_pause(host: Person) -> dict[str, Any]:
    """A recording: spoken, silent, spoken."""
    space = await host.open_space("Pauses")
    voice = await host.speak(space, 440)

    def sent_s() -> float:
        return voice.tone._sent * 0.02

    for amplitude, length_s in ((0.25, SPOKEN_S), (0.0, PAUSED_S), (0.25, SPOKEN_S)):
        voice.tone.amplitude = amplitude
        until_s = sent_s() + length_s
        await until(lambda until_s=until_s: sent_s() >= until_s)  # type: ignore[misc]
    await host.tell(space, "end")
    async with asyncio.timeout(PATIENCE_S):
        while not (ended := await host.look(space))["replay"]:
            await asyncio.sleep(0.05)
    return ended


async def pause_s(host: Person, space: dict[str, Any]) -> tuple[float, float]:
    """Where the recording is silent: the longest stretch of it."""
    answer = await host.http.get(f"{SPACES}/{space['id']}/waveform", params={"points": 10_000})
    step_ms, peaks = answer.json()["step_ms"], answer.json()["peaks"]
    runs = [(is_silent, len(list(run))) for is_silent, run in groupby(peaks, lambda peak: peak < max(peaks) / 10)]
    places = list(accumulate((length for _, length in runs), initial=0))
    length, begin = max(
        (length, begin) for (is_silent, length), begin in zip(runs, places, strict=False) if is_silent
    )
    return begin * step_ms / 1000, (begin + length) * step_ms / 1000


async def test_a_replay_as_people_use_it(moot: Moot, browser: Any, server: Server) -> None:
    host = await moot.person("rhea")
    space = await speak_with_a_pause(host)
    duration_s = space["replay"]["duration_ms"] / 1000
    silent_s, spoken_s = await pause_s(host, space)
    assert spoken_s - silent_s == pytest.approx(PAUSED_S, abs=1)
    context, page = await page_of(browser, server, None, **PHONE_DARK)
    await context.add_init_script(WATCH_SYSTEM)
    await page.goto(f"/spaces/{space['id']}")
    await page.get_by_role("button", name="Listen", exact=True).click()
    await page.wait_for_function(f"{AUDIO} && !{AUDIO}.paused && {AUDIO}.currentTime > 0.2")

    shown = await page.evaluate(
        "(({metadata: {title, artist}, playbackState: state}) => ({title, artist, state}))(navigator.mediaSession)"
    )
    assert shown == {"title": "Pauses", "artist": "rhea", "state": "playing"}
    place = await page.evaluate("places.filter(Boolean).at(-1)")
    assert place["duration"] == pytest.approx(duration_s, abs=0.5)
    await page.evaluate("actions.pause()")
    assert await page.evaluate(f"{AUDIO}.paused")
    await page.evaluate("actions.seekto({seekTime: 1})")
    await page.evaluate("actions.play()")
    await page.wait_for_function(f"!{AUDIO}.paused && {AUDIO}.currentTime >= 1")

    # The keys.
    await page.locator("h1").focus()
    await page.keyboard.press("Space")
    assert await page.evaluate(f"{AUDIO}.paused")
    await page.keyboard.press("ArrowLeft")
    assert await position_s(page) < 0.2
    for _ in range(4):
        await page.keyboard.press(">")
    assert await page.evaluate(f"[{AUDIO}.playbackRate, {AUDIO}.preservesPitch]") == [2, True]
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys of the player")).to_be_visible()
    assert await problems(page) == []
    await page.keyboard.press("Escape")

    # Twice as fast; then without the pause.
    await page.keyboard.press("k")
    await page.wait_for_function(f"{AUDIO}.currentTime > 0.1")
    speed = await page.evaluate(SPEED)
    assert 1.3 < speed < 2.7
    await page.keyboard.press("k")
    await page.get_by_label("Skip pauses").check()
    await page.keyboard.press("j")
    await page.evaluate(f"window.seen = []; setInterval(() => seen.push({AUDIO}.currentTime), 20); 0")
    await page.keyboard.press("k")
    end_s = spoken_s + 1
    began_s, starved = time.monotonic(), Starved()
    await page.wait_for_function(f"{AUDIO}.currentTime > {end_s}")
    took_s = time.monotonic() - began_s
    seen = await page.evaluate("seen")
    # A page that got no processor looks later where it is.
    inside = [at for at in seen if silent_s + 2.5 < at < spoken_s - 0.8]
    saved = await page.get_by_text("saved").inner_text()
    print(f"\nspeed {speed:.2f} of 2; {end_s:.1f} s of replay heard in {took_s:.1f} s at double speed {saved}")
    assert inside == []
    await page.wait_for_function(f"{AUDIO}.paused")
    assert await position_s(page) == pytest.approx(duration_s, abs=0.5)
    assert took_s - starved.s() < end_s / 2 - 1
    assert await problems(page) == []

    # What was chosen is remembered, and where one stopped.
    await page.evaluate(f"localStorage.setItem('folkmoot.positions', JSON.stringify([['{space['id']}', 6000]]))")
    other = await context.new_page()
    await other.goto(f"/spaces/{space['id']}")
    await other.get_by_role("button", name="Go on listening").click()
    await other.wait_for_function(f"{AUDIO} && {AUDIO}.currentTime >= 6")
    assert await other.evaluate(f"{AUDIO}.playbackRate") == 2
    await context.close()


async def test_a_live_stream_comes_back_by_itself(moot: Moot, browser: Any, server: Server) -> None:
    host = await moot.person("lior")
    space = await host.open_space("Interrupted")
    await host.speak(space, 440)
    wire = Wire(int(server.base_url.rpartition(":")[2]))
    async with wire.laid() as address:
        context, page = await page_of(browser, server, None, address, **DESKTOP_LIGHT)
        network = await Network.of(page)
        await page.goto(f"/spaces/{space['id']}")
        await page.get_by_role("button", name="Listen", exact=True).click()
        await page.wait_for_function(f"{AUDIO} && {AUDIO}.currentTime > 0.5")
        bar = page.get_by_role("complementary", name="Sound")

        async def heard_again() -> float:
            since_s, starved = time.monotonic(), Starved()
            from_s = await position_s(page)
            await page.wait_for_function(f"{AUDIO}.currentTime > {from_s} + 1 && !{AUDIO}.paused")
            await expect(bar).to_contain_text("Live")
            return time.monotonic() - since_s - starved.s()

        await network.be(offline=True)
        wire.cut()
        await expect(bar).to_contain_text("The network is gone")
        wire.mend()
        await network.be()
        back_s = await heard_again()
        print(f"heard again {back_s:.2f} s after the network was back")
        assert back_s < 3

        wire.cut()
        await page.wait_for_function(f"{AUDIO}.readyState < 3")
        wire.mend()
        back_s = await heard_again()
        print(f"heard again {back_s:.2f} s after a connection died that nobody said anything of")
        assert back_s < 16
        await context.close()
