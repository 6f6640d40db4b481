"""A Space that has no room for another listener, in a real browser: by HLS, said in a sentence, and back again."""

import asyncio
import re
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.serve.moot import SPACES, Moot
from tests.support.server import Server, running_server
from tests.web.browser import PHONE_DARK, page_of, problems

pytestmark = [pytest.mark.slow, pytest.mark.alone]

WORD = "So many listen that you hear it a few seconds later."
# A second instead of twenty; and what sounds at any time: two at once would be an echo.
QUICKER = """
const fetched = window.fetch;
window.fetch = async (...request) => {
  const response = await fetched(...request);
  if (response.status !== 503) return response;
  const headers = new Headers(response.headers);
  headers.set('Retry-After', '1');
  return new Response(response.body, { status: 503, headers });
};
const sounding = () =>
  [...document.querySelectorAll('audio[data-sound=player]')].filter((audio) => !audio.paused && !audio.muted);
window.loudest = 0;
window.silentMs = 0;
window.beganMs = 0;
setInterval(() => {
  const now = sounding();
  window.loudest = Math.max(window.loudest, now.length);
  const heard = now.some((audio) => audio.readyState >= 3);
  if (heard) window.lastHeardMs = performance.now();
  if (window.beganMs) window.silentMs = Math.max(window.silentMs, performance.now() - window.lastHeardMs);
}, 10);
"""
AUDIO = "document.querySelector('audio[data-sound=player]')"
LAG_S = f"{AUDIO}.buffered.length ? {AUDIO}.buffered.end({AUDIO}.buffered.length - 1) - {AUDIO}.currentTime : 0"
IS_ALONE = "document.querySelectorAll('audio[data-sound=player]').length === 1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("crowd") / "data", listeners_max="1") as running:
        yield running


async def take_the_place(server: Server, space: dict[str, Any]) -> socket.socket:
    """A listener who has the only place."""
    port = int(server.base_url.rpartition(":")[2])
    for _ in range(500):
        listener = socket.create_connection(("127.0.0.1", port))
        listener.sendall(f"GET {SPACES}/{space['id']}/listen HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = await asyncio.to_thread(listener.recv, 12)
        if answer == b"HTTP/1.1 200":
            return listener
        listener.close()
        await asyncio.sleep(0.02)
    raise AssertionError(answer)


async def listens_by_hls(page: Page) -> None:
    bar = page.get_by_role("complementary", name="Sound")
    await expect(bar.get_by_role("status")).to_contain_text(WORD)
    await page.wait_for_function(f"{AUDIO} && {AUDIO}.currentTime > 1 && {AUDIO}.readyState >= 3")


async def test_where_there_is_no_room_it_goes_on_by_hls_and_back(moot: Moot, browser: Any, server: Server) -> None:
    host = await moot.person("hetty")
    space = await host.open_space("Full house")
    await host.speak(space, 440)
    holder = await take_the_place(server, space)
    context, page = await page_of(browser, server, None, **PHONE_DARK)
    await context.add_init_script(QUICKER)
    await page.goto(f"/spaces/{space['id']}")
    await page.get_by_role("button", name="Listen", exact=True).click()
    await listens_by_hls(page)
    count = page.get_by_test_id("listener-count")
    await expect(count).to_have_text(re.compile("1 listener, and about 1 by HLS"))
    assert await problems(page) == []

    await page.evaluate("window.loudest = 0; window.silentMs = 0; window.beganMs = performance.now()")
    holder.close()
    bar = page.get_by_role("complementary", name="Sound")
    await expect(bar).not_to_contain_text(WORD)
    await page.wait_for_function(IS_ALONE)
    lag_s = float(await page.evaluate(LAG_S))
    loudest, silent_ms = await page.evaluate("[window.loudest, window.silentMs]")
    print(f"\nback with {lag_s:.1f} s to catch up, silent for at most {silent_ms:.0f} ms")
    assert lag_s > 2, "what was not heard yet was left out"
    assert loudest == 1, "two sounded at once"
    assert silent_ms < 500
    assert await page.evaluate(f"{AUDIO}.playbackRate") > 1
    await page.wait_for_function(f"({LAG_S}) < {lag_s} - 0.1")

    # The other way: the stream dies, and somebody else has the place.
    await page.route("**/listen?*", lambda route: route.abort())
    for name, child in server.children().items():
        if name.startswith("audience"):
            child.send_signal(signal.SIGKILL)
    with await take_the_place(server, space):
        await page.unroute("**/listen?*")
        await listens_by_hls(page)
    await context.close()
