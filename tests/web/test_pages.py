"""Every page in a real browser: free of what axe finds, at home on a phone and in the dark, usable by keyboard."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.story.people import PASSWORD, browser
from tests.support.server import Server

pytestmark = pytest.mark.slow

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
SPACES = "/api/folkmoot/v1/spaces"
FOR_ANYBODY = ["/", "/public", "/spaces", "/sign-in", "/sign-up", "/about", "/@mira", "/nothing-here"]
SIGNED_IN = ["/", "/settings"]
LOOKS: list[dict[str, Any]] = [
    {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "reduced_motion": "reduce"},
    {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light", "reduced_motion": "reduce"},
]


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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, browser(playwright) as launched:
        yield launched


def opened(chromium: Browser, server: Server, path: str, look: dict[str, Any]) -> Page:
    page = chromium.new_context(base_url=server.base_url, bypass_csp=True, **look).new_page()
    page.goto(path)
    expect(page.locator("h1").first).to_be_visible()
    # A page that never stops asking is found here.
    page.wait_for_load_state("networkidle")
    return page


def problems(page: Page) -> list[str]:
    """What axe finds (WCAG 2.2 AA and best practices), and a page that is wider than its window."""
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    listed = [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        listed.append("the page is wider than its window")
    return listed


@pytest.mark.parametrize("look", LOOKS, ids=["phone-dark", "desktop-light"])
def test_pages_that_anybody_opens(
    chromium: Browser, server: Server, pages: list[str], look: dict[str, Any]
) -> None:
    found = {}
    for path in [*FOR_ANYBODY, *pages]:
        page = opened(chromium, server, path, look)
        found[path] = problems(page)
        assert page.get_by_role("link", name="Source code").count() >= 1, path
        page.context.close()
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize("look", LOOKS, ids=["phone-dark", "desktop-light"])
def test_pages_of_who_is_signed_in(
    chromium: Browser, server: Server, pages: list[str], look: dict[str, Any]
) -> None:
    page = opened(chromium, server, "/sign-in", look)
    page.get_by_label("Username").fill("mira")
    page.get_by_label("Password").fill("mira-has-a-long-password")
    page.get_by_role("button", name="Sign in").last.click()
    page.wait_for_url("**/")
    found = {}
    for path in [*SIGNED_IN, *pages]:
        page.goto(path)
        expect(page.locator("h1").first).to_be_visible()
        # The host of a live Space follows its events, which never end.
        page.wait_for_load_state("networkidle" if path in SIGNED_IN else "load")
        found[path] = problems(page)
    page.context.close()
    assert {path: what for path, what in found.items() if what} == {}


def test_signing_up_and_posting_by_keyboard_alone(chromium: Browser, server: Server) -> None:
    page = opened(chromium, server, "/sign-up", LOOKS[1])
    page.get_by_label("Username").focus()
    page.keyboard.type("kay")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    box = page.get_by_role("textbox").first
    expect(box).to_be_visible()
    for _ in range(40):
        if box.evaluate("box => box === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.type("Written without a mouse")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Written without a mouse").first).to_be_visible()
    page.context.close()


def test_a_wrong_password_is_a_sentence(chromium: Browser, server: Server) -> None:
    page = opened(chromium, server, "/sign-in", LOOKS[0])
    page.get_by_label("Username").fill("mira")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").last.click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.context.close()
