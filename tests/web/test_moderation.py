"""Somebody reports a post; a moderator suspends its author with a reason and an end, and lifts it again."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect
from tests.serve.moot import SPACES, Moot, Person
from tests.support import uploads
from tests.support.waiting import PATIENCE_S, Starved
from tests.web.browser import DESKTOP_LIGHT, PHONE_DARK, page_of, problems

pytestmark = pytest.mark.slow

GONE_WITHIN_S = 0.5


class Held:
    """A live connection of somebody, and when it ended."""

    def __init__(self) -> None:
        self.ended_at: float | None = None

    async def until_it_ends(self) -> float:
        async with asyncio.timeout(PATIENCE_S):
            while self.ended_at is None:
                await asyncio.sleep(0.005)
        return self.ended_at


@asynccontextmanager
async def held_open(person: Person, space: dict[str, Any]) -> AsyncIterator[Held]:
    """The person follows a Space."""
    held, began = Held(), asyncio.Event()

    async def follow() -> None:
        try:
            async with person.http.stream("GET", f"{SPACES}/{space['id']}/events") as answer:
                assert answer.status_code == 200
                async for _ in answer.aiter_raw():
                    began.set()
        except httpx.TransportError:
            pass  # it is reset, not drained
        held.ended_at = time.monotonic()

    following = asyncio.create_task(follow())
    try:
        await asyncio.wait_for(began.wait(), PATIENCE_S)
        yield held
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def promoted(moot: Moot, name: str, role: str) -> Person:
    person = await moot.person(name)
    await asyncio.to_thread(moot.server.admin, "role", name, role)
    return person


async def report_post(page: Page, author: str, post_id: str) -> None:
    await page.goto(f"/@{author}/{post_id}")
    await page.get_by_role("button", name=f"More about the post by {author}").first.click()
    await page.get_by_role("menuitem", name="Report…").click()
    dialog = page.get_by_role("dialog")
    assert await problems(page) == []
    await dialog.get_by_role("radio", name="Spam").check()
    await dialog.get_by_role("textbox").fill("He sells things.")
    await page.keyboard.press("Tab")
    await dialog.get_by_role("button", name="Send the report").press("Enter")
    await expect(dialog.get_by_text(f"{author} is not told who reported")).to_be_visible()
    assert await problems(page) == []
    await dialog.get_by_role("button", name="Done").click()


@pytest.mark.parametrize("look", [PHONE_DARK], ids=["phone, dark"])
async def test_reported_suspended_gone_lifted_back(moot: Moot, browser: Browser, look: dict[str, Any]) -> None:
    which = look["color_scheme"]
    ana, troll = await moot.person(f"ana_{which}"), await moot.person(f"troll_{which}")
    keeper = await promoted(moot, f"keeper_{which}", "moderator")
    space = await ana.open_space("Town hall")
    made = await troll.http.post("/api/v1/statuses", json={"status": "Buy this now"})
    kept = await troll.http.post("/api/v1/statuses", json={"status": "Good morning"})
    post = f"/api/v1/statuses/{kept.json()['id']}"
    _, anas = await page_of(browser, moot.server, ana, **look)
    _, keepers = await page_of(browser, moot.server, keeper, **look)
    await keepers.goto("/moderation")
    await expect(keepers.get_by_text("Nothing waits for you")).to_be_visible()
    assert await problems(keepers) == []

    await report_post(anas, troll.name, made.json()["id"])

    card = keepers.get_by_role("article", name=f"Report about @{troll.name}")
    await expect(card).to_be_visible()  # by itself
    await expect(card.get_by_text("Buy this now")).to_be_visible()
    assert (await troll.http.delete(f"/api/v1/statuses/{made.json()['id']}")).status_code == 200
    await keepers.reload()
    await expect(card.get_by_text("Deleted since. When it was reported, it said:")).to_be_visible()
    await expect(card.get_by_text("Buy this now")).to_be_visible()
    assert await problems(keepers) == []
    await card.get_by_role("button", name="Decide…").click()
    dialog = keepers.get_by_role("dialog")
    await dialog.get_by_label("Why").fill("Rule 3: no advertising.")
    await dialog.get_by_label("How long").select_option("For a day")
    assert await problems(keepers) == []
    async with held_open(troll, space) as held:
        starved = Starved()
        async with keepers.expect_request("**/action"):
            await dialog.get_by_role("button", name="Suspend", exact=True).click()
        asked_at = time.monotonic()
        gone_after_s = await held.until_it_ends() - asked_at - starved.s()
    assert gone_after_s < GONE_WITHIN_S
    assert (await ana.http.get(post)).status_code == 404
    assert (await troll.http.get(post)).status_code == 401
    await expect(keepers.get_by_text("Nothing waits for you")).to_be_visible()

    await keepers.goto(f"/moderation/accounts/{troll.id}")
    await expect(keepers.get_by_text("Rule 3: no advertising.").first).to_be_visible()
    await expect(keepers.get_by_text("Led to a suspension")).to_be_visible()
    assert await problems(keepers) == []
    await keepers.get_by_role("button", name="Lift the suspension").click()
    await expect(keepers.get_by_role("heading", name="In good standing")).to_be_visible()
    assert (await ana.http.get(post)).status_code == 200
    again = await asyncio.to_thread(moot.server.token, troll.name)
    headers = {"Authorization": f"Bearer {again}"}
    assert (await troll.http.get("/api/v1/accounts/verify_credentials", headers=headers)).status_code == 200


@pytest.mark.parametrize("lost", ["demoted", "suspended"])
async def test_a_moderators_own_page_dies_with_the_standing(moot: Moot, browser: Browser, lost: str) -> None:
    keeper = await promoted(moot, f"warden_{lost}", "moderator")
    ana = await moot.person(f"ada_{lost}")
    space = await ana.open_space("Town hall")
    _, page = await page_of(browser, moot.server, keeper, **DESKTOP_LIGHT)
    await page.goto("/moderation/accounts")
    await page.get_by_role("searchbox").fill(keeper.name)
    await expect(page.get_by_role("list", name="Accounts found").get_by_role("listitem")).to_have_count(1)
    commands = {"demoted": ("role", keeper.name, "member"), "suspended": ("suspend", keeper.name, "--reason", "x")}
    async with held_open(keeper, space) as held:
        await asyncio.to_thread(moot.server.admin, *commands[lost])
        done_at, starved = time.monotonic(), Starved()
        assert await held.until_it_ends() - done_at - starved.s() < GONE_WITHIN_S
    refused = await keeper.http.get("/api/v1/admin/reports")
    assert refused.status_code == 401
    await page.get_by_role("searchbox").fill("somebody")
    await expect(page.get_by_text("This page is for this server’s moderators.")).to_be_visible()
    await expect(page.get_by_role("list", name="Accounts found")).to_have_count(0)
    anew = await asyncio.to_thread(moot.server.token, keeper.name)
    again = await keeper.http.get("/api/v1/admin/reports", headers={"Authorization": f"Bearer {anew}"})
    assert again.status_code == 403


async def test_people_and_moments_of_a_space_and_profiles_can_be_reported(moot: Moot, browser: Browser) -> None:
    host, ana = await moot.person("hostess"), await moot.person("anouk")
    keeper = await promoted(moot, "caretaker", "owner")
    space = await host.open_space("Town hall")
    _, page = await page_of(browser, moot.server, ana, **PHONE_DARK)
    for path, button in (
        (f"/spaces/{space['id']}", "Report this Space"),
        (f"/spaces/{space['id']}", "Report hostess"),
        ("/@hostess", "Report hostess"),
    ):
        await page.goto(path)
        await page.get_by_role("button", name=button, exact=True).click()
        assert await problems(page) == []
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await page.get_by_role("button", name=button, exact=True).press("Enter")
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Send the report").click()
        if button == "Report hostess" and path.startswith("/spaces"):
            # The same account in the same Space is the same report.
            await expect(dialog.get_by_text("You reported this already")).to_be_visible()
        else:
            await expect(dialog.get_by_role("button", name="Done")).to_be_visible()
    _, keepers = await page_of(browser, moot.server, keeper, **DESKTOP_LIGHT)
    await keepers.goto("/moderation")
    await expect(keepers.get_by_role("article", name="Report about @hostess")).to_have_count(2)
    await keepers.get_by_role("button", name="I look at it").first.click()
    await expect(keepers.get_by_text("You are looking at it.")).to_be_visible()
    about = keepers.get_by_role("article", name="Report about @hostess")
    for undone in (True, False):
        await about.get_by_role("button", name="Close without a sanction").first.click()
        await expect(about).to_have_count(1)
        if undone:
            await keepers.get_by_role("button", name="Undo").click()
            await expect(about).to_have_count(2)
    await keepers.get_by_label("Those that are closed").check()
    await about.get_by_role("button", name="Reopen").click()
    await expect(about).to_have_count(0)


async def test_what_was_deleted_is_seen_by_who_decides(moot: Moot, browser: Browser) -> None:
    sly, ana = await moot.person("sly"), await moot.person("anjou")
    keeper = await promoted(moot, "archivist", "moderator")
    uploaded = await sly.http.post(
        "/api/v1/media", files={"file": ("x.png", uploads.photograph(60, 40))}, data={"description": "a fist"}
    )
    shown = {"media_ids": [uploaded.json()["id"]]}
    post = (await sly.http.post("/api/v1/statuses", json={"status": "I will find you", **shown})).json()["id"]
    path = f"/api/v1/statuses/{post}"
    await sly.http.put(path, json={"status": "We should talk", **shown})
    reported = await ana.http.post("/api/v1/reports", json={"account_id": sly.id, "status_ids": [post]})
    assert reported.status_code == 200, reported.text
    await sly.http.put(path, json={"status": "Good morning"})
    assert (await sly.http.delete(path)).status_code == 200
    _, page = await page_of(browser, moot.server, keeper, **PHONE_DARK)
    await page.goto("/moderation")
    card = page.get_by_role("article", name="Report about @sly")
    await expect(card.get_by_text("We should talk")).to_be_visible()
    await card.get_by_text("Picture: a fist").first.click()
    picture = card.get_by_role("img", name="a fist")
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("naturalWidth", 60)
    await card.get_by_text("2 other versions").click()
    for said in ("I will find you", "Good morning"):
        await expect(card.get_by_text(said)).to_be_visible()
    assert await problems(page) == []


async def test_an_appeal_is_answered_by_another_moderator(moot: Moot, browser: Browser) -> None:
    first, second = await promoted(moot, "first", "moderator"), await promoted(moot, "second", "moderator")
    ana = await moot.person("appealing")
    decided = {"type": "suspend", "text": "Rule 3"}
    assert (await first.http.post(f"/api/v1/admin/accounts/{ana.id}/action", json=decided)).status_code == 200
    anew = {"Authorization": f"Bearer {await asyncio.to_thread(moot.server.token, ana.name)}"}
    standing = (await ana.http.get("/api/folkmoot/v1/standing", headers=anew)).json()
    made = await ana.http.post(
        "/api/folkmoot/v1/appeals",
        json={"sanction": standing["sanctions"][0]["id"], "text": "That was my sister."},
        headers=anew,
    )
    assert made.status_code in (200, 201), made.text
    _, page = await page_of(browser, moot.server, first, **PHONE_DARK)
    await page.goto("/moderation/appeals")
    await expect(page.get_by_text("Somebody else answers it")).to_be_visible()
    _, page = await page_of(browser, moot.server, second, **PHONE_DARK)
    await page.goto("/moderation/appeals")
    await expect(page.get_by_text("That was my sister.")).to_be_visible()
    assert await problems(page) == []
    await page.get_by_label("Your answer").fill("You are right.")
    await page.get_by_role("button", name="Grant: lift it").click()
    await expect(page.get_by_text("No appeal waits for an answer.")).to_be_visible()
    assert (await first.http.get(f"/api/v1/accounts/{ana.id}")).status_code == 200


async def test_an_owner_makes_a_moderator_and_takes_it_back(moot: Moot, browser: Browser) -> None:
    owner, ben = await promoted(moot, "olga_owns", "owner"), await moot.person("ben_helps")
    _, page = await page_of(browser, moot.server, owner, **DESKTOP_LIGHT)
    await page.goto(f"/moderation/accounts/{ben.id}")
    for chosen, status in (("a moderator", 200), ("a member", 401)):
        await page.get_by_label("Role").select_option(chosen)
        assert await problems(page) == []
        await page.get_by_role("button", name="Change the role").click()
        await expect(page.get_by_text(f"@ben_helps is {chosen} now.")).to_be_visible()
        await expect(page.get_by_role("button", name="Change the role")).to_be_disabled()
        assert (await ben.http.get("/api/v1/admin/reports")).status_code == status
