"""Players in a real browser, and one that knows nothing but HTTP, when every audience worker dies; measured until
they have new sound."""

import asyncio
import contextlib
import time
from typing import Any

import httpx
import pytest
from tests.serve.moot import SPACES, Moot
from tests.stage.peers import until
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S, Starved
from tests.web.browser import DESKTOP_LIGHT, PHONE_DARK, page_of

pytestmark = pytest.mark.slow

AUDIO = "document.querySelector('audio[data-sound=player]')"
HAS_S = f"({AUDIO}?.buffered.length ? {AUDIO}.buffered.end({AUDIO}.buffered.length - 1) : 0)"
BACK_WITHIN_S = 3.0


class Raw:
    """Asks again at once when it is cut off, as a simple player does, and waits when it is told to."""

    def __init__(self) -> None:
        self.heard = 0
        self.connections = 0

    async def listen(self, address: str) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    async with client.stream("GET", address) as answer:
                        if answer.status_code == 503:
                            await asyncio.sleep(float(answer.headers["retry-after"]))
                            continue
                        self.connections += 1
                        async for piece in answer.aiter_raw():
                            self.heard += len(piece)


async def test_players_are_back_within_three_seconds_when_every_worker_dies(
    moot: Moot, browser: Any, server: Server
) -> None:
    host = await moot.person("wanda")
    space = await host.open_space("Workers")
    await host.speak(space, 440)
    pages = [(await page_of(browser, server, None, **device))[1] for device in (PHONE_DARK, DESKTOP_LIGHT)]
    for page in pages:
        await page.goto(f"/spaces/{space['id']}")
        await page.get_by_role("button", name="Listen", exact=True).click()
        await page.wait_for_function(f"{AUDIO} && !{AUDIO}.paused && {AUDIO}.currentTime > 0.2")
    raw = Raw()
    listening = asyncio.create_task(raw.listen(f"{server.base_url}{SPACES}/{space['id']}/listen?codec=aac"))
    await until(lambda: raw.heard > 3_000)

    workers = [child for name, child in server.children().items() if name.startswith("audience-")]
    killed_s, starved = time.monotonic(), Starved()
    for worker in workers:
        worker.kill()
    # What they had in hand when it happened; new sound is beyond that and what may have been on the way.
    had_s = [float(await page.evaluate(HAS_S)) for page in pages]
    await until(lambda: raw.connections == 2)
    raw_back_s = time.monotonic() - killed_s
    backs_s = await asyncio.gather(
        *(back(page, had + 1.0, killed_s) for page, had in zip(pages, had_s, strict=True))
    )
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    print(
        f"\nafter kill -9 of every audience worker: pages back in {backs_s} s, a raw client in {raw_back_s:.2f} s"
    )
    assert max(*backs_s, raw_back_s) - starved.s() < BACK_WITHIN_S


async def back(page: Any, beyond_s: float, since_s: float) -> float:
    """Seconds until it plays on, and has sound that was spoken a second after its connection ended."""
    await page.wait_for_function(f"{HAS_S} > {beyond_s} && !{AUDIO}.paused", polling=20)
    return round(time.monotonic() - since_s, 2)
