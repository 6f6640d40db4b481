"""A disk that fills up is said on the host's page at once, and that it is over, too."""

from pathlib import Path

import pytest
from playwright.async_api import async_playwright
from tests.serve.moot import Moot
from tests.serve.test_full_disk import small_disk
from tests.support.server import running_server
from tests.web.browser import PHONE_DARK, chromium, page_of, problems

pytestmark = pytest.mark.slow


async def test_the_host_is_warned_while_nothing_is_recorded(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", "24m") as disk, running_server(disk.at) as server:
        moot = Moot(server)
        try:
            host, guest = await moot.person("hana"), await moot.person("rosa")
            space = await host.open_space("A long evening")
            async with async_playwright() as playwright, chromium(playwright) as browser:
                _, page = await page_of(browser, server, host, **PHONE_DARK)
                _, others = await page_of(browser, server, guest)
                await page.goto(f"/spaces/{space['id']}")
                await others.goto(f"/spaces/{space['id']}")
                await page.get_by_role("heading", name="For the hosts").wait_for()
                disk.fill()
                warning = page.get_by_test_id("recording-warning")
                await warning.wait_for()
                assert "Nothing is being recorded" in await warning.inner_text()
                assert await problems(page) == []
                assert await others.get_by_test_id("recording-warning").count() == 0
                disk.free()
                await warning.wait_for(state="detached")
        finally:
            await moot.close()
