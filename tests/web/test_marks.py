"""Boosts, favourites and bookmarks as somebody uses them in a browser."""

import asyncio

import pytest
from playwright.async_api import Browser, expect
from tests.serve.moot import Moot
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S
from tests.web.browser import PHONE_DARK, page_of

pytestmark = pytest.mark.slow


async def test_a_post_is_boosted_starred_and_kept(server: Server, moot: Moot, browser: Browser) -> None:
    with server.client(server.token("wren")) as wren:
        said = wren.post("/api/v1/statuses", json={"status": "The ferry is back."}).json()
    owl = await moot.person("owl")
    context, page = await page_of(browser, server, owl, **PHONE_DARK)
    await page.goto(f"/@wren/{said['id']}")
    for name in ("Boost", "Favourite", "Bookmark"):
        button = page.get_by_role("button", name=f"{name} the post by wren")
        await button.click()
        await expect(button).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_role("button", name="Boost the post by wren")).to_have_text("1")
    for address in ("/favourites", "/bookmarks"):
        await page.goto(address)
        await expect(page.get_by_text("The ferry is back.")).to_be_visible()
    await page.goto("/@owl")
    await expect(page.get_by_role("article", name="Post by wren, boosted by owl")).to_be_visible()

    star = page.get_by_role("button", name="Favourite the post by wren")
    await star.press("Space")
    await expect(star).to_have_attribute("aria-pressed", "false")
    # What is pressed shows at once; the server hears of it a moment later.
    async with asyncio.timeout(PATIENCE_S):
        while (shown := (await owl.http.get(f"/api/v1/statuses/{said['id']}")).json())["favourited"]:
            await asyncio.sleep(0.05)
    assert (shown["reblogged"], shown["bookmarked"]) == (True, True)
    await page.goto("/favourites")
    await expect(page.get_by_text("No favourites yet")).to_be_visible()
    await context.close()
