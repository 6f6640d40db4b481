"""What one wrote, and chose, is in one's own data."""

import httpx
from tests.support.people import People
from tests.surfaces.conftest import Person

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
