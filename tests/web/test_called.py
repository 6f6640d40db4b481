"""Somebody of 36,000 is invited on stage without having asked, in real browsers: the sound itself calls them."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from tests.serve.moot import Moot, Person
from tests.support.waiting import Starved
from tests.web.browser import page_of

pytestmark = pytest.mark.slow

INVITED = "You are invited to speak."
# The page takes it that 36,000 listen: its looks are minutes apart, and it follows no events. When the first note
# with a call came, when the invitation was to be read, and how often the page looked.
ONE_OF_MANY = """
const fetched = window.fetch;
window.looks = 0;
window.fetch = async (...request) => {
  const response = await fetched(...request);
  if (!/\\/spaces\\/[0-9]+$/.test(String(request[0]))) return response;
  window.looks += 1;
  const space = await response.json();
  return new Response(JSON.stringify({ ...space, listener_count: 36000 }), response);
};
const parse = JSON.parse;
JSON.parse = (text) => {
  const value = parse(text);
  if (value?.calls?.length) window.calledMs ??= performance.now();
  return value;
};
const watch = () => {
  if (document.body?.innerText.includes("You are invited to speak.")) window.readMs ??= performance.now();
  requestAnimationFrame(watch);
};
watch();
"""
AUDIO = "document.querySelector('audio[data-sound=player]')"
PLAYS = f"{AUDIO}?.currentTime > 0.5"


async def listener(browser: Browser, moot: Moot, person: Person, space: dict[str, Any]) -> Page:
    context, page = await page_of(browser, moot.server, person)
    await context.add_init_script(ONE_OF_MANY)
    await page.goto(f"/spaces/{space['id']}")
    await page.get_by_role("button", name="Listen", exact=True).click()
    await page.wait_for_function(PLAYS)
    return page


async def test_who_is_invited_among_36000_reads_it_at_once_and_nobody_else_looks(
    moot: Moot, browser: Browser
) -> None:
    host, anna, bert = await moot.person("host"), await moot.person("anna"), await moot.person("bert")
    space = await host.open_space("Full house")
    await host.speak(space, 440)
    annas, berts = await listener(browser, moot, anna, space), await listener(browser, moot, bert, space)
    before = await annas.evaluate("looks"), await berts.evaluate("looks")
    starved = Starved()
    await host.tell(space, "invite", account=anna.id)
    await expect(annas.get_by_text(INVITED)).to_be_visible()
    await berts.wait_for_function("window.calledMs")
    took_ms = await annas.evaluate("readMs - calledMs") - 1_000 * starved.s()
    print(f"\nread {took_ms:.0f} ms after the note")
    assert took_ms < 2_000
    assert await annas.evaluate("looks") == before[0] + 1
    # The call was in what has sounded since, ten times a second.
    await berts.wait_for_function(f"{AUDIO}.currentTime > {await berts.evaluate(f'{AUDIO}.currentTime')} + 1")
    assert await berts.evaluate("looks") == before[1]
