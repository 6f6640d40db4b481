"""Notifications of the device: refused by the browser, turned on in the settings, shown by the worker, pressed."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from tests.serve.moot import Moot
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S, eventually
from tests.web.browser import DESKTOP_LIGHT, page_of, problems

pytestmark = pytest.mark.slow

# A push service that nobody reaches: what browsers answer, with a key of a browser's kind (RFC 8291, 2.1).
PUSH_SERVICE = """
let made = null;
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/[+]/g, '-').replace(/[/]/g, '_').replace(/=/g, '');
PushManager.prototype.getSubscription = async () => made;
PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
  window.askedWith = applicationServerKey;
  const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
  const keys = {
    p256dh: base64url(await crypto.subtle.exportKey('raw', pair.publicKey)),
    auth: base64url(crypto.getRandomValues(new Uint8Array(16))),
  };
  const endpoint = 'https://push.invalid/1';
  return (made = { endpoint, toJSON: () => ({ endpoint, keys }), unsubscribe: async () => !(made = null) });
};
"""
SHOWN = """navigator.serviceWorker.ready
  .then((worker) => worker.getNotifications())
  .then((shown) => shown.some(({ title }) => title === 'bert mentioned you'))"""
# The system's own press can't be made here; what the worker does with it can.
PRESS = """async () => {
  const [notification] = await self.registration.getNotifications();
  const event = new NotificationEvent('notificationclick', { notification });
  let work;
  Object.defineProperty(event, 'waitUntil', { value: (promise) => (work = promise) });
  self.dispatchEvent(event);
  await work;
}"""


async def test_a_device_is_told_and_opens_what_it_is_told_of(server: Server, moot: Moot, browser: Browser) -> None:
    anna, bert = await moot.person("anna"), await moot.person("bert")
    said = {"status": "@anna are you there?"}
    post = (await bert.http.post("/api/v1/statuses", json=said)).json()
    context, page = await page_of(browser, server, anna, **DESKTOP_LIGHT)
    await context.add_init_script(PUSH_SERVICE)
    await page.goto("/settings/preferences")
    await expect(page.get_by_role("heading", name="Notifications on this device")).to_be_visible()
    await page.evaluate("Notification.requestPermission = async () => 'denied'")
    await page.get_by_role("button", name="Turn on").click()
    await expect(page.get_by_role("alert")).to_contain_text("Allow them in its settings for this site")
    await page.reload()
    await context.grant_permissions(["notifications"])
    await page.get_by_role("button", name="Turn on").click()
    await page.get_by_label("somebody favourites a post of mine").check()
    await page.get_by_role("combobox", name="Of whom").select_option("People I follow")
    assert await problems(page) == []
    await page.locator("form", has_text="Tell me when").get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    kept = (await anna.http.get("/api/v1/push/subscription")).json()
    assert (kept["policy"], kept["alerts"]["favourite"]) == ("followed", True)
    instance = (await anna.http.get("/api/v2/instance")).json()
    assert await page.evaluate("askedWith") == instance["configuration"]["vapid"]["public_key"]

    async with asyncio.timeout(PATIENCE_S):
        while not (found := (await anna.http.get("/api/v1/notifications")).json()):
            await asyncio.sleep(0.1)
    told = found[0]
    await page.evaluate("window.isTheSamePage = true")
    await deliver(page, {"title": "bert mentioned you", "body": "are you there?", "notification_id": told["id"]})
    await page.wait_for_function(SHOWN)
    await eventually(lambda: bool(context.service_workers))
    await context.service_workers[0].evaluate(PRESS)
    await page.wait_for_url(f"**/@bert/{post['id']}")
    await expect(page.get_by_role("heading", name="Thread")).to_be_visible()
    assert await page.evaluate("isTheSamePage"), "who listens would hear no more"
    await context.close()


async def deliver(page: Page, message: dict[str, Any]) -> None:
    """As the browser does what its push service sent."""
    session = await page.context.new_cdp_session(page)
    ids: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: ids.extend(one["registrationId"] for one in event["registrations"]),
    )
    await session.send("ServiceWorker.enable")
    await eventually(lambda: bool(ids))
    origin = await page.evaluate("location.origin")
    pushed = {"origin": origin, "registrationId": ids[0], "data": json.dumps(message)}
    await session.send("ServiceWorker.deliverPushMessage", pushed)
