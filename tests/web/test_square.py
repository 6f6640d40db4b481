"""The square as somebody uses it in a browser: writing, reading while others write, what concerns one, keys."""

import asyncio
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect
from tests.serve.moot import Moot, Person
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S
from tests.web.browser import DESKTOP_LIGHT, PHONE_DARK, page_of, problems

pytestmark = pytest.mark.slow

STATUSES = "/api/v1/statuses"
# What moves without anybody having pressed something (https://web.dev/articles/cls).
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const {hadRecentInput, value, sources} of list.getEntries()) {
    const moved = sources.map(({node, previousRect, currentRect}) =>
      `${node?.nodeName}.${node?.className} ${previousRect.y} → ${currentRect.y}`);
    if (!hadRecentInput) window.shifts.push([value, ...moved]);
  }
}).observe({type: 'layout-shift', buffered: true});
"""
GOOD_SHIFT = 0.1


async def said(person: Person, status: str, **more: Any) -> dict[str, Any]:
    answer = await person.http.post(STATUSES, json={"status": status, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def follow(person: Person, other: Person) -> None:
    assert (await person.http.post(f"/api/v1/accounts/{other.id}/follow")).status_code == 200


def picture(path: Path, width: int = 64, height: int = 48) -> Path:
    """A PNG, red on the left and blue on the right (PNG 1.2, 4.1)."""
    half = width // 2
    row = b"\0" + b"\xd0\x20\x20" * half + b"\x20\x20\xd0" * (width - half)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * height)),
        (b"IEND", b""),
    ]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


async def act(page: Page, author: str, name: str) -> None:
    """Something from the menu of the first post by this author."""
    await page.get_by_role("button", name=f"More about the post by {author}").first.click()
    await page.get_by_role("menuitem", name=name, exact=True).click()


async def test_a_post_is_begun_kept_sent_voted_on_changed_and_written_anew(
    server: Server, moot: Moot, browser: Browser, tmp_path: Path
) -> None:
    server.admin("emojis", "add", "moot", str(picture(tmp_path / "moot.png", 32, 32)), "--category", "Folk")
    robin, jay = await moot.person("robin"), await moot.person("jay")
    context, page = await page_of(browser, server, robin, **DESKTOP_LIGHT)
    await page.goto("/")
    box = page.get_by_label("What is on your mind?")
    await box.fill("Half a thought ")
    await expect(page.get_by_text("485")).to_be_visible()
    await page.reload()
    await expect(box).to_have_value("Half a thought ")

    await box.press_sequentially("for @ja")
    await expect(page.get_by_role("option", name="jay")).to_be_visible()
    await box.press("Enter")
    await expect(box).to_have_value("Half a thought for @jay ")
    await box.press_sequentially(":rocket")
    await expect(page.get_by_role("option", name="rocket")).to_be_visible()
    await box.press("Tab")
    await emoji_are_chosen(page, box)
    await page.get_by_role("button", name="Poll", exact=True).click()
    await page.get_by_label("Answer 1").fill("Tea")
    await page.get_by_label("Answer 2").fill("Coffee")
    await box.press("Control+Enter")
    post = page.get_by_role("article", name="Post by robin")
    await expect(post.get_by_text("Half a thought for")).to_be_visible()
    await expect(post.get_by_text("🚀 🎉")).to_be_visible()
    await expect(post.get_by_role("img", name=":moot:")).to_be_visible()
    await expect(box).to_have_value("")

    await voted(server, jay, browser, str(await post.get_attribute("data-address")))
    await act(page, "robin", "Edit")
    dialog = page.get_by_role("dialog", name="Edit your post")
    await dialog.get_by_label("Edit your post", exact=True).fill("A whole thought")
    await dialog.get_by_role("button", name="Save").click()
    await expect(post.get_by_text("A whole thought")).to_be_visible()
    await post.get_by_role("button", name="edited").click()
    history = page.get_by_role("dialog", name="How it was changed")
    await expect(history.get_by_text("Half a thought")).to_be_visible()
    await expect(history.get_by_text("A whole thought")).to_be_visible()
    await page.keyboard.press("Escape")

    async def told_first(route: Route) -> None:
        """The stream tells of the deletion before the answer comes."""
        answer = await route.fetch()
        if route.request.method == "DELETE":
            await expect(post).to_have_count(0)
        await route.fulfill(response=answer)

    page.on("dialog", lambda asked: asked.accept())
    await page.route(re.compile(r"/api/v1/statuses/\d+$"), told_first)
    await act(page, "robin", "Delete and write anew")
    anew = page.get_by_role("dialog", name="Write it anew")
    await expect(anew.get_by_role("textbox").first).to_have_value("A whole thought")
    await expect(anew.get_by_label("Answer 2")).to_have_value("Coffee")
    await expect(post).to_have_count(0)
    # Whoever closes it finds the words among the drafts.
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Drafts (1)").click()
    await page.get_by_role("button", name="Go on").click()
    await anew.get_by_role("button", name="Post", exact=True).click()
    await expect(post.get_by_text("A whole thought")).to_be_visible()
    await context.close()


async def emoji_are_chosen(page: Page, box: Locator) -> None:
    """By keys, and by pressing one: the server's own are offered by their category."""
    await box.fill("Half a thought for @jay 🚀 ")
    await page.get_by_role("button", name="Emoji", exact=True).press("Enter")
    picker = page.get_by_role("dialog", name="Emoji")
    await picker.get_by_label("Find an emoji").fill("tada")
    await expect(picker.get_by_role("heading", name="Found")).to_be_visible()
    for key in ("ArrowDown", "Enter"):
        await page.keyboard.press(key)
    await expect(picker).to_have_count(0)
    await expect(box).to_be_focused()
    await page.get_by_role("button", name="Emoji", exact=True).click()
    await expect(picker.get_by_role("heading", name="Folk")).to_be_visible()
    assert await problems(page) == []
    await picker.get_by_role("button", name="moot", exact=True).click()
    await expect(box).to_have_value("Half a thought for @jay 🚀 🎉 :moot: ")


async def voted(server: Server, voter: Person, browser: Browser, address: str) -> None:
    context, page = await page_of(browser, server, voter, **PHONE_DARK)
    await page.goto(address)
    await page.get_by_role("radio", name="Coffee").check()
    await page.get_by_role("button", name="Vote").click()
    await expect(page.get_by_text("100 %")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("1 person voted")).to_be_visible()
    await expect(page.get_by_text("your vote")).to_have_count(1)
    assert await problems(page) == []
    await context.close()


async def test_a_picture_with_its_description_and_its_time(
    server: Server, moot: Moot, browser: Browser, tmp_path: Path
) -> None:
    finch = await moot.person("finch")
    context, page = await page_of(browser, server, finch, **PHONE_DARK)
    await page.goto("/")
    box = page.get_by_label("What is on your mind?")
    await box.fill("Seen today")
    come = asyncio.Event()
    await page.route("**/assets/MediaTray*", lambda route: late(route, come))
    await page.get_by_label("Add pictures, videos or sound").set_input_files(picture(tmp_path / "two colours.png"))
    # Nor do the words go out without it before it is taken.
    await expect(page.get_by_role("button", name="Post", exact=True)).to_be_disabled()
    come.set()
    await page.get_by_label("Description, for who").fill("Red beside blue")
    await box.focus()
    assert await problems(page) == []
    await page.get_by_role("button", name="Post", exact=True).click()
    shown = page.get_by_role("button", name="Open: Red beside blue")
    await shown.press("Enter")
    viewer = page.get_by_role("dialog", name="File 1 of 1 by finch")
    await expect(viewer.get_by_role("img", name="Red beside blue")).to_be_visible()
    assert await problems(page) == []
    await page.keyboard.press("Escape")
    await expect(shown).to_be_focused()

    await box.fill("For later")
    await page.get_by_label("Add pictures, videos or sound").set_input_files(tmp_path / "two colours.png")
    await expect(page.get_by_label("Description, for who")).to_be_visible()
    await page.get_by_role("button", name="Post it later").click()
    await page.get_by_role("button", name="Schedule").click()
    await page.goto("/scheduled")
    await expect(page.get_by_text("For later")).to_be_visible()
    assert await problems(page) == []
    await page.get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog", name="Edit the scheduled post")
    await form.get_by_label("Edit the scheduled post", exact=True).fill("Later, worded otherwise")
    await form.get_by_role("button", name="Schedule").click()
    await expect(page.get_by_text("Later, worded otherwise")).to_be_visible()
    await expect(page.get_by_text("With files")).to_have_count(1)
    page.on("dialog", lambda asked: asked.accept())
    await page.get_by_role("button", name="Cancel it").click()
    await expect(page.get_by_text("Nothing is scheduled.")).to_be_visible()
    await context.close()


async def late(route: Route, come: asyncio.Event) -> None:
    await come.wait()
    await route.continue_()


async def test_nothing_moves_under_who_reads_and_back_is_where_one_was(
    server: Server, moot: Moot, browser: Browser
) -> None:
    lark, dove = await moot.person("lark"), await moot.person("dove")
    await follow(dove, lark)
    for number in range(70):
        await said(lark, f"Number {number}: " + "a word and another one. " * (number % 9))
    context, page = await page_of(browser, server, dove, **PHONE_DARK)
    await context.add_init_script(WATCH_SHIFTS)
    await page.goto("/")
    # Pages come as one scrolls.
    for number in (40, 20, 5):
        await scroll_to(page, f"Number {number}:")
    drawn = await page.locator("main article").count()
    assert drawn < 60, "all that was ever loaded is drawn"
    before = await page.evaluate("scrollY")
    top = await page.get_by_text("Number 5:").bounding_box()
    await said(lark, "Written just now")
    await expect(page.get_by_role("button", name="1 new post")).to_be_visible()
    assert await page.get_by_text("Number 5:").bounding_box() == top

    await page.get_by_text("Number 5:").click()
    await expect(page.get_by_role("heading", name="Thread")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_text("Number 5:")).to_be_in_viewport()
    await page.wait_for_function("before => Math.abs(scrollY - before) < 50", arg=before)
    shifts = await page.evaluate("shifts")
    assert sum(value for value, *_ in shifts) < GOOD_SHIFT, shifts

    await page.get_by_role("button", name="1 new post").click()
    await expect(page.get_by_text("Written just now")).to_be_in_viewport()
    await context.close()


async def scroll_to(page: Page, words: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await page.get_by_text(words).count():
            await page.mouse.wheel(0, 900)
            await page.wait_for_timeout(60)
    await page.get_by_text(words).scroll_into_view_if_needed()


async def test_what_concerns_one_is_told_in_groups_as_it_happens(
    server: Server, moot: Moot, browser: Browser
) -> None:
    crow, tit, rook = await moot.person("crow"), await moot.person("tit"), await moot.person("rook")
    post = await said(crow, "Like me")
    context, page = await page_of(browser, server, crow, **PHONE_DARK)
    await page.goto("/")
    bell = page.get_by_role("link", name="Alerts")
    await expect(bell).to_be_visible()
    for person in (tit, rook):
        assert (await person.http.post(f"{STATUSES}/{post['id']}/favourite")).status_code == 200
    await expect(bell).to_contain_text("new")
    await bell.click()
    await expect(page.get_by_text("favourited your post")).to_have_count(1)
    await expect(page.get_by_role("group", name="rook and tit favourited your post")).to_be_visible()
    assert await problems(page) == []
    await expect(bell).not_to_contain_text("new")

    await said(tit, "@crow what do you think?")
    await page.get_by_role("button", name="1 new notification").click()
    await expect(page.get_by_text("what do you think?")).to_be_visible()
    await context.close()


async def test_keys_go_from_post_to_post(server: Server, moot: Moot, browser: Browser) -> None:
    swift = await moot.person("swift")
    for words in ("The first", "The second"):
        await said(swift, words)
    context, page = await page_of(browser, server, swift, **DESKTOP_LIGHT)
    await page.goto("/@swift")
    await expect(page.get_by_text("The second")).to_be_visible()
    # What a key opens is loaded then, which may fail: the next press asks again.
    await page.route("**/assets/KeysDialog*", lambda route: route.abort())
    await page.keyboard.press("?")
    await expect(page.get_by_text("This could not be loaded.")).to_be_visible()
    await page.unroute_all()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert await problems(page) == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await write_by_key(page)
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("f")
    first = page.get_by_role("article").filter(has_text="The first")
    await expect(first.get_by_role("button", name="Favourite the post")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Thread")).to_be_visible()
    home = page.get_by_role("heading", name="Home")
    async with asyncio.timeout(PATIENCE_S):
        while not await home.count():  # who is starved may press the second key too late
            await page.keyboard.press("g")
            await page.keyboard.press("h")
            await page.wait_for_timeout(100)
    await expect(home).to_be_visible()
    await goes_on_before_a_page_fails(page)
    await context.close()


async def goes_on_before_a_page_fails(page: Page) -> None:
    """What nobody waits for any more is no matter of the page that is there."""
    gone_on = asyncio.Event()

    async def lost(route: Route) -> None:
        await gone_on.wait()
        await route.abort()

    await page.route("**/assets/Lists-*", lost)
    for place in ("Lists", "Home"):
        await page.get_by_role("link", name=place, exact=True).click()
    async with page.expect_event("requestfailed"):
        gone_on.set()
    await page.evaluate("new Promise(requestAnimationFrame)")
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()


async def write_by_key(page: Page) -> None:
    """One writes in the form that a key opens without another press."""
    form = page.get_by_role("dialog", name="New post")
    await page.keyboard.press("n")
    await expect(form.get_by_role("textbox")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(form).to_have_count(0)


async def test_words_from_right_to_left_begin_at_the_right(server: Server, moot: Moot, browser: Browser) -> None:
    layla = await moot.person("layla")
    called = {"display_name": "ليلى بنت أحمد بن عبد الرحمن المنصورية"}
    assert (await layla.http.patch("/api/v1/accounts/update_credentials", json=called)).status_code == 200
    await said(layla, "@layla مرحبا بالعالم")
    await said(layla, "#سلام #خير")
    context, page = await page_of(browser, server, layla, **PHONE_DARK)
    await page.goto("/@layla")
    paragraphs = [page.locator("article p", has_text=words) for words in ("مرحبا", "سلام")]
    name, handle = (page.locator(f"article header {part}").first for part in ("bdi", ".soft"))
    for words in paragraphs:
        await expect(words).to_be_visible()
        left_at_the_right = await words.evaluate(
            """(paragraph) => {
              const words = document.createRange();
              words.selectNodeContents(paragraph);
              return paragraph.getBoundingClientRect().right - words.getBoundingClientRect().right;
            }"""
        )
        assert left_at_the_right < 2
    # Of a name that is too long one sees the beginning, and whose it is.
    assert await name.evaluate("(name) => getComputedStyle(name).direction") == "rtl"
    assert await handle.evaluate("(handle) => handle.scrollWidth <= handle.clientWidth")
    await context.close()


async def test_filters_lists_tags_and_silence(server: Server, moot: Moot, browser: Browser) -> None:
    kite, gull = await moot.person("kite"), await moot.person("gull")
    await follow(kite, gull)
    post = await said(gull, "The whole plot of the film #cinema")
    context, page = await page_of(browser, server, kite, **DESKTOP_LIGHT)
    await page.goto("/settings/filters")
    await page.get_by_role("button", name="New filter").click()
    await page.get_by_role("textbox", name="Name").fill("Spoilers")
    await page.get_by_role("textbox", name="Word 1").fill("plot")
    assert await problems(page) == []
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Spoilers")).to_be_visible()

    await page.goto("/lists")
    await page.get_by_label("Name").fill("Sea birds")
    await page.get_by_role("button", name="Create it").click()
    await page.get_by_role("link", name="Sea birds").click()
    await page.get_by_role("button", name="Put people on the list").click()
    await page.get_by_label("Put somebody on it").fill("gull")
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Save").click()
    await page.goto("/")
    await expect(page.get_by_text("Filtered: Spoilers")).to_be_visible()
    await page.get_by_role("button", name="Show anyway").click()
    await page.get_by_role("link", name="#cinema").click()
    await page.get_by_role("button", name="Follow", exact=True).click()
    await expect(page.get_by_role("button", name="Unfollow")).to_be_visible()

    await page.goto(f"/@gull/{post['id']}")
    await act(page, "gull", "Mute gull…")
    dialog = page.get_by_role("dialog", name="Mute gull")
    await dialog.get_by_role("button", name="Mute").click()
    # Whoever leaves the page at once may be gone before it asked.
    async with page.expect_response("**/unmute"):
        await page.get_by_role("button", name="Undo").click()
    await page.goto("/settings/mutes")
    await expect(page.get_by_text("You muted nobody.")).to_be_visible()

    await page.goto("/@gull")
    await page.get_by_role("button", name="More about gull").click()
    await page.get_by_role("menuitem", name="Mute gull…").click()
    await dialog.get_by_label("How long").select_option("For a week")
    await dialog.get_by_label("Don’t tell me").uncheck()
    assert await problems(page) == []
    await dialog.get_by_role("button", name="Mute").click()
    await expect(page.get_by_text("muted", exact=True)).to_be_visible()
    await page.goto("/settings/mutes")
    await expect(page.get_by_text("you are still told of them")).to_contain_text("until ")
    await page.get_by_role("button", name="Change").click()
    await expect(dialog.get_by_text("They are muted until")).to_be_visible()
    await dialog.get_by_role("button", name="Mute").click()
    await expect(page.get_by_text("without end, you are still told of them")).to_be_visible()
    await page.get_by_role("button", name="Unmute").click()
    await expect(page.get_by_text("without end")).to_have_count(0)
    await context.close()


async def test_a_profile_shows_what_its_owner_chose_and_whom_one_knows(
    server: Server, moot: Moot, browser: Browser
) -> None:
    wren, ibis, stork = await moot.person("wren"), await moot.person("ibis"), await moot.person("stork")
    for person, other in ((wren, ibis), (ibis, stork), (stork, ibis)):
        await follow(person, other)
    pinned = await said(stork, "How to build a nest #nests")
    await said(stork, "Something newer")
    assert (await stork.http.post(f"{STATUSES}/{pinned['id']}/pin")).status_code == 200
    assert (await stork.http.post("/api/v1/featured_tags", json={"name": "nests"})).status_code == 200
    assert (await stork.http.post(f"/api/v1/accounts/{ibis.id}/endorse")).status_code == 200
    context, page = await page_of(browser, server, wren, **PHONE_DARK)
    await page.goto("/@stork")
    await expect(page.get_by_text("Followed by")).to_have_text("Followed by ibis, whom you follow")
    await expect(page.get_by_label("Whom stork recommends").get_by_role("link", name="ibis")).to_be_visible()
    await expect(page.get_by_role("article").first).to_contain_text("How to build a nest")
    assert await problems(page) == []
    await page.get_by_role("link", name="#nests 1").click()
    await expect(page.get_by_role("heading", name="Posts with #nests")).to_be_visible()
    await expect(page.get_by_role("article")).to_have_count(1)

    await page.goto("/settings")
    await page.get_by_label("Another tag").fill("#reeds")
    await page.get_by_role("button", name="Show it").click()
    await expect(page.get_by_role("button", name="Take #reeds off")).to_be_visible()
    await context.close()


@pytest.mark.parametrize("look", [PHONE_DARK, DESKTOP_LIGHT], ids=["phone, dark", "desktop, light"])
async def test_pages_of_the_square(server: Server, moot: Moot, browser: Browser, look: dict[str, Any]) -> None:
    coot = await moot.person(f"coot_{look['color_scheme']}")
    post = await said(coot, "One of mine #wetlands")
    await said(coot, "Of it", quoted_status_id=post["id"])
    await said(coot, "Hidden words", spoiler_text="A warning")
    context, page = await page_of(browser, server, coot, **look)
    profile = f"/@{coot.name}"
    places = [
        "/public",
        "/search?q=wetlands",
        "/lists",
        "/settings/preferences",
        profile,
        f"{profile}/{post['id']}",
    ]
    if look is PHONE_DARK:
        places += [f"/settings/{name}" for name in ("filters", "followed-tags", "mutes", "blocks")]
        places += ["/search", "/conversations", "/follow-requests", "/tags/wetlands", f"{profile}/followers"]
    found = {}
    for path in places:
        await page.goto(path)
        await expect(page.locator("main h1")).to_be_visible()
        await page.wait_for_load_state("networkidle")
        found[path] = await problems(page)
        assert await page.get_by_role("alert").count() == 0, path
    assert {path: what for path, what in found.items() if what} == {}
    await context.close()
