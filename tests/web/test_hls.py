"""The web client where only HLS plays: the sound goes on near the stage, and one sees who speaks."""

from typing import Any

import pytest
from playwright.async_api import Page, Route
from tests.serve.moot import SPACES, Moot, Person
from tests.support.server import Server

pytestmark = pytest.mark.slow

SPEAKING = "[data-testid=seat][data-speaking=true]"
# What our own player asks for is not there; what hls.js asks for is spelled another way.
ONLY_HLS = """const known = MediaSource.isTypeSupported;
MediaSource.isTypeSupported = (type) => !type.includes('; codecs') && known.call(MediaSource, type);"""
IS_NEAR = """() => {
  const audio = document.querySelector('audio[data-sound=player]');
  return audio?.played.length && audio.seekable.length && audio.seekable.end(0) - audio.currentTime < 3;
}"""


async def test_by_hls_one_sees_who_speaks_and_is_near(server: Server, page: Page) -> None:
    moot = Moot(server)
    host = await moot.person("hana")
    space = await host.open_space("By HLS")
    voice = await host.speak(space, 440)
    await page.add_init_script(ONLY_HLS)
    await page.goto(f"/spaces/{space['id']}")
    await page.get_by_role("button", name="Listen", exact=True).click()
    await page.locator(SPEAKING).wait_for()
    await page.wait_for_function(IS_NEAR)
    asked = await page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert any("_HLS_msn" in name for name in asked)
    assert not any("/listen" in name for name in asked)
    await takes_out_and_goes_on(host, space, page)
    voice.tone.amplitude = 0
    await page.locator(SPEAKING).wait_for(state="detached")
    await moot.close()


async def takes_out_and_goes_on(host: Person, space: dict[str, Any], page: Page) -> None:
    """What is taken out has another address: the player opens the Space anew, and goes on near the stage."""
    body = {"from_ms": 1_000, "to_ms": 2_000, "reason": "other"}
    async with page.expect_request("**/hls/index.m3u8"):
        taken = await host.http.post(f"{SPACES}/{space['id']}/redactions", json=body)
        assert taken.status_code == 200, taken.text
    at_s = await page.evaluate("document.querySelector('audio[data-sound=player]').currentTime")
    await page.wait_for_function(
        "at => document.querySelector('audio[data-sound=player]').currentTime > at + 1", arg=at_s
    )
    await page.wait_for_function(IS_NEAR)


async def test_where_streams_are_held_back_it_goes_over_to_hls(server: Server, page: Page) -> None:
    """As behind a proxy that waits for the end of an answer."""
    moot = Moot(server)
    host = await moot.person("hedda")
    space = await host.open_space("Behind a proxy")
    await host.speak(space, 440)
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await page.route("**/listen?*", hold)
    await page.goto(f"/spaces/{space['id']}")
    await page.get_by_role("button", name="Listen", exact=True).click()
    await page.locator(SPEAKING).wait_for()
    assert len(held) >= 2
    for route in held:
        await route.abort()
    await moot.close()
