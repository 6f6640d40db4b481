"""Notifications over HTTP: what Mastodon's clients send and read."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.people import People
from tests.support.statements import statements
from tests.support.telling import tell
from tests.surfaces.conftest import Person, person

from folkmoot.accounts import actions as accounts
from folkmoot.gate import Action, Role, Standing
from folkmoot.moderation.appeals.actions import appeal
from folkmoot.storage.database import Database

PATH = "/api/v1/notifications"
Told = Callable[[Person], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def told(client: httpx.AsyncClient, database: Database, tmp_path: Path) -> Told:
    """What somebody is told when the worker has done its work."""

    async def ask(who: Person) -> list[dict[str, Any]]:
        await tell(database, tmp_path)
        answer = await client.get(PATH, headers=who.headers)
        assert answer.status_code == 200, answer.text
        body: list[dict[str, Any]] = answer.json()
        return body

    return ask


async def say(client: httpx.AsyncClient, who: Person, status: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/statuses", json={"status": status, **fields}, headers=who.headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def do(client: httpx.AsyncClient, who: Person, path: str) -> None:
    answer = await client.post(path, headers=who.headers)
    assert answer.status_code == 200, answer.text


def kinds(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["type"], one["account"]["acct"]) for one in told]


async def test_what_others_do_with_ones_posts(
    client: httpx.AsyncClient, alice: Person, bob: Person, told: Told
) -> None:
    said = await say(client, alice, "hear, hear")
    for verb in ("favourite", "reblog", "favourite"):
        await do(client, bob, f"/api/v1/statuses/{said['id']}/{verb}")
    reply = await say(client, bob, "@alice indeed", in_reply_to_id=said["id"])
    await do(client, bob, f"/api/v1/accounts/{alice.id}/follow")
    found = await told(alice)
    assert kinds(found) == [("follow", "bob"), ("mention", "bob"), ("reblog", "bob"), ("favourite", "bob")]
    assert found[1]["status"]["id"] == reply["id"]
    assert [one["status"]["id"] for one in found[2:]] == [said["id"]] * 2
    assert "status" not in found[0]
    one = (await client.get(f"{PATH}/{found[0]['id']}", headers=alice.headers)).json()
    assert one == found[0]
    assert (await client.get(f"{PATH}/{found[0]['id']}", headers=bob.headers)).status_code == 404
    assert await told(bob) == []


async def test_what_is_undone_is_no_news(client: httpx.AsyncClient, alice: Person, bob: Person, told: Told) -> None:
    said = await say(client, alice, "hear, hear")
    status, account = f"/api/v1/statuses/{said['id']}", f"/api/v1/accounts/{alice.id}"
    for path in (f"{status}/favourite", f"{status}/reblog", f"{account}/follow"):
        await do(client, bob, path)
    assert len(await told(alice)) == 3
    for path in (f"{status}/unfavourite", f"{status}/unreblog", f"{account}/unfollow"):
        await do(client, bob, path)
    assert await told(alice) == []
    await do(client, bob, f"{status}/favourite")
    assert kinds(await told(alice)) == [("favourite", "bob")]
    await client.delete(status, headers=alice.headers)
    assert await told(alice) == []


async def test_a_bell_tells_of_every_post_but_answers(
    client: httpx.AsyncClient, alice: Person, bob: Person, told: Told
) -> None:
    answer = await client.post(f"/api/v1/accounts/{alice.id}/follow", json={"notify": True}, headers=bob.headers)
    assert answer.status_code == 200
    said = await say(client, alice, "hear, hear")
    bobs = await say(client, bob, "what?")
    await say(client, alice, "you heard", in_reply_to_id=bobs["id"])
    await say(client, alice, "@bob you")
    found = await told(bob)
    assert kinds(found) == [("mention", "alice"), ("status", "alice")]
    assert found[1]["status"]["id"] == said["id"]


async def test_pages_lead_both_ways_and_end(
    client: httpx.AsyncClient, alice: Person, bob: Person, told: Told
) -> None:
    for number in range(5):
        await say(client, bob, f"@alice {number}")
    ids = [one["id"] for one in await told(alice)]
    first = await client.get(PATH, params={"limit": 2}, headers=alice.headers)
    seen = [one["id"] for one in first.json()]
    page = first
    while "next" in page.links:
        page = await client.get(page.links["next"]["url"], headers=alice.headers)
        seen += [one["id"] for one in page.json()]
    assert seen == ids
    newer = await client.get(first.links["prev"]["url"], headers=alice.headers)
    assert (newer.json(), "prev" in newer.links) == ([], False)
    back = await client.get(page.links["prev"]["url"], headers=alice.headers)
    assert [one["id"] for one in back.json()] == ids[2:4]


async def test_only_some(client: httpx.AsyncClient, alice: Person, bob: Person, told: Told) -> None:
    said = await say(client, alice, "hear, hear")
    await do(client, bob, f"/api/v1/statuses/{said['id']}/favourite")
    await say(client, bob, "@alice indeed")
    await told(alice)

    async def types(**query: Any) -> list[str]:
        answer = await client.get(PATH, params=query, headers=alice.headers)
        return [one["type"] for one in answer.json()]

    assert await types(**{"types[]": ["mention", "poll"]}) == ["mention"]
    assert await types(**{"exclude_types[]": ["mention"]}) == ["favourite"]
    assert await types(**{"types[]": "something.new"}) == []
    assert await types(account_id=str(bob.id)) == ["mention", "favourite"]
    assert await types(account_id=str(alice.id)) == []


async def test_the_muted_the_blocked_and_the_suspended_are_not_heard_of(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, told: Told
) -> None:
    await say(client, bob, "@alice indeed")
    assert len(await told(alice)) == 1
    for verb in ("mute", "block"):
        await do(client, alice, f"/api/v1/accounts/{bob.id}/{verb}")
        assert await told(alice) == []
        await do(client, alice, f"/api/v1/accounts/{bob.id}/un{verb}")
        assert len(await told(alice)) == 1
    await people.put(bob.id, Standing.SUSPENDED)
    assert await told(alice) == []
    await people.put(bob.id, Standing.ACTIVE)
    assert len(await told(alice)) == 1


async def test_a_muted_conversation_is_not_heard_of(
    client: httpx.AsyncClient, alice: Person, bob: Person, told: Told
) -> None:
    said = await say(client, bob, "@alice indeed")
    await do(client, alice, f"/api/v1/statuses/{said['id']}/mute")
    assert await told(alice) == []


async def test_forgetting(client: httpx.AsyncClient, alice: Person, bob: Person, told: Told) -> None:
    for number in range(3):
        await say(client, bob, f"@alice {number}")
    first = (await told(alice))[0]["id"]
    assert (await client.get(f"{PATH}/unread_count", headers=alice.headers)).json() == {"count": 3}
    await do(client, bob, f"{PATH}/{first}/dismiss")
    assert len(await told(alice)) == 3
    await do(client, alice, f"{PATH}/{first}/dismiss")
    assert len(await told(alice)) == 2
    await do(client, alice, f"{PATH}/clear")
    assert await told(alice) == []


async def test_moderators_are_told_of_sign_ups_and_reports(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, told: Told
) -> None:
    keeper_id = await people.create("keeper", Role.MODERATOR)
    keeper = Person(keeper_id, "keeper", {"authorization": f"Bearer {await people.token(keeper_id)}"})
    await client.post("/api/v1/reports", json={"account_id": str(bob.id), "comment": "look"}, headers=alice.headers)
    entry = accounts.Entry("open")
    new = accounts.NewAccount("carol", password_hash="none")
    await people.system(lambda acting: accounts.sign_up(acting, new, entry))
    found = await told(keeper)
    assert kinds(found) == [("admin.sign_up", "carol"), ("admin.report", "alice")]
    assert (found[1]["report"]["comment"], found[1]["report"]["target_account"]["acct"]) == ("look", "bob")
    assert await told(bob) == []


async def test_a_decision_about_oneself_says_why(people: People, alice: Person, told: Told) -> None:
    await people.put(alice.id, Standing.LIMITED)
    (warned,) = await told(alice)
    assert warned["type"] == "moderation_warning"
    assert (warned["moderation_warning"]["action"], warned["moderation_warning"]["text"]) == ("silence", "a test")


async def test_a_decision_says_what_came_of_an_appeal(
    client: httpx.AsyncClient, people: People, alice: Person, told: Told
) -> None:
    await people.put(alice.id, Standing.LIMITED)
    (warned,) = await told(alice)
    sanction = warned["moderation_warning"]["id"]
    work = partial(appeal, sanction_id=int(sanction), text="Not I.")
    await people.act(alice.id, Action.APPEAL, work)
    (warned,) = await told(alice)
    assert warned["moderation_warning"]["appeal"] == {"text": "Not I.", "state": "pending"}


async def test_counting_costs_little_and_counts_what_is_shown(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, told: Told, database: Database
) -> None:
    """Programs ask each minute: no post is loaded whole for it."""
    hidden, loud = await person(people, "hidden"), await person(people, "loud")
    for who in (bob, hidden, loud):
        await say(client, who, "@alice hear")
    thread = await say(client, bob, "@alice and hear")
    await do(client, alice, f"/api/v1/statuses/{thread['id']}/mute")
    await do(client, alice, f"/api/v1/accounts/{loud.id}/mute")
    await people.put(hidden.id, Standing.SUSPENDED)
    await do(client, bob, f"/api/v1/accounts/{alice.id}/follow")
    shown = await told(alice)
    assert [one["type"] for one in shown] == ["follow", "mention"]
    for path in (f"{PATH}/unread_count", "/api/v2/notifications/unread_count"):
        with statements(database) as counted:
            answer = await client.get(path, headers=alice.headers)
        assert answer.json() == {"count": len(shown)}
        assert len(counted) <= 12
