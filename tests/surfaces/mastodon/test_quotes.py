"""Quotes over HTTP, as Mastodon 4.5 has them: who may, what becomes of them, and who is shown what."""

from typing import Any

import httpx
import pytest
from sqlalchemy import event, select
from tests.support.people import People
from tests.surfaces.conftest import Person, person
from tests.surfaces.mastodon.test_timelines import STATEMENTS_MAX

from folkmoot.gate import Standing
from folkmoot.posts.quotes import POST_QUOTED, QUOTE_REVOKED
from folkmoot.storage.tables.bus import events
from folkmoot.surfaces.services import Services

STATUSES = "/api/v1/statuses"
# What is the same on both databases is tried on one: the SQL behind it is in the others.
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def carol(people: People) -> Person:
    return await person(people, "carol")


async def send(client: httpx.AsyncClient, who: Person, **body: Any) -> httpx.Response:
    return await client.post(STATUSES, json=body, headers=who.headers)


async def say(client: httpx.AsyncClient, who: Person, status: str, **body: Any) -> dict[str, Any]:
    answer = await send(client, who, status=status, **body)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def show(client: httpx.AsyncClient, post: dict[str, Any], who: Person | None = None) -> dict[str, Any]:
    answer = await client.get(f"{STATUSES}/{post['id']}", headers=who.headers if who else {})
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def told(people: People, kind: str) -> list[Any]:
    async with people.gate.database.read() as read:
        return list(
            (await read.connection.execute(select(events.c.payload).where(events.c.kind == kind))).scalars()
        )


async def test_a_quote_shows_what_it_quotes(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    first = await say(client, alice, "hear, hear")
    second = await say(client, bob, "look at that", quoted_status_id=first["id"])
    assert second["quote"]["state"] == "accepted"
    assert (second["quote"]["quoted_status"]["id"], second["quote"]["quoted_status"]["quotes_count"]) == (
        first["id"],
        1,
    )
    assert second["content"] == (
        f'<p class="quote-inline">RE: <a href="{first["url"]}" rel="nofollow noopener" target="_blank">'
        f"{first['url']}</a></p><p>look at that</p>"
    )
    third = await say(client, alice, "", quoted_status_id=second["id"])  # a quote needs no words
    assert third["quote"]["quoted_status"]["quote"] == {"state": "accepted", "quoted_status_id": first["id"]}
    listed = await client.get(f"{STATUSES}/{first['id']}/quotes")
    assert [one["id"] for one in listed.json()] == [second["id"]]
    assert await told(people, POST_QUOTED) == [
        {"post": second["id"], "quoted": first["id"], "account": str(bob.id)},
        {"post": third["id"], "quoted": second["id"], "account": str(alice.id)},
    ]
    boost = (await client.post(f"{STATUSES}/{second['id']}/reblog", headers=alice.headers)).json()
    assert boost["reblog"]["quote"]["quoted_status"]["id"] == first["id"]
    again = await say(client, bob, f"see {first['url']}", quoted_status_id=boost["id"])
    assert (again["quote"]["quoted_status"]["id"], "quote-inline" in again["content"]) == (second["id"], True)
    linked = await say(client, bob, f"see {first['url']}", quoted_status_id=first["id"])
    assert "quote-inline" not in linked["content"]


@pytest.mark.parametrize(
    ("policy", "stranger", "follower"), [("public", 200, 200), ("followers", 422, 200), ("nobody", 422, 422)]
)
async def test_its_author_says_who_may_quote(
    client: httpx.AsyncClient,
    people: People,
    alice: Person,
    bob: Person,
    carol: Person,
    policy: str,
    stranger: int,
    follower: int,
) -> None:
    await people.follow(carol.id, alice.id)
    post = await say(client, alice, "hear, hear", quote_approval_policy=policy)
    for who, status_code in ((bob, stranger), (carol, follower), (alice, 200)):
        approval = (await show(client, post, who))["quote_approval"]
        assert approval["automatic"] == ([] if policy == "nobody" else [policy])
        assert approval["current_user"] == ("automatic" if status_code == 200 else "denied")
        answer = await send(client, who, status="look", quoted_status_id=post["id"])
        assert answer.status_code == status_code, (who.username, answer.text)
    assert (await show(client, post))["quote_approval"]["current_user"] == "denied"


@ON_ONE
async def test_the_policy_can_be_changed_and_quotes_that_there_are_stay(
    client: httpx.AsyncClient, alice: Person, bob: Person
) -> None:
    post = await say(client, alice, "hear, hear")
    quote = await say(client, bob, "look", quoted_status_id=post["id"])
    path = f"{STATUSES}/{post['id']}/interaction_policy"
    body = {"quote_approval_policy": "nobody"}
    assert (await client.put(path, json=body, headers=bob.headers)).status_code == 404
    assert (await client.put(path, json={"quote_approval_policy": "me"}, headers=alice.headers)).status_code == 422
    changed = await client.put(path, json=body, headers=alice.headers)
    assert (changed.json()["quote_approval"]["automatic"], changed.json()["edited_at"]) == ([], None)
    assert (await send(client, bob, status="again", quoted_status_id=post["id"])).status_code == 422
    assert (await show(client, quote))["quote"]["state"] == "accepted"
    edited = await client.put(f"{STATUSES}/{quote['id']}", json={"status": "see"}, headers=bob.headers)
    assert edited.json()["quote"]["state"] == "accepted"
    edit = {"status": "hear, hear", "quote_approval_policy": "public"}
    back = await client.put(f"{STATUSES}/{post['id']}", json=edit, headers=alice.headers)
    assert (back.json()["quote_approval"]["automatic"], back.json()["edited_at"]) == (["public"], None)


@ON_ONE
async def test_what_is_not_for_everybody_is_quoted_by_its_author_for_the_same(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    await people.follow(bob.id, alice.id)
    private = await say(client, alice, "for friends", visibility="private", quote_approval_policy="public")
    assert private["quote_approval"] == {"automatic": [], "manual": [], "current_user": "automatic"}
    assert (await send(client, bob, status="look", quoted_status_id=private["id"])).status_code == 422
    own = await say(client, alice, "as I said", quoted_status_id=private["id"])
    assert own["visibility"] == "private"
    direct = await say(client, alice, "@bob psst", visibility="direct")
    assert direct["quote_approval"]["current_user"] == "denied"
    assert (await send(client, alice, status="so", quoted_status_id=direct["id"])).status_code == 422
    public = await say(client, alice, "hear, hear")
    psst = {"status": "psst", "visibility": "direct", "quoted_status_id": public["id"]}
    assert (await send(client, bob, **psst)).status_code == 422
    assert (await send(client, bob, **{**psst, "status": "@alice psst"})).status_code == 200
    assert (await show(client, public))["quotes_count"] == 0  # a number must not tell of what is not for all
    assert (await client.get(f"{STATUSES}/{public['id']}/quotes")).json() == []
    for missing in ("1", "x"):
        assert (await send(client, bob, status="look", quoted_status_id=missing)).status_code == 404


async def test_who_is_quoted_can_take_it_back(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    post = await say(client, alice, "hear, hear")
    quote = await say(client, bob, "look", quoted_status_id=post["id"])
    path = f"{STATUSES}/{post['id']}/quotes/{quote['id']}/revoke"
    assert (await client.post(path, headers=bob.headers)).status_code == 404
    other = await say(client, bob, "no quote")
    wrong = f"{STATUSES}/{post['id']}/quotes/{other['id']}/revoke"
    assert (await client.post(wrong, headers=alice.headers)).status_code == 404
    for _ in range(2):
        revoked = (await client.post(path, headers=alice.headers)).json()
        assert (revoked["id"], revoked["quote"]) == (quote["id"], {"state": "revoked", "quoted_status": None})
    assert "quote-inline" not in revoked["content"]
    assert (await show(client, post))["quotes_count"] == 0
    assert (await client.get(f"{STATUSES}/{post['id']}/quotes")).json() == []
    assert await told(people, QUOTE_REVOKED) == [{"post": quote["id"], "quoted": post["id"]}]


@ON_ONE
async def test_what_is_quoted_goes_and_the_quote_says_so(
    client: httpx.AsyncClient, alice: Person, bob: Person
) -> None:
    post = await say(client, alice, "hear, hear")
    quote = await say(client, bob, "look", quoted_status_id=post["id"])
    over = await say(client, bob, "and that", quoted_status_id=quote["id"])
    assert (await show(client, post))["quotes_count"] == 1
    await client.delete(f"{STATUSES}/{post['id']}", headers=alice.headers)
    assert (await show(client, quote))["quote"] == {"state": "deleted", "quoted_status": None}
    nested = (await show(client, over))["quote"]["quoted_status"]["quote"]
    assert nested == {"state": "deleted", "quoted_status_id": None}
    await client.delete(f"{STATUSES}/{over['id']}", headers=bob.headers)
    assert (await show(client, quote))["quotes_count"] == 0


async def test_whoever_may_not_see_it_is_told_no_more_than_that(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, carol: Person
) -> None:
    post = await say(client, alice, "hear, hear")
    quote = await say(client, bob, "look", quoted_status_id=post["id"])
    over = await say(client, bob, "and that", quoted_status_id=quote["id"])
    unseen = {"state": "unauthorized", "quoted_status": None}
    for standing in (Standing.SUSPENDED, Standing.LIMITED):
        await people.put(alice.id, standing)
        assert (await show(client, quote, carol))["quote"] == unseen, standing
        assert "quote-inline" not in (await show(client, quote, carol))["content"]
        nested = (await show(client, over, carol))["quote"]["quoted_status"]["quote"]
        assert nested == {"state": "unauthorized", "quoted_status_id": None}
    await people.put(alice.id, Standing.ACTIVE)
    assert (await show(client, quote, carol))["quote"]["state"] == "accepted"
    await people.block(alice.id, carol.id)
    assert (await show(client, quote, carol))["quote"] == unseen
    assert (await show(client, quote))["quote"]["state"] == "accepted"
    refused = await send(client, carol, status="look", quoted_status_id=post["id"])
    assert refused.status_code == 404
    await people.put(bob.id, Standing.SUSPENDED)
    assert (await client.get(f"{STATUSES}/{post['id']}/quotes")).json() == []
    assert (await client.get(f"{STATUSES}/{quote['id']}")).status_code == 404


@ON_ONE
async def test_in_public_lists_nobody_is_quoted_who_stands_in_none(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person, carol: Person
) -> None:
    post = await say(client, alice, "hear, hear")
    quote = await say(client, bob, "look", quoted_status_id=post["id"])
    await people.follow(carol.id, alice.id)
    await people.put(alice.id, Standing.LIMITED)
    (listed,) = (await client.get("/api/v1/timelines/public", headers=carol.headers)).json()
    assert (listed["id"], listed["quote"]["state"]) == (quote["id"], "unauthorized")
    assert (await show(client, quote, carol))["quote"]["state"] == "accepted"


@ON_ONE
async def test_of_whom_one_muted_clients_are_told(
    client: httpx.AsyncClient, alice: Person, bob: Person, carol: Person
) -> None:
    post = await say(client, alice, "hear, hear")
    quote = await say(client, bob, "look", quoted_status_id=post["id"])
    await client.post(f"/api/v1/accounts/{alice.id}/mute", headers=carol.headers)
    shown = (await show(client, quote, carol))["quote"]
    assert (shown["state"], shown["quoted_status"]["id"]) == ("muted_account", post["id"])


@ON_ONE
async def test_a_page_of_quotes_and_polls_costs_the_same_however_many(
    client: httpx.AsyncClient, services: Services, alice: Person, bob: Person
) -> None:
    counted: list[str] = []
    engine = services.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *arguments: counted.append(arguments[2]))
    post = await say(client, alice, "hear, hear", quote_approval_policy="public")
    poll = {"options": ["a", "b"], "expires_in": 600}
    costs = []
    for number in range(3):
        again = await say(client, bob, "look", quoted_status_id=post["id"], quote_approval_policy="followers")
        post = await say(client, bob, f"and {number}", quoted_status_id=again["id"], poll=poll)
        counted.clear()
        shown = await client.get("/api/v1/timelines/home", headers=bob.headers)
        assert len(shown.json()) == 2 * number + 2
        costs.append(len(counted))
    assert len(set(costs)) == 1
    assert costs[0] <= STATEMENTS_MAX


@ON_ONE
async def test_pages_of_quotes_lead_on(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    post = await say(client, alice, "hear, hear")
    made = [(await say(client, bob, str(number), quoted_status_id=post["id"]))["id"] for number in range(5)]
    first = await client.get(f"{STATUSES}/{post['id']}/quotes", params={"limit": 2})
    assert [one["id"] for one in first.json()] == made[:2:-1]
    rest = await client.get(first.links["next"]["url"])
    assert [one["id"] for one in rest.json()] == made[2:0:-1]
    newer = await client.get(rest.links["prev"]["url"])
    assert [one["id"] for one in newer.json()] == made[:2:-1]


@ON_ONE
async def test_a_quote_is_the_same_whatever_else_is_on_its_page(
    client: httpx.AsyncClient, alice: Person, bob: Person, carol: Person
) -> None:
    first = await say(client, alice, "hear, hear")
    second = await say(client, bob, "look at that", quoted_status_id=first["id"])
    third = await say(client, carol, "and at that", quoted_status_id=second["id"])
    listed = (await client.get("/api/v1/timelines/public")).json()
    assert listed[0] == await show(client, third)
