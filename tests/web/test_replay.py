"""A replay in a real browser: from where it was trimmed to, from where a link says, and from where one seeks."""

import asyncio

import pytest
from playwright.async_api import Page
from tests.serve.moot import Moot
from tests.support.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.slow

SPOKEN_MS = 7_500
# Where it is when sound begins: a page that is asked a moment later may have played on.
NOTE_BEGINNING = """document.addEventListener('playing', ({target}) => {
  window.beganMs ??= target.currentTime * 1000;
}, true)"""


async def playing_at_ms(page: Page, path: str) -> float:
    """Where the replay begins when somebody presses Listen."""
    await page.goto(path)
    await page.get_by_role("button", name="Listen", exact=True).click()
    await page.wait_for_function("() => window.beganMs !== undefined")
    return float(await page.evaluate("beganMs"))


async def test_a_replay_begins_where_it_should(moot: Moot, page: Page) -> None:
    host = await moot.person("hana")
    space = await host.open_space("To be trimmed")
    voice = await host.speak(space, 440)
    recorded = f"/api/folkmoot/v1/spaces/{space['id']}"

    await eventually(lambda: len(voice.heard) * 20 > SPOKEN_MS)
    await host.tell(space, "end")
    path = f"/spaces/{space['id']}"
    async with asyncio.timeout(PATIENCE_S):
        while not (await host.look(space))["replay"]:
            await asyncio.sleep(0.1)

    await page.add_init_script(NOTE_BEGINNING)
    assert await playing_at_ms(page, path) < 2_000
    at = await playing_at_ms(page, f"{path}?at=5000")
    assert 4_900 <= at <= 7_000

    trimmed = await host.http.patch(f"{recorded}/replay", json={"start_ms": 3_000})
    assert trimmed.status_code == 200, trimmed.text
    at = await playing_at_ms(page, path)
    assert 2_900 <= at <= 5_000
