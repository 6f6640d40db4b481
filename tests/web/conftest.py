"""One server for each module of tests, one browser for each process, people, and a page of nobody's in it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Playwright, async_playwright
from tests.serve.moot import Moot
from tests.support.server import Server, running_server
from tests.web.browser import chromium, context_of, microphone, spoken_tone

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All in one event loop, or no browser could outlive a test: to start one takes as long as many a test."""
    for item in items:
        if item.path.is_relative_to(HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("web") / "data") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def moot(server: Server) -> AsyncIterator[Moot]:
    moot = Moot(server)
    yield moot
    await moot.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium_without_microphone(playwright: Playwright) -> AsyncIterator[Browser]:
    async with chromium(playwright) as launched:
        yield launched


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium_that_speaks(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Browser]:
    voice = spoken_tone(tmp_path_factory.mktemp("voice") / "voice.wav")
    async with chromium(playwright, *microphone(voice)) as launched:
        yield launched


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium_without_microphone: Browser) -> AsyncIterator[Browser]:
    """Without a microphone."""
    yield chromium_without_microphone
    await close_all(chromium_without_microphone)


@pytest_asyncio.fixture(loop_scope="session")
async def speaking(chromium_that_speaks: Browser) -> AsyncIterator[Browser]:
    """Its microphones hear a tone, `SAID_HZ`, and are allowed."""
    yield chromium_that_speaks
    await close_all(chromium_that_speaks)


async def close_all(browser: Browser) -> None:
    """What a test opened doesn't go on beside the next one."""
    for context in browser.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(server: Server, browser: Browser) -> Page:
    return await (await context_of(browser, server.base_url)).new_page()
