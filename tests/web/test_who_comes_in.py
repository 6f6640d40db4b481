"""Who comes back by another account from one browser: hosts and moderators are told. Networks, mail, invites."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from tests.serve.moot import SPACES, Moot, Person
from tests.web.browser import DESKTOP_LIGHT, PHONE_DARK, page_of, problems

pytestmark = pytest.mark.slow

PASSWORD = "a long enough password"
ON_A_PHONE = pytest.mark.parametrize("look", [PHONE_DARK], ids=["phone, dark"])
ON_A_DESKTOP = pytest.mark.parametrize("look", [DESKTOP_LIGHT], ids=["desktop, light"])


async def sign_up(page: Page, name: str, path: str = "/sign-up", email: str = "") -> None:
    await page.goto(path)
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_role("button", name="Create account").click()


async def sign_out(page: Page) -> None:
    await page.goto("/settings")
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/")


async def ask_to_speak(page: Page, space: dict[str, Any]) -> None:
    """Without the question about the microphone, which this browser has none of."""
    await page.goto(f"/spaces/{space['id']}")
    await expect(page.get_by_role("button", name="Ask to speak")).to_be_visible()
    answered = await page.evaluate(
        """async (path) => (await fetch(path, {method: 'POST', body: JSON.stringify({do: 'ask'}),
            headers: {'Content-Type': 'application/json'}})).status""",
        f"{SPACES}/{space['id']}/commands",
    )
    assert answered == 200


async def keeper_of(moot: Moot, name: str) -> Person:
    person = await moot.person(name)
    await asyncio.to_thread(moot.server.admin, "role", name, "moderator")
    return person


@ON_A_PHONE
async def test_a_host_is_told_who_comes_back_by_the_same_browser(
    moot: Moot, browser: Browser, look: dict[str, Any]
) -> None:
    which = look["color_scheme"]
    hana = await moot.person(f"hana_{which}")
    space = await hana.open_space("Town hall", recorded=False)
    _, hosts = await page_of(browser, moot.server, hana, **look)
    await hosts.goto(f"/spaces/{space['id']}")
    _, guests = await page_of(browser, moot.server, None, **look)
    await sign_up(guests, f"first_{which}")
    await guests.wait_for_url("**/")
    await ask_to_speak(guests, space)
    await hosts.get_by_role("button", name=f"Remove first_{which} from the Space").click()
    await expect(hosts.get_by_text("Nobody asks at the moment.")).to_be_visible()

    await sign_out(guests)
    await sign_up(guests, f"second_{which}")
    await guests.wait_for_url("**/")
    hint = hosts.get_by_text(f"second_{which} uses a browser from which first_{which} was removed.")
    await expect(hint).to_have_count(0)
    await ask_to_speak(guests, space)
    await expect(hint).to_be_visible()
    assert await problems(hosts) == []
    await hosts.get_by_role("button", name=f"Ignore this about second_{which}").click()
    await expect(hint).to_have_count(0)
    await hosts.reload()
    await expect(hosts.get_by_role("button", name=f"Let up second_{which}")).to_be_visible()
    await expect(hint).to_have_count(0)

    await sign_out(guests)
    await sign_up(guests, f"third_{which}")
    await guests.wait_for_url("**/")
    await guests.goto(f"/spaces/{space['id']}")
    await guests.get_by_role("button", name="Listen", exact=True).click()
    listens = f"third_{which} listens by a browser from which first_{which} was removed."
    await expect(hosts.get_by_text(listens)).to_be_visible()

    await sign_out(guests)
    await guests.goto(f"/spaces/{space['id']}")
    await guests.get_by_role("button", name="Listen", exact=True).click()
    without = f"Somebody without an account listens by a browser from which first_{which} was removed."
    await expect(hosts.get_by_text(without)).to_be_visible()
    assert await problems(hosts) == []
    await hosts.get_by_role("button", name=f"Ignore this about first_{which}").click()
    await expect(hosts.get_by_text(without)).to_have_count(0)


@ON_A_DESKTOP
async def test_a_suspended_ones_browser_has_a_moderator_look(
    moot: Moot, browser: Browser, look: dict[str, Any]
) -> None:
    which = look["color_scheme"]
    keeper = await keeper_of(moot, f"keeper_{which}")
    _, page = await page_of(browser, moot.server, None, **look)
    await sign_up(page, f"mara_{which}")
    await page.wait_for_url("**/")
    await asyncio.to_thread(moot.server.admin, "suspend", f"mara_{which}", "--reason", "rule 3")
    await sign_up(page, f"nora_{which}", email=f"nora_{which}@example.org")
    await expect(page.get_by_role("heading", name="Your account waits for approval")).to_be_visible()
    await expect(page.get_by_text("A person looks at it before it opens.")).to_be_visible()
    assert "mara" not in await page.content()
    assert await problems(page) == []

    _, keepers = await page_of(browser, moot.server, keeper, **look)
    await keepers.goto("/moderation/accounts")
    await keepers.get_by_role("searchbox").fill(f"nora_{which}")
    await keepers.get_by_role("link", name=f"nora_{which}").click()
    await expect(keepers.get_by_text(f"came from a browser that @mara_{which}, suspended on")).to_be_visible()
    assert await problems(keepers) == []
    await keepers.get_by_role("button", name="Let in", exact=True).click()
    await expect(keepers.get_by_role("heading", name="In good standing")).to_be_visible()


@ON_A_PHONE
async def test_an_invite_from_one_browser_to_another(moot: Moot, browser: Browser, look: dict[str, Any]) -> None:
    which = look["color_scheme"]
    keeper = await keeper_of(moot, f"inviter_{which}")
    _, keepers = await page_of(browser, moot.server, keeper, **look)
    await keepers.goto("/settings")
    await keepers.get_by_role("button", name="Make a link").click()
    link = keepers.get_by_role("textbox", name="more, until")
    await expect(link).to_be_visible()
    assert await problems(keepers) == []
    address = await link.input_value()

    _, page = await page_of(browser, moot.server, None, **look)
    await page.goto(address)
    await expect(page.get_by_text(f"inviter_{which} invites you.")).to_be_visible()
    assert await problems(page) == []
    await sign_up(page, f"olga_{which}", address)
    await page.wait_for_url("**/")
    await sign_out(page)
    await page.goto(address)
    await expect(page.get_by_text("This invite is used up")).to_be_visible()

    found = await keeper.http.get("/api/v1/admin/accounts", params={"username": f"olga_{which}"})
    await keepers.goto(f"/moderation/accounts/{found.json()[0]['id']}")
    await expect(keepers.get_by_text(f"Brought by @inviter_{which}")).to_be_visible()
    assert await problems(keepers) == []


@ON_A_DESKTOP
async def test_networks_and_mail_are_stopped(moot: Moot, browser: Browser, look: dict[str, Any]) -> None:
    keeper = await keeper_of(moot, f"doors_{look['color_scheme']}")
    _, page = await page_of(browser, moot.server, keeper, **look)
    await page.goto("/moderation/doors")
    await page.get_by_text("Stop a network").click()
    await page.get_by_label("Address or network").fill("127.0.0.0/24")
    await page.get_by_role("radio", name="What is open from there ends at once").check()
    await page.get_by_label("Whoever comes from there").fill("A flood of accounts")
    await page.get_by_role("button", name="Stop it").click()
    await expect(page.get_by_text("You are in 127.0.0.0/24 yourself")).to_be_visible()
    assert await problems(page) == []
    await page.get_by_label("Address or network").fill("203.0.113.0/24")
    await page.get_by_role("button", name="Stop it").click()
    networks = page.get_by_role("list", name="Networks that are stopped")
    await expect(networks.get_by_text("203.0.113.0/24")).to_be_visible()
    await page.get_by_label("E-mail address or domain").fill("trash.example")
    await page.get_by_role("button", name="Block it").click()
    mail = page.get_by_role("list", name="Blocked domains of mail")
    await expect(mail.get_by_text("trash.example")).to_be_visible()
    assert await problems(page) == []
    await page.get_by_role("button", name="Let in 203.0.113.0/24").click()
    await expect(page.get_by_text("None is stopped.")).to_be_visible()
    await page.get_by_role("button", name="Allow trash.example").click()
    await expect(mail.get_by_text("trash.example")).to_have_count(0)
