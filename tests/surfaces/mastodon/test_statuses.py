"""Posts over HTTP: what Mastodon's clients send and read."""

from typing import Any

import httpx
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.gate import Standing
from folkmoot.surfaces.mastodon.statuses import threaded

STATUSES = "/api/v1/statuses"


async def say(client: httpx.AsyncClient, who: Any, status: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post(STATUSES, json={"status": status, **fields}, headers=who.headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_post_has_all_fields_that_clients_read(client: httpx.AsyncClient, alice: Any, bob: Any) -> None:
    status = await say(client, alice, "Hi @bob, see https://example.com #Moot", language="en", spoiler_text="cw")
    assert status["url"] == f"http://moot.test/@alice/{status['id']}"
    assert status["account"]["acct"] == "alice"
    assert status["mentions"] == [
        {"id": str(bob.id), "username": "bob", "url": "http://moot.test/@bob", "acct": "bob"}
    ]
    assert status["tags"] == [{"name": "moot", "url": "http://moot.test/tags/moot"}]
    assert 'href="http://moot.test/@bob"' in status["content"]
    said = {name: status[name] for name in ("visibility", "sensitive", "spoiler_text", "language")}
    assert said == {"visibility": "public", "sensitive": True, "spoiler_text": "cw", "language": "en"}
    assert status["folkmoot"] == {"space_id": None, "clip": None, "clip_removed": None}
    nothing = {"reblog", "poll", "quote", "card", "edited_at", "in_reply_to_id", "in_reply_to_account_id"}
    assert all(status[name] is None for name in nothing)
    assert all(status[name] is False for name in ("favourited", "reblogged", "muted", "bookmarked", "pinned"))
    assert all(status[f"{what}_count"] == 0 for what in ("replies", "reblogs", "favourites", "quotes"))
    assert all(status[name] == [] for name in ("media_attachments", "emojis", "filtered"))
    shown = await client.get(f"{STATUSES}/{status['id']}", headers=alice.headers)
    assert shown.json() == status


async def test_forms_are_as_good_as_json(client: httpx.AsyncClient, alice: Any) -> None:
    form = {"status": "hi", "sensitive": "true", "visibility": "unlisted"}
    answer = await client.post(STATUSES, headers=alice.headers, data=form)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["sensitive"], answer.json()["visibility"]) == (True, "unlisted")


REFUSED: list[dict[str, Any]] = [
    {},
    {"status": "x" * 501},
    {"status": "\x00"},
    {"status": "hi", "visibility": "everybody"},
    {"status": "hi", "media_ids": ["1"]},
    {"status": "hi", "media_ids": ["one"]},
    {"status": "hi", "poll": {"options": ["a", "b"]}},
    {"status": "hi", "poll": {"options": ["a", "b"], "expires_in": "soon"}},
    {"status": "hi", "scheduled_at": "tomorrow"},
    {"status": "hi", "scheduled_at": "2001-01-01T00:00:00Z"},
    {"status": "hi", "quote_approval_policy": "friends"},
    {"status": " ".join(f"@somebody{number}" for number in range(1000))},
    {"status": 7},
]


async def test_what_cannot_be_posted_is_refused_with_a_sentence(client: httpx.AsyncClient, alice: Any) -> None:
    for body in REFUSED:
        answer = await client.post(STATUSES, json=body, headers=alice.headers)
        assert answer.status_code == 422, body
        assert answer.json()["error"]


async def test_nobody_posts_without_an_account(client: httpx.AsyncClient) -> None:
    assert (await client.post(STATUSES, json={"status": "hi"})).status_code == 401


async def test_sending_again_with_the_same_key_posts_once(client: httpx.AsyncClient, alice: Any) -> None:
    headers = {**alice.headers, "Idempotency-Key": "abc"}
    first = await client.post(STATUSES, json={"status": "hi"}, headers=headers)
    again = await client.post(STATUSES, json={"status": "hi"}, headers=headers)
    assert first.json() == again.json()


async def test_a_thread_reads_top_down_and_leaves_out_what_is_not_for_one(
    client: httpx.AsyncClient, alice: Any, bob: Any
) -> None:
    root = await say(client, alice, "root")
    middle = await say(client, bob, "middle", in_reply_to_id=root["id"])
    other = await say(client, alice, "other", in_reply_to_id=root["id"])
    leaf = await say(client, alice, "leaf", in_reply_to_id=middle["id"])
    await say(client, alice, "hidden", in_reply_to_id=middle["id"], visibility="private")
    around = (await client.get(f"{STATUSES}/{middle['id']}/context")).json()
    assert [one["id"] for one in around["ancestors"]] == [root["id"]]
    assert [one["id"] for one in around["descendants"]] == [leaf["id"]]
    around = (await client.get(f"{STATUSES}/{root['id']}/context")).json()
    assert [one["id"] for one in around["descendants"]] == [middle["id"], leaf["id"], other["id"]]
    assert (await client.get(f"{STATUSES}/{root['id']}")).json()["replies_count"] == 2
    assert leaf["in_reply_to_account_id"] == str(bob.id)


def test_threads_are_depth_first() -> None:
    assert threaded(1, [(2, 1), (3, 1), (4, 2), (5, 4), (6, 3), (9, 8)]) == [2, 4, 5, 3, 6]


async def test_deleting_gives_the_text_back_and_leaves_nothing(
    client: httpx.AsyncClient, alice: Any, bob: Any
) -> None:
    status = await say(client, alice, "as I *wrote* it")
    path = f"{STATUSES}/{status['id']}"
    assert (await client.delete(path, headers=bob.headers)).status_code == 404
    deleted = await client.delete(path, headers=alice.headers)
    assert deleted.json() == {**status, "text": "as I *wrote* it"} | {"account": deleted.json()["account"]}
    assert (await client.get(path)).status_code == 404
    assert (await client.delete(path, headers=alice.headers)).status_code == 404


async def test_who_sees_a_post(client: httpx.AsyncClient, alice: Any, bob: Any) -> None:
    for visibility, seen_by in (("public", "abn"), ("unlisted", "abn"), ("private", "a"), ("direct", "ab")):
        text = "for @bob" if visibility == "direct" else "for some"
        status = await say(client, alice, text, visibility=visibility)
        for who, headers in {"a": alice.headers, "b": bob.headers, "n": {}}.items():
            answer = await client.get(f"{STATUSES}/{status['id']}", headers=headers)
            assert answer.status_code == (200 if who in seen_by else 404), (visibility, who)
            several = await client.get(STATUSES, params={"id[]": status["id"]}, headers=headers)
            assert len(several.json()) == (who in seen_by), (visibility, who)


async def test_what_a_suspended_person_posted_is_gone_and_comes_back(
    client: httpx.AsyncClient, people: People, alice: Any, bob: Any, clock: FakeClock
) -> None:
    status = await say(client, bob, "here today")
    shown = (await client.get(f"{STATUSES}/{status['id']}")).json()
    answer = await say(client, alice, "@bob indeed", in_reply_to_id=status["id"])
    await people.put(bob.id, Standing.SUSPENDED)
    assert (await client.get(f"{STATUSES}/{status['id']}")).status_code == 404
    around = (await client.get(f"{STATUSES}/{answer['id']}/context")).json()
    assert around == {"ancestors": [], "descendants": []}
    assert (await client.get(f"{STATUSES}/{answer['id']}")).json()["mentions"] == []
    await people.put(bob.id, Standing.ACTIVE)
    assert (await client.get(f"{STATUSES}/{status['id']}")).json() == {**shown, "replies_count": 1}


async def test_what_is_no_id_is_not_found(client: httpx.AsyncClient) -> None:
    for id_ in ("0", "-1", "x", "99999999999999999999", "1.5", "٣"):
        assert (await client.get(f"{STATUSES}/{id_}")).status_code == 404, id_
