"""Who is kept out, in a browser: the reason, the appeal, the data, the way back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.story.people import browser
from tests.support.server import Server
from tests.web.test_pages import LOOKS, opened, problems

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, browser(playwright) as launched:
        yield launched


def signed_in(chromium: Browser, server: Server, name: str, look: dict[str, Any]) -> Page:
    page = opened(chromium, server, "/sign-in", look)
    sign_in(page, name)
    page.wait_for_url("**/")
    return page


def sign_in(page: Page, name: str, password: str = "") -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password or f"{name}-has-a-long-password")
    page.get_by_role("button", name="Sign in").last.click()


@pytest.mark.parametrize("look", LOOKS[:1])
def test_suspended_one_reads_why_appeals_and_takes_the_data(
    chromium: Browser, server: Server, look: dict[str, Any]
) -> None:
    name = "reporter"
    with server.client(server.token(name)) as client:
        client.post("/api/v1/statuses", json={"status": "It was public knowledge."})
    server.admin("limit", name, "--reason", "rule 1: too loud")
    server.admin("suspend", name, "--reason", "rule 3: an address", "--until", "2999-01-31T12:00Z")
    page = signed_in(chromium, server, name, look)
    expect(page.get_by_role("heading", name="Your account is suspended")).to_be_visible()
    expect(page.get_by_text("rule 3: an address")).to_be_visible()
    assert problems(page) == []
    section = page.locator("section", has_text="rule 3")
    section.get_by_label("Your appeal").fill("I posted a link, never the address.")
    section.get_by_role("button", name="Appeal").click()
    expect(section.get_by_text("Somebody else than who decided this will answer.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download my data").click()
    data = json.loads(Path(download.value.path()).read_text())
    assert [post["text"] for post in data["posts"]] == ["It was public knowledge."]
    assert problems(page) == []
    server.admin("lift", name)
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("Your account is open again. Sign in anew.")).to_be_visible()
    sign_in(page, name)
    expect(page.get_by_role("textbox").first).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("look", LOOKS[1:])
def test_one_deactivates_the_account_and_comes_back(
    chromium: Browser, server: Server, look: dict[str, Any]
) -> None:
    name = "tired"
    server.token(name)
    page = signed_in(chromium, server, name, look)
    server.admin("limit", name, "--reason", "rule 1: too loud")
    page.goto("/settings")
    expect(page.get_by_text("rule 1: too loud")).to_be_visible()
    assert problems(page) == []
    page.get_by_label("Your password").fill("not the password")
    page.get_by_role("button", name="Deactivate my account").click()
    expect(page.get_by_text("The password is wrong.")).to_be_visible()
    page.get_by_label("Your password").fill(f"{name}-has-a-long-password")
    page.get_by_role("button", name="Deactivate my account").click()
    page.wait_for_url("**/")
    page.goto("/sign-in")
    sign_in(page, name)
    expect(page.get_by_role("heading", name="Your account is deactivated")).to_be_visible()
    assert problems(page) == []
    page.get_by_role("button", name="Come back").click()
    expect(page.get_by_role("textbox").first).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("look", LOOKS[:1])
def test_a_lock_is_undone_by_a_link(chromium: Browser, server: Server, look: dict[str, Any]) -> None:
    name = "robbed"
    server.token(name)
    server.admin("lock", name, "--reason", "a leaked list")
    page = opened(chromium, server, "/sign-in", look)
    sign_in(page, name)
    expect(page.get_by_role("alert")).to_contain_text("link to set a new password")
    link = server.admin("password-link", name)
    page.goto(link[link.index("/password") :])
    assert problems(page) == []
    page.get_by_label("New password").fill("another long password")
    page.get_by_role("button", name="Set it and sign in").click()
    expect(page.get_by_role("textbox").first).to_be_visible()
    page.context.close()


def test_a_tombstone_stands_where_a_thread_needs_it(chromium: Browser, server: Server) -> None:
    with server.client(server.token("top")) as top, server.client(server.token("gone")) as gone:
        first = top.post("/api/v1/statuses", json={"status": "What happened?"}).json()["id"]
        hidden = gone.post("/api/v1/statuses", json={"status": "This.", "in_reply_to_id": first}).json()["id"]
        last = top.post("/api/v1/statuses", json={"status": "I see.", "in_reply_to_id": hidden}).json()["id"]
    server.admin("suspend", "gone", "--reason", "rule 3")
    for post in (first, last):
        page = opened(chromium, server, f"/@top/{post}", LOOKS[0])
        expect(page.get_by_text("I see.")).to_be_visible()
        expect(page.get_by_text("A post that isn’t shown.")).to_have_count(1)
        assert problems(page) == []
        page.context.close()
