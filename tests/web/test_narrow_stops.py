"""Moderators stop one Space, one clip, one host; whoever is in the room reads why, without an account too."""

from typing import Any

import pytest
from playwright.async_api import Browser, expect
from tests.serve.account_keys import recorded_space
from tests.serve.moot import Moot
from tests.support.server import Server
from tests.web.browser import DESKTOP_LIGHT, PHONE_DARK, page_of, problems
from tests.web.test_moderation import promoted

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("look", [DESKTOP_LIGHT], ids=["desktop, light"])
async def test_a_host_is_suspended_and_the_room_reads_who_hosts_now(
    moot: Moot, browser: Browser, look: dict[str, Any]
) -> None:
    which = look["color_scheme"]
    host, anna = await moot.person(f"host_{which}"), await moot.person(f"anna_{which}")
    keeper = await promoted(moot, f"warden_{which}", "moderator")
    space = await host.open_space("Town hall")
    await host.speak(space, 440)
    await host.tell(space, "invite", account=anna.id)
    await anna.tell(space, "accept", recording_consent=True)
    await anna.speak(space, 880)
    _, listeners = await page_of(browser, moot.server, None, **look)
    await listeners.goto(f"/spaces/{space['id']}")
    await listeners.get_by_role("button", name="Listen").first.click()
    _, keepers = await page_of(browser, moot.server, keeper, **look)
    await keepers.goto(f"/moderation/accounts/{host.id}")
    await keepers.get_by_role("button", name="Decide…").click()
    dialog = keepers.get_by_role("dialog")
    await dialog.get_by_label("Why").fill("Rule 3")
    await dialog.get_by_label("“Town hall” is live, and theirs").select_option(
        label=f"@{anna.name} hosts it from now on"
    )
    assert await problems(keepers) == []
    await dialog.get_by_role("button", name="Suspend", exact=True).click()
    told = f"The host was suspended by this server's moderators, and the Space goes on. @{anna.name} hosts it now."
    await expect(listeners.get_by_text(told)).to_be_visible()
    assert await problems(listeners) == []

    await keepers.goto(f"/spaces/{space['id']}")
    await keepers.get_by_role("button", name="Moderate…").click()
    await keepers.get_by_role("dialog").get_by_label("Why").fill("An address was read out")
    assert await problems(keepers) == []
    await keepers.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    gone = "This Space was removed by this server's moderators. Reason: An address was read out"
    await expect(listeners.get_by_role("heading", name="This Space is gone")).to_be_visible()
    await expect(listeners.get_by_role("main").get_by_text(gone)).to_be_visible()
    assert await problems(listeners) == []
    _, annas = await page_of(browser, moot.server, anna, **look)
    await annas.goto(f"/spaces/{space['id']}")
    await annas.get_by_label("Your appeal").fill("Nobody read one out.")
    assert await problems(annas) == []
    await annas.get_by_role("button", name="Appeal", exact=True).click()
    await expect(annas.get_by_text("Somebody else than who decided this will answer.")).to_be_visible()
    await keepers.get_by_role("button", name="Lift it: bring the Space back").click()
    await expect(keepers.get_by_role("heading", name="Town hall")).to_be_visible()
    assert await problems(keepers) == []


async def test_from_the_queue_one_is_asked_what_becomes_of_the_room(moot: Moot, browser: Browser) -> None:
    host, dora = await moot.person("host_reported"), await moot.person("dora_reporting")
    keeper = await promoted(moot, "warden_of_the_queue", "moderator")
    space = await host.open_space("Reported hall")
    report = {"account_id": host.id, "category": "spam"}
    assert (await dora.http.post("/api/v1/reports", json=report)).status_code == 200
    _, page = await page_of(browser, moot.server, keeper, **PHONE_DARK)
    await page.goto("/moderation")
    card = page.get_by_role("article", name=f"Report about @{host.name}")
    await card.get_by_role("button", name="Decide…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("“Reported hall” is live, and theirs")).to_have_value("ends")
    assert await problems(page) == []
    _, listeners = await page_of(browser, moot.server, None, **PHONE_DARK)
    await listeners.goto(f"/spaces/{space['id']}")
    await listeners.get_by_role("button", name="Listen").first.click()
    await expect(listeners.get_by_role("button", name="Stop listening").first).to_be_visible()
    await dialog.get_by_label("Why").fill("Rule 3")
    await dialog.get_by_role("button", name="Suspend", exact=True).click()
    told = "This Space has ended: its host was suspended by this server's moderators."
    await expect(listeners.get_by_role("main").get_by_text(told)).to_be_visible()
    assert await problems(listeners) == []


async def test_one_clip_is_removed_and_brought_back_and_a_host_is_stopped(
    moot: Moot, browser: Browser, server: Server
) -> None:
    bob = await moot.person("bob_clip")
    space = await recorded_space(moot, server, await moot.person("olaf_clip"))
    made = await bob.http.post("/api/folkmoot/v1/clips", json={"space": space, "start_ms": 0, "end_ms": 1_000})
    post = await bob.http.post("/api/v1/statuses", json={"status": "Hear", "media_ids": [made.json()["media_id"]]})
    keeper = await promoted(moot, "keeper_clip", "moderator")
    _, page = await page_of(browser, moot.server, keeper, **DESKTOP_LIGHT)
    await page.goto(f"/@{bob.name}/{post.json()['id']}")
    await page.get_by_role("button", name="Remove clip…").click()
    await page.get_by_role("dialog").get_by_label("Why").fill("Rule 5")
    await page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    await expect(page.get_by_role("note")).to_contain_text("This clip was removed")
    await page.reload()
    await expect(page.get_by_role("note")).to_contain_text("Reason: Rule 5")
    assert await problems(page) == []
    await page.get_by_role("button", name="Bring the clip back").click()
    await expect(page.get_by_role("note")).to_have_count(0)

    await page.goto("/moderation/doors")
    await page.get_by_text("Decide about a host").click()
    await page.get_by_label("Its name").fill("Bad.Example")
    await page.get_by_role("radio", name="Suspend").check()
    await page.get_by_role("button", name="Decide", exact=True).click()
    await expect(page.get_by_role("list", name="Hosts that something")).to_contain_text("bad.example")
    assert await problems(page) == []
    await page.get_by_role("button", name="Lift bad.example").click()
    await expect(page.get_by_text("Nothing is decided about any.")).to_be_visible()
