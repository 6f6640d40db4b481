"""A closed Space's conversation is its people's: whoever follows the host or who speaks there is none by that."""

from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import Person, person
from tests.surfaces.spaces.conftest import SPACES, Hall

from folkmoot.moderation.spaces.actions import suspend_host
from folkmoot.posts import scheduled
from folkmoot.spaces import threads
from folkmoot.storage.jobs import Job

# On the default database alone: what it asks PostgreSQL, others ask it too, statement by statement.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

STATUSES = "/api/v1/statuses"


class Circle:
    """Alice hosts, bob is her guest and follows nobody; a follower of both of them was not asked in."""

    def __init__(self, client: httpx.AsyncClient, space: dict[str, Any], alice: Person, bob: Person, eve: Person):
        self.client = client
        self.space_id: str = space["id"]
        self.announcement: str = space["announcement_id"]
        self.alice, self.bob, self.follower = alice, bob, eve

    async def command(self, who: Person, **order: Any) -> None:
        answer = await self.client.post(f"{SPACES}/{self.space_id}/commands", json=order, headers=who.headers)
        assert answer.status_code == 200, answer.text

    async def reply(self, who: Person, **fields: Any) -> httpx.Response:
        body = {"status": "between us", "in_reply_to_id": self.announcement, **fields}
        return await self.client.post(STATUSES, json=body, headers=who.headers)

    async def sees(self, who: Person | None, status_id: str) -> bool:
        """By itself, in its conversation, in a profile and at home: everywhere or nowhere."""
        headers = who.headers if who is not None else {}
        one = await self.client.get(f"{STATUSES}/{status_id}", headers=headers)
        around = await self.client.get(f"{STATUSES}/{status_id}/context", headers=headers)
        listed = [
            status["id"]
            for path in (
                f"accounts/{self.alice.id}/statuses",
                f"accounts/{self.bob.id}/statuses",
                "timelines/public",
            )
            for status in (await self.client.get(f"/api/v1/{path}", headers=headers)).json()
        ]
        if who is not None:
            home = (await self.client.get("/api/v1/timelines/home", headers=headers)).json()
            listed += [status["id"] for status in home]
        assert one.status_code == around.status_code
        assert one.status_code in (200, 404)
        assert (one.status_code == 200) == (status_id in listed)
        return one.status_code == 200


async def opened(hall: Hall, alice: Person, bob: Person, **fields: Any) -> Circle:
    follower = await person(hall.people, "follower")
    await hall.people.follow(follower.id, alice.id)
    await hall.people.follow(follower.id, bob.id)
    space_id = await hall.live(alice, **fields)
    space = (await hall.client.get(f"{SPACES}/{space_id}", headers=alice.headers)).json()
    return Circle(hall.client, space, alice, bob, follower)


@pytest.fixture
async def invited(hall: Hall, alice: Person, bob: Person) -> Circle:
    return await opened(hall, alice, bob, audience="invited", invited=[str(bob.id)])


async def test_a_guest_who_follows_nobody_reads_and_replies(invited: Circle) -> None:
    assert await invited.sees(invited.bob, invited.announcement)
    answer = await invited.reply(invited.bob)
    assert (answer.status_code, answer.json()["visibility"]) == (200, "private")
    replied = answer.json()["id"]
    assert await invited.sees(invited.alice, replied)
    below = await invited.client.get(f"{STATUSES}/{invited.announcement}/context", headers=invited.alice.headers)
    assert [one["id"] for one in below.json()["descendants"]] == [replied]


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
async def test_a_follower_who_is_no_guest_sees_none_of_it(invited: Circle, visibility: str) -> None:
    words = {"status": "@follower between us", "visibility": visibility}
    replied = (await invited.reply(invited.bob, **words)).json()["id"]
    below = (await invited.reply(invited.alice, in_reply_to_id=replied)).json()["id"]
    for status_id in (invited.announcement, replied, below):
        assert not await invited.sees(invited.follower, status_id)
        assert not await invited.sees(None, status_id)
        assert await invited.sees(invited.bob, status_id)
    refused = await invited.reply(invited.follower)
    assert refused.status_code == 404


async def test_who_was_removed_sees_only_what_they_wrote(invited: Circle) -> None:
    own = (await invited.reply(invited.bob)).json()["id"]
    hers = (await invited.reply(invited.alice)).json()["id"]
    await invited.command(invited.alice, do="remove", account=str(invited.bob.id))
    assert not await invited.sees(invited.bob, invited.announcement)
    assert not await invited.sees(invited.bob, hers)
    assert (await invited.reply(invited.bob)).status_code == 404
    deleted = await invited.client.delete(f"{STATUSES}/{own}", headers=invited.bob.headers)
    assert deleted.status_code == 200


async def test_a_space_for_whom_the_host_follows(hall: Hall, people: People, alice: Person, bob: Person) -> None:
    await people.follow(alice.id, bob.id)
    circle = await opened(hall, alice, bob, audience="followed")
    replied = (await circle.reply(bob)).json()["id"]
    assert await circle.sees(bob, circle.announcement)
    assert not await circle.sees(circle.follower, circle.announcement)
    assert not await circle.sees(circle.follower, replied)
    await circle.command(alice, do="remove", account=str(bob.id))
    assert not await circle.sees(bob, circle.announcement)


async def test_a_direct_reply_is_for_whom_it_mentions(hall: Hall, alice: Person, bob: Person) -> None:
    carol = await person(hall.people, "carol")
    guests = [str(bob.id), str(carol.id)]
    circle = await opened(hall, alice, bob, audience="invited", invited=guests)
    answer = await circle.reply(bob, status="@alice only you", visibility="direct")
    assert answer.json()["visibility"] == "direct"
    path = f"{STATUSES}/{answer.json()['id']}"
    for who, status in ((alice, 200), (carol, 404), (circle.follower, 404)):
        assert (await circle.client.get(path, headers=who.headers)).status_code == status


async def test_a_clip_in_it_is_heard_by_its_people(hall: Hall, alice: Person, bob: Person) -> None:
    public = await hall.ended(alice)
    circle = await opened(hall, alice, bob, audience="invited", invited=[str(bob.id)])
    clip = (await hall.clip(bob, public, 2_000, 5_000)).json()
    replied = await circle.reply(bob, media_ids=[clip["media_id"]])
    path = replied.json()["media_attachments"][0]["url"].removeprefix("http://moot.test").partition("?")[0]
    for headers, status in ((alice.headers, 200), (bob.headers, 200), (circle.follower.headers, 404), ({}, 404)):
        assert (await circle.client.get(path, headers=headers)).status_code == status


async def test_it_goes_on_with_the_space_when_its_host_is_suspended(
    hall: Hall, people: People, alice: Person, bob: Person
) -> None:
    circle = await opened(hall, alice, bob)
    await circle.command(alice, do="invite", account=str(bob.id), role="co_host")
    await circle.command(bob, do="accept", recording_consent=True)
    before = (await circle.reply(circle.follower)).json()["id"]
    await people.system(lambda acting: suspend_host(acting, alice.id, reason="rule 3"))
    assert (await hall.client.get(f"{STATUSES}/{circle.announcement}")).status_code == 404
    after = await circle.reply(bob)
    assert after.status_code == 200, after.text
    context = await hall.client.get(f"{STATUSES}/{circle.announcement}/context")
    assert [one["id"] for one in context.json()["descendants"]] == [before, after.json()["id"]]
    assert "alice" not in context.text
    await people.system(lambda acting: suspend_host(acting, bob.id, reason="rule 3"))
    assert (await hall.client.get(f"{STATUSES}/{circle.announcement}/context")).status_code == 404
    assert (await circle.reply(circle.follower)).status_code == 404


async def test_an_answer_that_comes_later_goes_on_with_it_too(
    hall: Hall, people: People, alice: Person, bob: Person, clock: FakeClock
) -> None:
    circle = await opened(hall, alice, bob)
    await circle.command(alice, do="invite", account=str(bob.id), role="co_host")
    await circle.command(bob, do="accept", recording_consent=True)
    later = await circle.reply(bob, scheduled_at="2027-01-15T09:00:00.000Z")
    assert later.status_code == 200, later.text
    await people.system(lambda acting: suspend_host(acting, alice.id, reason="rule 3"))
    clock.advance_ms(3_600_000)
    publish = scheduled.publisher(people.gate, threads.admit)
    await publish(Job(1, "posts", scheduled.PUBLISH, {"scheduled": later.json()["id"]}, 1))
    context = await hall.client.get(f"{STATUSES}/{circle.announcement}/context")
    assert [one["account"]["username"] for one in context.json()["descendants"]] == ["bob"]


async def test_it_is_no_way_around_who_may_hear_the_space(
    hall: Hall, people: People, alice: Person, bob: Person
) -> None:
    circle = await opened(hall, alice, bob, audience="invited", invited=[str(bob.id)])
    await circle.command(alice, do="invite", account=str(bob.id), role="co_host")
    await circle.command(bob, do="accept", recording_consent=True)
    await people.system(lambda acting: suspend_host(acting, alice.id, reason="rule 3"))
    assert (await circle.reply(bob)).status_code == 200
    path = f"{STATUSES}/{circle.announcement}/context"
    for headers in ({}, circle.follower.headers):
        assert (await hall.client.get(path, headers=headers)).status_code == 404
    assert (await circle.reply(circle.follower)).status_code == 404
