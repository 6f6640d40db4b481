"""Notifications in groups, from whom they are wanted, and those that wait for a word."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.telling import tell
from tests.surfaces.conftest import Person, person

from folkmoot.notifications.model import GROUP_SPAN_MS
from folkmoot.notifications.rules import NEW_FOR_MS
from folkmoot.storage.database import Database, Write
from folkmoot.storage.tables.notifications import notifications
from folkmoot.surfaces.mastodon.notification_groups import ROUNDS_MAX, ROWS_AT_ONCE

GROUPS, REQUESTS, POLICY = (
    "/api/v2/notifications",
    "/api/v1/notifications/requests",
    "/api/v2/notifications/policy",
)
Told = Callable[[], Awaitable[None]]


@pytest.fixture
def told(database: Database, tmp_path: Path) -> Told:
    return lambda: tell(database, tmp_path)


async def post(client: httpx.AsyncClient, who: Person, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body, headers=who.headers)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def asked(client: httpx.AsyncClient, who: Person, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query, headers=who.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_is_alike_stands_together(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, told: Told
) -> None:
    said = await post(client, alice, "/api/v1/statuses", status="hear, hear")
    carol = await person(people, "carol")
    for who in (bob, carol):
        await post(client, who, f"/api/v1/statuses/{said['id']}/favourite")
        await post(client, who, f"/api/v1/accounts/{alice.id}/follow")
    await post(client, bob, "/api/v1/statuses", status="@alice hear")
    await told()
    found = await asked(client, alice, GROUPS)
    mention, follows, favourites = found["notification_groups"]
    assert (mention["type"], mention["group_key"]) == (
        "mention",
        f"ungrouped-{mention['most_recent_notification_id']}",
    )
    assert (follows["type"], follows["notifications_count"]) == ("follow", 2)
    assert favourites["sample_account_ids"] == [str(carol.id), str(bob.id)]
    assert favourites["status_id"] == said["id"]
    assert "status_id" not in follows
    assert {one["acct"] for one in found["accounts"]} == {"bob", "carol"}
    assert said["id"] in {one["id"] for one in found["statuses"]}
    assert (await asked(client, alice, f"{GROUPS}/unread_count"))["count"] == 3
    one = await asked(client, alice, f"{GROUPS}/{favourites['group_key']}")
    assert one["notification_groups"] == [favourites]
    names = await asked(client, alice, f"{GROUPS}/{favourites['group_key']}/accounts")
    assert [one["acct"] for one in names] == ["carol", "bob"]
    apart = await asked(client, alice, GROUPS, **{"grouped_types[]": "follow"})
    assert [one["notifications_count"] for one in apart["notification_groups"]] == [1, 2, 1, 1]
    partly = await asked(client, alice, GROUPS, expand_accounts="partial_avatars")
    assert {one["acct"] for one in partly["accounts"] + partly["partial_accounts"]} == {"bob", "carol"}
    await post(client, alice, f"{GROUPS}/{follows['group_key']}/dismiss")
    await post(client, alice, f"{GROUPS}/{mention['group_key']}/dismiss")
    left = (await asked(client, alice, GROUPS))["notification_groups"]
    assert [one["type"] for one in left] == ["favourite"]


async def test_pages_of_groups_lead_both_ways(
    client: httpx.AsyncClient, alice: Person, bob: Person, told: Told, clock: FakeClock
) -> None:
    for number in range(5):
        said = await post(client, alice, "/api/v1/statuses", status=f"{number}")
        await post(client, bob, f"/api/v1/statuses/{said['id']}/favourite")
        clock.advance_ms(GROUP_SPAN_MS)
    await told()
    everything = [one["group_key"] for one in (await asked(client, alice, GROUPS))["notification_groups"]]
    page = await client.get(GROUPS, params={"limit": 2}, headers=alice.headers)
    seen = [one["group_key"] for one in page.json()["notification_groups"]]
    while "next" in page.links:
        page = await client.get(page.links["next"]["url"], headers=alice.headers)
        seen += [one["group_key"] for one in page.json()["notification_groups"]]
    assert seen == everything
    back = await client.get(page.links["prev"]["url"], headers=alice.headers)
    assert [one["group_key"] for one in back.json()["notification_groups"]] == everything[-3:-1]


async def test_strangers_wait_for_a_word(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, told: Told, clock: FakeClock
) -> None:
    clock.advance_ms(NEW_FOR_MS)
    changed = await client.patch(POLICY, json={"for_not_following": "filter"}, headers=alice.headers)
    assert changed.json() == {
        "for_not_following": "filter",
        "for_not_followers": "accept",
        "for_new_accounts": "accept",
        "for_private_mentions": "filter",
        "for_limited_accounts": "filter",
        "summary": {"pending_requests_count": 0, "pending_notifications_count": 0},
    }
    for number in range(2):
        said = await post(client, bob, "/api/v1/statuses", status=f"@alice {number}")
    await told()
    assert await asked(client, alice, "/api/v1/notifications") == []
    assert (await asked(client, alice, POLICY))["summary"] == {
        "pending_requests_count": 1,
        "pending_notifications_count": 2,
    }
    (waiting,) = await asked(client, alice, REQUESTS)
    assert (waiting["account"]["acct"], waiting["notifications_count"]) == ("bob", "2")
    assert waiting["last_status"]["id"] == said["id"]
    assert await asked(client, alice, f"{REQUESTS}/{waiting['id']}") == waiting
    assert (await client.post(f"{REQUESTS}/{waiting['id']}/accept", headers=bob.headers)).status_code == 404
    await post(client, alice, f"{REQUESTS}/{waiting['id']}/accept")
    assert await asked(client, alice, REQUESTS) == []
    assert await asked(client, alice, f"{REQUESTS}/merged") == {"merged": True}
    await post(client, bob, "/api/v1/statuses", status="@alice once more")
    await told()
    assert len(await asked(client, alice, "/api/v1/notifications")) == 3


async def test_what_waits_can_be_forgotten(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, told: Told
) -> None:
    await post(client, bob, "/api/v1/statuses", status="@alice psst", visibility="direct")
    await told()
    (waiting,) = await asked(client, alice, REQUESTS)
    assert len(await asked(client, alice, "/api/v1/notifications", include_filtered="true")) == 1
    await post(client, alice, f"{REQUESTS}/dismiss", id=[waiting["id"]])
    assert await asked(client, alice, REQUESTS) == []
    await client.patch(POLICY, data={"for_private_mentions": "drop"}, headers=alice.headers)
    await post(client, bob, "/api/v1/statuses", status="@alice psst", visibility="direct")
    await told()
    assert await asked(client, alice, REQUESTS) == []
    wrong = await client.patch(POLICY, json={"for_private_mentions": "dance"}, headers=alice.headers)
    assert wrong.status_code == 422


async def test_behind_much_that_is_alike_there_is_more(
    client: httpx.AsyncClient, alice: Person, bob: Person, database: Database
) -> None:
    said = await post(client, alice, "/api/v1/statuses", status="hear, hear")

    def told(tx: Write, kind: str, number: int, group_key: str) -> dict[str, Any]:
        return {
            "id": tx.new_id(),
            "account_id": alice.id,
            "kind": kind,
            "from_id": bob.id,
            "post_id": int(said["id"]),
            "key": f"{kind} {number}",
            "group_key": group_key,
            "filtered": False,
            "created_at_ms": tx.now_ms,
        }

    async def work(tx: Write) -> None:
        alone = [told(tx, "mention", number, f"mention-{number}") for number in range(3)]
        alike = [told(tx, "favourite", number, "favourite-1") for number in range(ROUNDS_MAX * ROWS_AT_ONCE + 50)]
        await tx.connection.execute(insert(notifications), [*alone, *alike])

    await database.write(work)
    address, kinds = GROUPS, []
    while address:
        answer = await client.get(address, headers=alice.headers)
        kinds.append([one["type"] for one in answer.json()["notification_groups"]])
        address = answer.links.get("next", {}).get("url", "")
    assert kinds == [["favourite"], ["favourite", *["mention"] * 3]]
