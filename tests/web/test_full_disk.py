"""A disk that fills up is said on the host's page at once, and that it is over, too."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser
from tests.serve.moot import Moot
from tests.serve.test_full_disk import SmallDisk, small_disk
from tests.support.server import Server, running_server
from tests.web.browser import PHONE_DARK, page_of, problems

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    with small_disk(tmp_path_factory.mktemp("disk") / "data", "24m") as disk:
        yield disk


@pytest.fixture(scope="module")
def server(disk: SmallDisk) -> Iterator[Server]:
    with running_server(disk.at) as running:
        yield running


async def test_the_host_is_warned_while_nothing_is_recorded(
    disk: SmallDisk, server: Server, moot: Moot, browser: Browser
) -> None:
    host, guest = await moot.person("hana"), await moot.person("rosa")
    space = await host.open_space("A long evening")
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
