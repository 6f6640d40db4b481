"""Coming back without reloading from a dead stage, web process or network; measured until one is heard again."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from tests.serve.moot import Moot, Person
from tests.stage.peers import Client, until
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S, Starved
from tests.web.browser import DESKTOP_LIGHT, SAID_HZ, Network, page_of, paths_laid

pytestmark = pytest.mark.slow

AGREE = "I agree, open my microphone"
GUEST_HZ = 440


class Evening:
    """A host who speaks from a browser, and a guest on stage who hears it."""

    def __init__(self, page: Page, network: Network, host: Person, guest: Person, space: dict[str, Any]) -> None:
        self.page = page
        self.network = network
        self.host = host
        self.guest = guest
        self.space = space
        self.offers = 0
        self.reloads = 0
        page.on("request", self._count)
        page.on("load", lambda _: self._loaded())

    def _count(self, asked: Any) -> None:
        self.offers += asked.method == "POST" and asked.url.endswith("/whip")

    def _loaded(self) -> None:
        self.reloads += 1

    @property
    def ear(self) -> Client:
        assert self.guest.voice is not None
        return self.guest.voice

    async def heard_again(self, since_s: float, starved: Starved) -> float:
        """Seconds until the guest hears the host again."""
        await until(lambda: self.ear.hears(SAID_HZ, 0.1))
        return time.monotonic() - since_s - starved.s()

    def bar(self) -> Any:
        return self.page.get_by_role("complementary", name="Sound")


@pytest_asyncio.fixture(loop_scope="session")
async def evening(moot: Moot, server: Server, speaking: Browser, request: Any) -> AsyncIterator[Evening]:
    name = request.node.name[5:15].replace("_", "")
    host, guest = await moot.person(f"h{name}"), await moot.person(f"g{name}")
    _, page = await page_of(speaking, server, host, **DESKTOP_LIGHT)
    network = await Network.of(page)
    space = await host.open_space("Coming back")
    evening = Evening(page, network, host, guest, space)
    await page.goto(f"/spaces/{space['id']}")
    await page.get_by_role("button", name="Take your seat").click()
    await page.get_by_role("button", name=AGREE).click()
    await guest.tell(space, "ask", recording_consent=True)
    await host.tell(space, "let_up", account=guest.id)
    await guest.speak(space, GUEST_HZ)
    await until(lambda: evening.ear.hears(SAID_HZ))
    evening.offers = evening.reloads = 0
    yield evening
    assert evening.reloads == 0


async def speak_anew(evening: Evening) -> None:
    """The guest is no browser: it comes back as soon as there is a stage to come back to."""
    assert evening.guest.voice is not None
    await evening.guest.voice.close()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await evening.guest.speak(evening.space, GUEST_HZ)
                return
            except (AssertionError, TimeoutError, httpx.TransportError):
                await asyncio.sleep(0.05)


async def test_a_stage_that_is_killed(evening: Evening, server: Server) -> None:
    stage = server.child("stage-")
    killed_s, starved = time.monotonic(), Starved()
    stage.kill()
    await speak_anew(evening)
    back_s = await evening.heard_again(killed_s, starved)
    print(f"\nheard again {back_s:.2f} s after kill -9 of the stage, with {evening.offers} offers")
    await expect(evening.bar()).to_contain_text("On stage")
    assert back_s < 3


async def test_a_web_process_that_is_killed(evening: Evening, server: Server) -> None:
    evening.ear.forget()
    killed_s = time.monotonic()
    server.child("web").kill()
    await until(lambda: len(evening.ear.heard) > 150)
    assert evening.ear.hears(SAID_HZ, 3), "the talk goes on without it"

    async def asks() -> bool:
        try:
            await evening.guest.tell(evening.space, "mute", account=evening.guest.id)
        except (AssertionError, httpx.TransportError):
            return False
        return True

    while not await asks():
        await asyncio.sleep(0.05)
    seat = evening.page.locator('[data-testid="seat"]').nth(1)
    await expect(seat).to_contain_text("muted")
    print(
        f"\nthe page follows the Space again {time.monotonic() - killed_s:.2f} s after kill -9 of the web process"
    )
    assert evening.offers == 0


async def test_a_network_that_is_gone_for_a_while(evening: Evening) -> None:
    gone_s = time.monotonic()
    await evening.network.be(offline=True)
    await until(lambda: not evening.ear.hears(SAID_HZ, 0.1))
    await expect(evening.bar()).to_contain_text("Your seat is kept for")
    said_s = time.monotonic() - gone_s
    await evening.network.be()
    back_s = await evening.heard_again(time.monotonic(), Starved())
    print(f"\nsaid so after {said_s:.2f} s; heard again {back_s:.2f} s after the network was back")
    await expect(evening.bar()).to_contain_text("On stage")
    assert back_s < 3


async def test_a_path_that_dies_without_a_word(evening: Evening) -> None:
    """Only the packets of sound are lost, as behind a router that has forgotten: the browser says nothing of it."""
    await evening.network.be(lost_percent=100)
    await until(lambda: not evening.ear.hears(SAID_HZ, 0.1))
    await expect(evening.bar()).to_contain_text("Reconnecting")
    await asyncio.sleep(3)
    await evening.network.be()
    back_s = await evening.heard_again(time.monotonic(), Starved())
    print(f"\nheard again {back_s:.2f} s after packets passed again, with {evening.offers} offers")
    assert back_s < 3


async def test_only_a_new_path_works(evening: Evening) -> None:
    """After a VPN came up, the cable was pulled, a router restarted: no event tells of it."""
    async with paths_laid(evening.page) as paths:
        # From here on the browser's connections go by paths that can die.
        await evening.page.evaluate("dispatchEvent(new Event('offline')); dispatchEvent(new Event('online'))")
        await until(lambda: len(paths) == 1 and evening.ear.hears(SAID_HZ, 0.1))
        for _ in range(2):
            await expect(evening.bar()).to_contain_text("On stage")
            await asyncio.sleep(2)
            count = len(paths)
            paths[-1].dead = True
            dead_s, starved = time.monotonic(), Starved()
            await until(lambda: not evening.ear.hears(SAID_HZ, 0.1))
            back_s = await evening.heard_again(dead_s, starved)
            print(f"\nheard again {back_s:.2f} s after the path died, with {len(paths) - count} offers")
            assert back_s < 3
            # Who is starved may give up an attempt that was under way.
            assert len(paths) - count <= 1 + (starved.s() > 1)
