"""One server for each module of tests, people on it, a browser without a microphone, a page of nobody's in it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Page, async_playwright
from tests.serve.moot import Moot
from tests.support.server import Server, running_server
from tests.web.browser import chromium


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("web") / "data") as running:
        yield running


@pytest.fixture
async def moot(server: Server) -> AsyncIterator[Moot]:
    moot = Moot(server)
    yield moot
    await moot.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright, chromium(playwright) as launched:
        yield launched


@pytest.fixture
async def page(server: Server, browser: Browser) -> Page:
    return await browser.new_page(base_url=server.base_url, reduced_motion="reduce")
