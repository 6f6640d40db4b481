"""Mail, passkeys and codes in a browser, with a mail server beside it and an authenticator of Chromium's own."""

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect
from tests.support.mail import MailServer, mail_server
from tests.support.server import Server, running_server
from tests.support.waiting import PATIENCE_S
from tests.web.browser import context_of, problems

from folkmoot.accounts.second_factor.codes import code_at

pytestmark = pytest.mark.slow
PASSWORD = "four words in a row"


@pytest_asyncio.fixture(loop_scope="session")
async def mail() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, mail: MailServer) -> Any:
    """At a name: passkeys are for domains, and an address is none."""
    settings: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_port": str(mail.port), "smtp_security": "none"}
    with running_server(tmp_path / "data", host="localhost", mail_from="moot@moot.example", **settings) as running:
        yield running


async def link_in(mail: MailServer, page_name: str) -> str:
    """Of the newest letter that has one to this page."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for letter in reversed(mail.letters):
                body = letter.get_body(("plain",))
                assert body is not None
                if found := re.search(rf"\S+/{page_name}\?secret=\S+", body.get_content()):
                    return found[0]
            await asyncio.sleep(0.05)


async def an_authenticator(context: BrowserContext, page: Page) -> None:
    devtools = await context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


async def sign_out(page: Page) -> None:
    await page.goto("/settings")
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.wait_for_url("**/")


async def by_password(page: Page, password: str = PASSWORD) -> None:
    await page.goto("/sign-in")
    await page.get_by_label("Username").fill("carol")
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def test_an_account_with_all_that_protects_it(server: Server, mail: MailServer, browser: Browser) -> None:
    context = await context_of(browser, server.base_url)
    page = await context.new_page()
    await an_authenticator(context, page)
    await confirms_an_address(page, mail)
    await adds_a_passkey(page)
    await signs_in_with_it(page)
    await lets_a_program_in(page, server)
    await sets_up_codes(page)
    await sets_a_new_password_by_mail(page, mail)


async def confirms_an_address(page: Page, mail: MailServer) -> None:
    await page.goto("/sign-up")
    await page.get_by_label("Username").fill("carol")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_label("E-mail").fill("carol@mail.example")
    await page.get_by_role("button", name="Create account").click()
    await page.wait_for_url("**/")
    await page.goto(await link_in(mail, "confirm-email"))
    await page.get_by_role("button", name="Confirm it").click()
    await expect(page.get_by_text("Your address is confirmed.")).to_be_visible()


async def adds_a_passkey(page: Page) -> None:
    await page.goto("/settings/security")
    await expect(page.get_by_text("carol@mail.example")).to_be_visible()
    await page.get_by_text("Add a passkey").click()
    await page.get_by_label("What you call it").fill("My phone")
    form = page.locator("form", has_text="What you call it")
    await form.get_by_label("Your password").fill(PASSWORD)
    await form.get_by_role("button").click()
    await expect(page.get_by_text("Recovery codes. Each is good once")).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("My phone")
    assert await problems(page) == []
    await sign_out(page)


async def signs_in_with_it(page: Page) -> None:
    """By itself, and after the password."""
    await page.goto("/sign-in")
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url("**/")
    await sign_out(page)
    await by_password(page)
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    assert await problems(page) == []
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url("**/")
    await sign_out(page)


async def lets_a_program_in(page: Page, server: Server) -> None:
    """On the page of `/oauth/authorize`: by itself, and after the password."""
    with server.client() as client:
        application = client.post(
            "/api/v1/apps", data={"client_name": "Tusk", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"}
        ).json()
    asked = (
        f"/oauth/authorize?client_id={application['client_id']}&response_type=code"
        "&redirect_uri=urn:ietf:wg:oauth:2.0:oob&force_login=true"
    )
    allow = page.get_by_role("button", name="Allow", exact=True)
    await page.goto(asked)
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(allow).to_be_visible()
    await page.goto(asked)
    await page.get_by_label("Username").fill("carol")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_label("Code of your program, or a recovery code")).to_be_visible()
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(allow).to_be_visible()


async def sets_up_codes(page: Page) -> None:
    await page.goto("/settings/security")
    await page.get_by_text("Set up codes").click()
    form = page.locator("form", has=page.get_by_role("button", name="Show the QR code"))
    await form.get_by_label("Your password").fill(PASSWORD)
    await form.get_by_role("button").click()
    shown = page.get_by_alt_text("QR code for the program")
    await expect(shown).to_be_visible()
    assert await shown.evaluate("image => image.naturalWidth > 50")
    secret = await page.locator("code", has_text=re.compile("^[A-Z2-7]{32}$")).inner_text()
    await page.get_by_label("Code", exact=True).fill(_code(secret))
    await page.get_by_role("button", name="Turn codes on").click()
    await expect(page.get_by_text("You sign in with a code of six digits.")).to_be_visible()
    await sign_out(page)


async def sets_a_new_password_by_mail(page: Page, mail: MailServer) -> None:
    await page.goto("/forgotten")
    await page.get_by_label("The e-mail address of your account").fill("carol@mail.example")
    await page.get_by_role("button", name="Send me a link").click()
    await expect(page.get_by_text("a letter with a link is on its way")).to_be_visible()
    await page.goto(await link_in(mail, "password"))
    await page.get_by_label("New password").fill("four other words here")
    await page.get_by_role("button", name="Set it and sign in").click()
    # A mailbox alone opens nothing where there is a second factor.
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url("**/")
    await page.goto("/settings/security")
    await expect(page.get_by_text("this one")).to_be_visible()


def _code(secret: str) -> str:
    return code_at(base64.b32decode(secret), time.time_ns() // 1_000_000)
