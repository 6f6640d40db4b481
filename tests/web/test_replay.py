"""A replay in a real browser: from where it was trimmed to, from where a link says, and from where one seeks."""

import pytest
from playwright.async_api import Page
from tests.serve.moot import Moot
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

SPOKEN_MS = 9_000
POSITION_MS = "(document.querySelector('audio')?.currentTime ?? 0) * 1000"


async def playing_at_ms(page: Page, path: str) -> float:
    """Where the replay is, soon after somebody pressed Listen."""
    await page.goto(path)
    await page.get_by_role("button", name="Listen", exact=True).click()
    await page.wait_for_function(
        "() => [...document.querySelectorAll('audio')].some((audio) => !audio.paused && audio.readyState > 2)"
    )
    return float(await page.evaluate(POSITION_MS))


async def test_a_replay_begins_where_it_should(moot: Moot, page: Page) -> None:
    host = await moot.person("hana")
    space = await host.open_space("To be trimmed")
    voice = await host.speak(space, 440)
    recorded = f"/api/folkmoot/v1/spaces/{space['id']}"

    await eventually(lambda: len(voice.heard) * 20 > SPOKEN_MS)
    await host.tell(space, "end")
    path = f"/spaces/{space['id']}"
    for _ in range(100):
        if (await host.look(space))["replay"]:
            break
        await page.wait_for_timeout(100)

    assert await playing_at_ms(page, path) < 2_000
    at = await playing_at_ms(page, f"{path}?at=5000")
    assert 4_900 <= at <= 7_000

    trimmed = await host.http.patch(f"{recorded}/replay", json={"start_ms": 3_000})
    assert trimmed.status_code == 200, trimmed.text
    at = await playing_at_ms(page, path)
    assert 2_900 <= at <= 5_000
