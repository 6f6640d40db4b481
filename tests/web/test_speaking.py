"""Speaking from a real browser: microphone check, push-to-talk, other devices; measured at another's ear."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, Playwright, expect
from tests.serve.moot import Moot, Person
from tests.stage.peers import Client, until
from tests.support.server import Server
from tests.support.waiting import Starved
from tests.web.browser import (
    DESKTOP_LIGHT,
    PHONE_DARK,
    SAID_HZ,
    chromium,
    heard_s,
    page_of,
    problems,
)

pytestmark = pytest.mark.slow

GUEST_HZ = 440
AGREE = "I agree, open my microphone"
# For a tone at -13 dBFS, of 100.
METER_SHOWS_A_VOICE = """() => {
  const level = Number(document.querySelector('dialog [role=meter]').getAttribute('aria-valuenow'));
  return level > 60 && level < 90;
}"""
# When keys went down and up, in the browser's own time.
NOTE_KEYS = """() => {
  window.keys = [];
  for (const kind of ['keydown', 'keyup'])
    addEventListener(kind, (event) => { if (!event.repeat) keys.push(event.timeStamp); }, true);
}"""
NOTE_MICROPHONES = """
window.opened = [];
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (asked) => {
  const stream = await open(asked);
  opened.push(stream.getAudioTracks()[0]);
  return stream;
};
"""


async def live_page(page: Page, host: Person, title: str) -> dict[str, Any]:
    """The host's page of a Space that is live, before the microphone was opened."""
    space = await host.open_space(title)
    await page.goto(f"/spaces/{space['id']}")
    await page.get_by_role("button", name="Take your seat").click()
    return space


async def on_stage(
    page: Page, host: Person, guest: Person, title: str, *, checked: bool = False
) -> tuple[dict[str, Any], Client]:
    """The host speaks from the page; the guest is on stage beside it, and hears it."""
    space = await live_page(page, host, title)
    if checked:
        await page.get_by_role("button", name="Check my microphone first").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Your microphone hears you.")
    await page.get_by_role("button", name=AGREE).click()
    await guest.tell(space, "ask", recording_consent=True)
    await host.tell(space, "let_up", account=guest.id)
    return space, await guest.speak(space, GUEST_HZ)


async def test_the_microphone_is_checked_before_it_is_heard(moot: Moot, speaking: Browser, server: Server) -> None:
    for name, look in (("chia", DESKTOP_LIGHT), ("chad", PHONE_DARK)):
        host = await moot.person(name)
        context, page = await page_of(speaking, server, host, **look)
        await live_page(page, host, "Checked")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("This Space is recorded")
        await dialog.get_by_role("button", name="Check my microphone first").click()
        await expect(dialog).to_contain_text("Your microphone hears you.")
        await page.wait_for_function(METER_SHOWS_A_VOICE)
        assert await problems(page) == []
        await dialog.get_by_role("combobox", name="Microphone").select_option(index=2)
        await expect(dialog).to_contain_text("Your microphone hears you.")
        chosen = await page.evaluate("JSON.parse(localStorage.getItem('folkmoot.microphone')).label")
        assert (
            chosen == await dialog.get_by_role("combobox", name="Microphone").locator("option").nth(2).inner_text()
        )
        if look is DESKTOP_LIGHT:
            await dialog.get_by_role("button", name="Record and play back").click()
            await expect(dialog).to_contain_text("This is how you sound.")
        await dialog.get_by_role("button", name="Not now").click()
        await context.close()


async def test_push_to_talk_lets_through_what_is_held_and_nothing_else(
    moot: Moot, speaking: Browser, server: Server
) -> None:
    host, guest = await moot.person("pia"), await moot.person("gus")
    context, page = await page_of(speaking, server, host, **DESKTOP_LIGHT)
    _, voice = await on_stage(page, host, guest, "Held")
    await until(lambda: voice.hears(SAID_HZ))

    await page.get_by_role("button", name="Microphone and sound").click()
    await page.get_by_label("Push to talk").check()
    await page.get_by_role("button", name="Done").click()
    await until(lambda: not any(heard_s(voice, SAID_HZ)[-25:]))

    voice.forget()
    await page.wait_for_timeout(1_000)
    assert not any(heard_s(voice, SAID_HZ)), "heard without being held"

    await page.evaluate(NOTE_KEYS)
    for _ in range(2):
        voice.forget()
        starved = Starved()
        await page.keyboard.down("Space")
        await until(lambda: any(heard_s(voice, SAID_HZ)))
        await page.wait_for_timeout(500)
        await page.keyboard.up("Space")
        await until(lambda: not any(heard_s(voice, SAID_HZ)[-10:]))
        down_ms, up_ms = await page.evaluate("keys.slice(-2)")
        held_s, sounded_s = (up_ms - down_ms) / 1000, 0.02 * sum(heard_s(voice, SAID_HZ))
        print(f"\nheld for {held_s:.2f} s, heard for {sounded_s:.2f} s")
        # The first syllable is there, and a moment after the last one.
        assert held_s - starved.s() <= sounded_s < held_s + 0.5 + starved.s()

    # In a field the space bar writes.
    voice.forget()
    await page.get_by_role("textbox").first.focus()
    await page.keyboard.down("Space")
    await page.wait_for_timeout(600)
    await page.keyboard.up("Space")
    assert not any(heard_s(voice, SAID_HZ)), "heard while writing"

    # By a finger on the button, and by a screen reader's press, which can't be held.
    talk = page.get_by_role("button", name="Hold to talk")
    await talk.hover()
    await page.mouse.down()
    await until(lambda: any(heard_s(voice, SAID_HZ)))
    await page.mouse.up()
    await until(lambda: not any(heard_s(voice, SAID_HZ)[-10:]))
    voice.forget()
    await talk.evaluate("button => button.click()")
    await until(lambda: len(voice.heard) > 50 and all(heard_s(voice, SAID_HZ)[-25:]))
    await expect(talk).to_have_attribute("aria-pressed", "true")
    assert await problems(page) == []
    await context.close()


async def test_another_microphone_without_another_connection(moot: Moot, speaking: Browser, server: Server) -> None:
    host, guest = await moot.person("dora"), await moot.person("dan")
    context, page = await page_of(speaking, server, host, **PHONE_DARK)
    await context.add_init_script(NOTE_MICROPHONES)
    _, voice = await on_stage(page, host, guest, "Switched", checked=True)
    await until(lambda: voice.hears(SAID_HZ))
    offers: list[str] = []
    page.on("request", lambda asked: offers.append(asked.url) if asked.url.endswith("/whip") else None)

    await page.get_by_role("button", name="Microphone and sound").click()
    voice.forget()
    starved = Starved()
    for index in (1, 2, 0):
        await page.get_by_role("combobox", name="Microphone").select_option(index=index)
        await page.wait_for_timeout(700)
    await until(lambda: voice.hears(SAID_HZ))
    missing_ms = 20 * heard_s(voice, SAID_HZ)[5:].count(False)
    print(f"\nthree changes of microphone cost {missing_ms} ms of sound, and {len(offers)} new connections")
    assert offers == []
    assert missing_ms - 1_000 * starved.s() < 600

    # It is unplugged: the browser's own choice goes on.
    voice.forget()
    await page.evaluate("opened.at(-1).dispatchEvent(new Event('ended'))")
    await expect(page.get_by_text("Your microphone was unplugged.")).to_be_visible()
    await page.get_by_text("Your microphone was unplugged.").click()
    await expect(page.get_by_text("Your microphone was unplugged.")).to_be_hidden()
    await until(lambda: voice.hears(SAID_HZ))
    assert offers == []
    assert await problems(page) == []
    await context.close()


async def test_what_to_do_when_there_is_no_microphone(moot: Moot, server: Server, playwright: Playwright) -> None:
    port = server.base_url.rpartition(":")[2]
    insecure = "http://moot.test:" + port
    cases: list[tuple[tuple[str, ...], str, str, str]] = [
        (
            ("--use-fake-device-for-media-stream", "--deny-permission-prompts"),
            "",
            "does not let this site",
            "left of the address",
        ),
        (("--use-fake-ui-for-media-stream",), "", "No microphone was found", "Connect one"),
        (("--host-resolver-rules=MAP moot.test 127.0.0.1",), insecure, "no https", "https://"),
    ]
    for number, (arguments, base_url, sentence, advice) in enumerate(cases):
        host = await moot.person(f"nomi{number}")
        async with chromium(playwright, *arguments) as launched:
            _, page = await page_of(launched, server, host, base_url, **PHONE_DARK)
            await live_page(page, host, "Silent")
            await page.get_by_role("button", name=AGREE).click()
            alert = page.get_by_role("dialog").get_by_role("alert")
            await expect(alert).to_contain_text(sentence)
            await expect(alert).to_contain_text(advice)
            assert await problems(page) == []
