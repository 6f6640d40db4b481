"""What clients have met on other servers and work around. Each has a test; those that aren't here:

- null avatars and headers: test_accounts.py, test_portraits.py
- `prev` that loops, or isn't there on notifications: test_notifications.py, walking.py for all other lists
- media still processing (202, 206), and a small picture that isn't answered at once: test_media.py
- a status whose address isn't `/@user/<id>`: test_statuses.py
"""

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.surfaces.conftest import Person

# What apps ask for when they start, before anybody has done anything.
ON_START = [
    "/.well-known/oauth-authorization-server",
    *(f"/api/v1/{path}" for path in (
        "accounts/verify_credentials", "announcements", "blocks", "bookmarks", "conversations", "custom_emojis",
        "directory", "domain_blocks", "favourites", "featured_tags", "filters", "follow_requests", "followed_tags",
        "instance", "instance/extended_description", "instance/peers", "instance/rules",
        "instance/translation_languages", "lists", "markers", "mutes", "notifications", "notifications/requests",
        "notifications/unread_count", "preferences", "scheduled_statuses", "streaming/health", "suggestions",
        "timelines/home", "timelines/public", "trends", "trends/links", "trends/statuses", "trends/tags",
    )),
    *(f"/api/v2/{path}" for path in (
        "filters", "instance", "notifications", "notifications/policy", "suggestions",
    )),
]  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_apps_ask_for_on_start_is_there(client: httpx.AsyncClient, alice: Person) -> None:
    answers = {path: await client.get(path, headers=alice.headers) for path in ON_START}
    assert {path: one.status_code for path, one in answers.items() if one.status_code != 200} == {}
    for path, answer in answers.items():
        assert path.endswith("health") or answer.json() is not None, path


async def test_the_older_instance_says_its_configuration_too(client: httpx.AsyncClient) -> None:
    older, newer = [(await client.get(f"/api/v{one}/instance")).json()["configuration"] for one in (1, 2)]
    for what in ("statuses", "media_attachments", "polls"):
        assert older[what] == newer[what], what


async def test_boosts_and_posts_are_in_one_order(
    client: httpx.AsyncClient, clock: FakeClock, alice: Person, bob: Person
) -> None:
    """A boost has an id of its own, from when it was made: lists are in the order of ids, and cursors hold."""

    async def ids_of(path: str, **asked: str) -> list[str]:
        answer = await client.get(f"/api/v1/{path}", params=asked, headers=bob.headers)
        return [one["id"] for one in answer.json()]

    async def said(path: str, **body: str) -> str:
        clock.advance_ms(1_000)
        return str((await client.post(f"/api/v1/{path}", json=body, headers=bob.headers)).json()["id"])

    first = (await client.post("/api/v1/statuses", json={"status": "old"}, headers=alice.headers)).json()["id"]
    before = await said("statuses", status="before")
    boosted = await said(f"statuses/{first}/reblog")
    after = await said("statuses", status="after")
    assert sorted([before, boosted, after], key=int) == [before, boosted, after]
    for path in ("timelines/home", f"accounts/{bob.id}/statuses"):
        assert (await ids_of(path))[:3] == [after, boosted, before]
        assert await ids_of(path, max_id=after, since_id=before) == [boosted]
