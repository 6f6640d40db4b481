"""Posts over HTTP: what Mastodon's clients send and read."""

from typing import Any

import httpx
import pytest
from sqlalchemy import insert, update
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.sounds import a_sound

from folkmoot.gate import Standing
from folkmoot.posts.queries import ANCESTORS_MAX, DESCENDANTS_DEPTH_MAX
from folkmoot.storage.database import Write
from folkmoot.storage.tables.posts import posts
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


async def test_json_may_say_numbers_and_yes_or_no_as_text(client: httpx.AsyncClient, alice: Any) -> None:
    poll = {"options": ["a", "b"], "expires_in": "600", "multiple": "true", "hide_totals": "0"}
    asked = await say(client, alice, "Which?", sensitive="1", poll=poll)
    assert (asked["sensitive"], asked["poll"]["multiple"]) == (True, True)
    assert asked["poll"]["options"][0]["votes_count"] == 0


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
    {"status": [7]},
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


async def test_somebody_of_this_server_is_mentioned_with_its_name_too(
    client: httpx.AsyncClient, alice: Any, bob: Any
) -> None:
    """As clients write it who edit or answer, and people who copy it; it is kept without, as on Mastodon."""
    said = await say(client, alice, "Hi @bob@Moot.test, and @bob@elsewhere.test https://moot.test/@bob@moot.test")
    assert [one["id"] for one in said["mentions"]] == [str(bob.id)]
    edited = await client.put(
        f"{STATUSES}/{said['id']}", json={"status": "Bye @bob@moot.test"}, headers=alice.headers
    )
    assert [one["acct"] for one in edited.json()["mentions"]] == ["bob"]
    source = await client.get(f"{STATUSES}/{said['id']}/source", headers=alice.headers)
    assert source.json()["text"] == "Bye @bob"


async def test_a_thread_that_goes_in_a_circle_has_an_end(
    client: httpx.AsyncClient, people: People, alice: Any
) -> None:
    first = await say(client, alice, "hen")
    second = await say(client, alice, "egg", in_reply_to_id=first["id"])
    third = await say(client, alice, "omelette", in_reply_to_id=second["id"])

    async def close_the_circle(tx: Write) -> None:
        circle = update(posts).where(posts.c.id == int(first["id"]))
        await tx.connection.execute(circle.values(in_reply_to_id=int(third["id"])))

    await people.gate.database.write(close_the_circle)
    for post, others in ((first, {second["id"], third["id"]}), (second, {first["id"], third["id"]})):
        around = (await client.get(f"{STATUSES}/{post['id']}/context")).json()
        shown = [one["id"] for part in ("ancestors", "descendants") for one in around[part]]
        assert (sorted(shown), len(shown)) == (sorted(others), 2)


async def test_a_thread_as_deep_as_people_make_it_is_cut(
    client: httpx.AsyncClient, people: People, alice: Any
) -> None:
    first_id = int((await say(client, alice, "0"))["id"])
    numbers = range(first_id, first_id + ANCESTORS_MAX + 60)
    ids = [str(number) for number in numbers]
    row = {"account_id": alice.id, "conversation_id": first_id, "visibility": "public", "created_at_ms": 0}
    row |= {"source": "", "html": "", "mentions": [], "tags": []}

    async def answer_each_other(tx: Write) -> None:
        rows = [{**row, "id": number, "in_reply_to_id": number - 1} for number in numbers[1:]]
        await tx.connection.execute(insert(posts), rows)

    await people.gate.database.write(answer_each_other)
    last = (await client.get(f"{STATUSES}/{ids[-1]}/context")).json()
    assert [one["id"] for one in last["ancestors"]] == ids[-1 - ANCESTORS_MAX : -1]
    first = (await client.get(f"{STATUSES}/{ids[0]}/context")).json()
    assert [one["id"] for one in first["descendants"]] == ids[1 : 1 + DESCENDANTS_DEPTH_MAX]


@pytest.mark.parametrize("kind", ["json", "data", "files"])
async def test_a_key_makes_one_post_however_it_is_sent(client: httpx.AsyncClient, alice: Any, kind: str) -> None:
    headers = {**alice.headers, "Idempotency-Key": "abc"}
    fields = {"status": "hi", "visibility": "unlisted"}
    body: Any = [(name, (None, text)) for name, text in fields.items()] if kind == "files" else fields
    sent = [(await client.post(STATUSES, headers=headers, **{kind: body})).json()["id"] for _ in range(2)]
    other = await client.post(STATUSES, headers={**headers, "Idempotency-Key": "abd"}, **{kind: body})
    assert sent[0] == sent[1] != other.json()["id"]


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


async def test_whatever_is_asked_for_again_and_again_is_given_once(client: httpx.AsyncClient, alice: Any) -> None:
    first, other = await say(client, alice, "hello"), await say(client, alice, "goodbye")
    asked = [first["id"], "nonsense", other["id"], first["id"]]
    found = (await client.get(STATUSES, params={"id[]": asked})).json()
    assert [one["id"] for one in found] == [first["id"], other["id"]]


async def test_a_post_is_deleted_with_its_files_if_one_says_so(
    client: httpx.AsyncClient, people: People, alice: Any
) -> None:
    left = []
    for query in ("", "?delete_media=false", "?delete_media=true"):
        file_id = str(await a_sound(people, alice.id, "a lark"))
        said = await say(client, alice, "hear", media_ids=[file_id])
        boost = (await client.post(f"{STATUSES}/{said['id']}/reblog", headers=alice.headers)).json()
        for one in (boost, said):
            answer = await client.delete(f"{STATUSES}/{one['id']}{query}", headers=alice.headers)
            assert [file["id"] for file in answer.json()["media_attachments"]] == [file_id]
        left.append((await client.get(f"/api/v1/media/{file_id}", headers=alice.headers)).status_code)
    assert left == [200, 200, 404]
