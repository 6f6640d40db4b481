"""Every page in a real browser: free of what axe finds, at home on a phone and in the dark, usable by keyboard."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect
from tests.story.people import PASSWORD
from tests.support.server import Server
from tests.web.browser import DESKTOP_LIGHT, PHONE_DARK, context_of, problems

pytestmark = pytest.mark.slow

SPACES = "/api/folkmoot/v1/spaces"
FOR_ANYBODY = ["/", "/public", "/spaces", "/sign-in", "/sign-up", "/about", "/@mira", "/nothing-here"]
SIGNED_IN = ["/", "/settings"]
LOOKS = [PHONE_DARK, DESKTOP_LIGHT]


@pytest.fixture(scope="module")
def pages(server: Server) -> list[str]:
    """The pages of things that are there: a post with a reply, a Space before and after."""
    with server.client(server.token("mira")) as mira:
        post = mira.post("/api/v1/statuses", json={"status": "Hello #square, see https://moot.example"}).json()
        mira.post("/api/v1/statuses", json={"status": "And a reply", "in_reply_to_id": post["id"]})
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        planned = {"title": "Tomorrow", "topics": ["planning"], "scheduled_at": tomorrow}
        scheduled = mira.post(SPACES, json=planned).json()
        live = mira.post(SPACES, json={"title": "Right now", "start": True}).json()
    return [f"/@mira/{post['id']}", f"/spaces/{scheduled['id']}", f"/spaces/{live['id']}"]


async def opened(browser: Browser, server: Server, path: str, look: dict[str, Any]) -> Page:
    page = await (await context_of(browser, server.base_url, bypass_csp=True, **look)).new_page()
    await visit(page, path)
    return page


async def visit(page: Page, path: str) -> None:
    await page.goto(path)
    await expect(page.locator("h1").first).to_be_visible()
    # A page that never stops asking is found here.
    await page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("look", LOOKS, ids=["phone-dark", "desktop-light"])
async def test_pages_that_anybody_opens(
    browser: Browser, server: Server, pages: list[str], look: dict[str, Any]
) -> None:
    found = {}
    page = await (await context_of(browser, server.base_url, bypass_csp=True, **look)).new_page()
    for path in [*FOR_ANYBODY, *pages]:
        await visit(page, path)
        found[path] = await problems(page)
        assert await page.get_by_role("link", name="Source code").count() >= 1, path
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize("look", LOOKS, ids=["phone-dark", "desktop-light"])
async def test_pages_of_who_is_signed_in(
    browser: Browser, server: Server, pages: list[str], look: dict[str, Any]
) -> None:
    page = await opened(browser, server, "/sign-in", look)
    await page.get_by_label("Username").fill("mira")
    await page.get_by_label("Password").fill("mira-has-a-long-password")
    await page.get_by_role("button", name="Sign in").last.click()
    await page.wait_for_url("**/")
    found = {}
    for path in [*SIGNED_IN, *pages]:
        await page.goto(path)
        await expect(page.locator("h1").first).to_be_visible()
        # The host of a live Space follows its events, which never end.
        await page.wait_for_load_state("networkidle" if path in SIGNED_IN else "load")
        found[path] = await problems(page)
    await page.context.close()
    assert {path: what for path, what in found.items() if what} == {}


async def test_signing_up_and_posting_by_keyboard_alone(browser: Browser, server: Server) -> None:
    page = await opened(browser, server, "/sign-up", LOOKS[1])
    await page.get_by_label("Username").focus()
    await page.keyboard.type("kay")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/")
    box = page.get_by_role("textbox").first
    await expect(box).to_be_visible()
    for _ in range(40):
        if await box.evaluate("box => box === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.type("Written without a mouse")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text("Written without a mouse").first).to_be_visible()
    await page.context.close()


async def test_a_page_says_that_it_loads_while_its_scripts_do(browser: Browser, server: Server) -> None:
    loading, title = "Loading…", "A public square where you can speak up."
    slow = await (await context_of(browser, server.base_url)).new_page()
    seen = asyncio.Event()

    async def hold(route: Route) -> None:
        await seen.wait()
        await route.continue_()

    await slow.route("**/assets/*.js", hold)
    await slow.goto("/", wait_until="commit")
    await expect(slow.get_by_text(loading)).to_be_visible()
    seen.set()
    await expect(slow.get_by_text(title)).to_be_visible()
    await expect(slow.get_by_text(loading)).to_have_count(0)
    without = await (await context_of(browser, server.base_url, java_script_enabled=False)).new_page()
    await without.goto("/")
    await expect(without.get_by_role("heading").first).to_be_visible()
    await expect(without.get_by_text(loading)).to_be_hidden()


async def test_a_wrong_password_is_a_sentence(browser: Browser, server: Server) -> None:
    page = await opened(browser, server, "/sign-in", LOOKS[0])
    await page.get_by_label("Username").fill("mira")
    await page.get_by_label("Password").fill("not the password")
    await page.get_by_role("button", name="Sign in").last.click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.context.close()
