"""Posting and deleting, on both databases."""

import asyncio

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from tests.support.clock import FakeClock
from tests.support.square import Square

from folkmoot.gate import Action, Refused
from folkmoot.posts import actions, queries
from folkmoot.posts.model import Post, Visibility
from folkmoot.storage.tables.bus import events
from folkmoot.storage.tables.posts import posts


async def kept(square: Square, post_id: int) -> Post | None:
    async with square.database.read() as read:
        return await queries.by_id(read, post_id)


async def test_what_was_posted_is_kept(square: Square) -> None:
    alice, bob = await square.person("Alice"), await square.person("bob")
    post = await square.say(alice, "Hi @BOB and @nobody #Moot", language="en", sensitive=True)
    assert post == await kept(square, post.id)
    assert (post.mentions, post.tags, post.conversation_id) == ((bob,), ("moot",), post.id)
    async with square.database.read() as read:
        event = (await read.connection.execute(select(events.c.kind, events.c.payload))).one()
    assert event == ("post.created", {"post": str(post.id), "account": str(alice), "visibility": "public"})


async def test_a_reply_is_of_the_conversation_and_is_counted_if_it_is_for_all(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    post = await square.say(alice, "one")
    reply = await square.say(bob, "two", answering=post)
    await square.say(bob, "three", Visibility.FOLLOWERS, answering=post)
    assert (reply.in_reply_to_id, reply.in_reply_to_account_id) == (post.id, alice)
    assert reply.conversation_id == post.conversation_id
    assert await kept(square, post.id) == replace(post, replies_count=1)


async def test_what_one_may_not_see_one_cannot_answer(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    for visibility in (Visibility.FOLLOWERS, Visibility.DIRECT):
        post = await square.say(alice, "not for all", visibility)
        with pytest.raises(Refused) as refusal:
            await square.say(bob, "what?", answering=post)
        assert refusal.value.status == 404


async def test_a_key_makes_one_post_within_the_hour(square: Square, clock: FakeClock) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    first = await square.say(alice, "once", idempotency_key="k")
    assert (await square.say(alice, "once", idempotency_key="k")).id == first.id
    assert (await square.say(bob, "once", idempotency_key="k")).id != first.id
    clock.advance_ms(3_600_001)
    later = await square.say(alice, "once", idempotency_key="k")
    assert later.id != first.id
    assert (await square.say(alice, "once", idempotency_key="k")).id == later.id


async def test_a_key_that_is_sent_many_times_at_once_makes_one_post(square: Square) -> None:
    alice = await square.person("alice")
    made = await asyncio.gather(*(square.say(alice, "once", idempotency_key="k") for _ in range(6)))
    assert len({post.id for post in made}) == 1


async def test_one_deletes_ones_own_posts_only_and_no_words_stay(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    post = await square.say(alice, "secret #secret", spoiler_text="secret")
    with pytest.raises(Refused) as refusal:
        await square.act(bob, Action.DELETE_POST, lambda acting: actions.delete_post(acting, post.id))
    assert refusal.value.status == 404
    deleted = await square.act(alice, Action.DELETE_POST, lambda acting: actions.delete_post(acting, post.id))
    assert deleted == post
    assert await kept(square, post.id) is None
    async with square.database.read() as read:
        row = (await read.connection.execute(select(posts))).one()
    assert "secret" not in str(row)
    with pytest.raises(Refused):
        await square.act(alice, Action.DELETE_POST, lambda acting: actions.delete_post(acting, post.id))


async def test_a_thread_is_walked_both_ways(square: Square) -> None:
    alice = await square.person("alice")
    root = await square.say(alice, "root")
    middle = await square.say(alice, "middle", answering=root)
    other = await square.say(alice, "other", answering=root)
    leaf = await square.say(alice, "leaf", answering=middle)
    async with square.database.read() as read:
        assert await queries.ancestor_ids(read, leaf) == [root.id, middle.id]
        assert await queries.ancestor_ids(read, root) == []
        below = await queries.descendant_ids(read, root)
        assert sorted(below) == [(middle.id, root.id), (other.id, root.id), (leaf.id, middle.id)]
        assert await queries.descendant_ids(read, leaf) == []
