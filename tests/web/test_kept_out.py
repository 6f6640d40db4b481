"""Who is kept out, in a browser: the reason, the appeal, the data, the way back."""

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from tests.support.server import Server
from tests.web.browser import problems
from tests.web.test_pages import LOOKS, opened

pytestmark = pytest.mark.slow


async def signed_in(browser: Browser, server: Server, name: str, look: dict[str, Any]) -> Page:
    page = await opened(browser, server, "/sign-in", look)
    await sign_in(page, name)
    await page.wait_for_url("**/")
    return page


async def sign_in(page: Page, name: str, password: str = "") -> None:
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password").fill(password or f"{name}-has-a-long-password")
    await page.get_by_role("button", name="Sign in").last.click()


@pytest.mark.parametrize("look", LOOKS[:1])
async def test_suspended_one_reads_why_appeals_and_takes_the_data(
    browser: Browser, server: Server, look: dict[str, Any]
) -> None:
    name = "reporter"
    with server.client(server.token(name)) as client:
        client.post("/api/v1/statuses", json={"status": "It was public knowledge."})
    server.admin("limit", name, "--reason", "rule 1: too loud")
    server.admin("suspend", name, "--reason", "rule 3: an address", "--until", "2999-01-31T12:00Z")
    page = await signed_in(browser, server, name, look)
    await expect(page.get_by_role("heading", name="Your account is suspended")).to_be_visible()
    await expect(page.get_by_text("rule 3: an address")).to_be_visible()
    assert await problems(page) == []
    section = page.locator("section", has_text="rule 3")
    await section.get_by_label("Your appeal").fill("I posted a link, never the address.")
    await section.get_by_role("button", name="Appeal").click()
    await expect(section.get_by_text("Somebody else than who decided this will answer.")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download my data").click()
    data = json.loads((await (await download.value).path()).read_text())
    assert [post["text"] for post in data["posts"]] == ["It was public knowledge."]
    assert await problems(page) == []
    server.admin("lift", name)
    await page.get_by_role("button", name="Look again").click()
    await expect(page.get_by_text("Your account is open again. Sign in anew.")).to_be_visible()
    await sign_in(page, name)
    await expect(page.get_by_role("textbox").first).to_be_visible()
    await page.context.close()


@pytest.mark.parametrize("look", LOOKS[1:])
async def test_one_deactivates_the_account_and_comes_back(
    browser: Browser, server: Server, look: dict[str, Any]
) -> None:
    name = "tired"
    server.token(name)
    page = await signed_in(browser, server, name, look)
    server.admin("limit", name, "--reason", "rule 1: too loud")
    await page.goto("/settings")
    await expect(page.get_by_text("rule 1: too loud")).to_be_visible()
    assert await problems(page) == []
    await page.get_by_label("Your password").fill("not the password")
    await page.get_by_role("button", name="Deactivate my account").click()
    await expect(page.get_by_text("The password is wrong.")).to_be_visible()
    await page.get_by_label("Your password").fill(f"{name}-has-a-long-password")
    await page.get_by_role("button", name="Deactivate my account").click()
    await page.wait_for_url("**/")
    await page.goto("/sign-in")
    await sign_in(page, name)
    await expect(page.get_by_role("heading", name="Your account is deactivated")).to_be_visible()
    assert await problems(page) == []
    await page.get_by_role("button", name="Come back").click()
    await expect(page.get_by_role("textbox").first).to_be_visible()
    await page.context.close()


@pytest.mark.parametrize("look", LOOKS[:1])
async def test_a_lock_is_undone_by_a_link(browser: Browser, server: Server, look: dict[str, Any]) -> None:
    name = "robbed"
    server.token(name)
    server.admin("lock", name, "--reason", "a leaked list")
    page = await opened(browser, server, "/sign-in", look)
    await sign_in(page, name)
    await expect(page.get_by_role("alert")).to_contain_text("link to set a new password")
    link = server.admin("password-link", name)
    await page.goto(link[link.index("/password") :])
    assert await problems(page) == []
    await page.get_by_label("New password").fill("another long password")
    await page.get_by_role("button", name="Set it and sign in").click()
    await expect(page.get_by_role("textbox").first).to_be_visible()
    await page.context.close()


async def test_a_tombstone_stands_where_a_thread_needs_it(browser: Browser, server: Server) -> None:
    with server.client(server.token("top")) as top, server.client(server.token("gone")) as gone:
        first = top.post("/api/v1/statuses", json={"status": "What happened?"}).json()["id"]
        hidden = gone.post("/api/v1/statuses", json={"status": "This.", "in_reply_to_id": first}).json()["id"]
        last = top.post("/api/v1/statuses", json={"status": "I see.", "in_reply_to_id": hidden}).json()["id"]
    server.admin("suspend", "gone", "--reason", "rule 3")
    for post in (first, last):
        page = await opened(browser, server, f"/@top/{post}", LOOKS[0])
        await expect(page.get_by_text("I see.")).to_be_visible()
        await expect(page.get_by_text("A post that isn’t shown.")).to_have_count(1)
        assert await problems(page) == []
        await page.context.close()
