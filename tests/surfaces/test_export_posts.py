"""What one wrote, and chose, is in one's own data."""

import httpx
from tests.support.people import People
from tests.support.sounds import a_sound
from tests.support.statements import statements
from tests.surfaces.conftest import Person

from folkmoot.storage.database import Database

STATUSES = "/api/v1/statuses"


async def test_polls_edits_quotes_votes_and_what_comes_later(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    poll = {"options": ["tea", "coffee"], "expires_in": 3600}
    asked = (await client.post(STATUSES, json={"status": "Which?", "poll": poll}, headers=alice.headers)).json()
    await client.post(f"/api/v1/polls/{asked['poll']['id']}/votes", json={"choices": [1]}, headers=bob.headers)
    quote = {"status": "helo", "quoted_status_id": asked["id"], "quote_approval_policy": "nobody"}
    made = (await client.post(STATUSES, json=quote, headers=bob.headers)).json()
    await client.put(f"{STATUSES}/{made['id']}", json={"status": "hello"}, headers=bob.headers)
    later = {"status": "later", "scheduled_at": "2027-01-16T08:00:00Z", "poll": poll}
    assert (await client.post(STATUSES, json=later, headers=bob.headers)).status_code == 200

    client.cookies["folkmoot_session"] = await people.token(bob.id)
    own = (await client.get("/api/folkmoot/v1/export")).json()
    (post,) = own["posts"]
    assert (post["text"], post["quoted_id"], post["quote_policy"]) == ("hello", asked["id"], "nobody")
    assert [one["text"] for one in post["before"]] == ["helo"]
    assert own["votes"] == [{"post": asked["id"], "option": 1}]
    (draft,) = own["scheduled"]
    assert (draft["text"], draft["scheduled_at"]) == ("later", "2027-01-16T08:00:00.000Z")
    assert draft["poll"]["options"] == ["tea", "coffee"]
    client.cookies["folkmoot_session"] = await people.token(alice.id)
    (post,) = (await client.get("/api/folkmoot/v1/export")).json()["posts"]
    assert (post["poll"]["options"], post["poll"]["votes"]) == (["tea", "coffee"], [0, 1])


async def test_many_files_cost_no_more_statements_than_one(
    client: httpx.AsyncClient, people: People, alice: Person, database: Database
) -> None:
    client.cookies["folkmoot_session"] = await people.token(alice.id)

    async def cost() -> int:
        sound = str(await a_sound(people, alice.id, "a lark"))
        answer = await client.post(STATUSES, json={"status": "hear", "media_ids": [sound]}, headers=alice.headers)
        assert answer.status_code == 200, answer.text
        with statements(database) as counted:
            own = (await client.get("/api/folkmoot/v1/export")).json()
        assert [one["media"][0]["description"] for one in own["posts"]] == ["a lark"] * len(own["posts"])
        return len(counted)

    await cost()
    of_two = await cost()
    await cost()
    assert await cost() == of_two
