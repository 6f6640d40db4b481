"""Boosts, favourites, bookmarks, pins and muted conversations, and what is counted of them, on both databases."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from tests.support.square import Square

from folkmoot.accounts import queries as account_queries
from folkmoot.accounts.model import Page
from folkmoot.accounts.relations import actions as relations
from folkmoot.accounts.relations import following
from folkmoot.gate import Acting, Action, Refused, Visible
from folkmoot.posts import actions, boosts, queries
from folkmoot.posts.marks import actions as marks
from folkmoot.posts.marks import queries as mark_queries
from folkmoot.posts.marks.model import PINS_MAX, Mark
from folkmoot.posts.model import FOR_ALL, Mine, Post, Visibility
from folkmoot.storage.database import Database, Read
from folkmoot.storage.tables.people import follows
from folkmoot.storage.tables.posts import favourites, posts


async def seen(square: Square, account_id: int, post: Post) -> Visible[Post]:
    viewer = await square.viewer(account_id)
    async with square.database.read() as read:
        return await square.gate.admit_one(read, viewer, await queries.by_id(read, post.id), "Post")


async def boosted(square: Square, account_id: int, post: Post, visibility: Visibility = Visibility.PUBLIC) -> Post:
    shown = await seen(square, account_id, post)
    return await square.act(account_id, Action.POST, lambda acting: boosts.boost(acting, shown, visibility))


async def unboosted(square: Square, account_id: int, post: Post) -> None:
    await square.act(account_id, Action.POST, lambda acting: boosts.unboost(acting, post.id))


async def mark(square: Square, account_id: int, what: Mark, post: Post) -> None:
    shown = await seen(square, account_id, post)
    action = Action.POST if what is Mark.PIN else Action.MARK
    await square.act(account_id, action, lambda acting: marks.mark(acting, what, shown))


async def unmark(square: Square, account_id: int, what: Mark, post: Post) -> None:
    await square.act(account_id, Action.MARK, lambda acting: marks.unmark(acting, what, post.id))


async def delete(square: Square, post: Post) -> None:
    await square.act(post.account_id, Action.DELETE_POST, lambda acting: actions.delete_post(acting, post.id))


async def counts(square: Square, post: Post) -> tuple[int, int, int]:
    async with square.database.read() as read:
        found = await queries.by_id(read, post.id)
    assert found is not None
    return found.replies_count, found.reblogs_count, found.favourites_count


async def test_a_boost_is_made_once_and_taken_back(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    post = await square.say(alice, "hear, hear")
    first = await boosted(square, bob, post)
    assert (first.reblog_of_id, first.reblogged_account_id, first.source) == (post.id, alice, "")
    assert (await boosted(square, bob, post)).id == first.id
    assert await counts(square, post) == (0, 1, 0)
    await unboosted(square, bob, post)
    await unboosted(square, bob, post)
    assert await counts(square, post) == (0, 0, 0)
    async with square.database.read() as read:
        assert await queries.by_id(read, first.id) is None


async def test_two_at_once_boost_once(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    post = await square.say(alice, "hear, hear")
    made = await asyncio.gather(*(boosted(square, bob, post) for _ in range(4)))
    assert len({one.id for one in made}) == 1
    assert await counts(square, post) == (0, 1, 0)


async def test_only_what_is_for_everybody_is_boosted_and_ones_own_for_followers(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    await square.follow(bob, alice)
    private = await square.say(alice, "for you", Visibility.FOLLOWERS)
    direct = await square.say(alice, "@bob psst", Visibility.DIRECT)
    for who, post in ((bob, private), (bob, direct), (alice, direct)):
        with pytest.raises(Refused) as refusal:
            await boosted(square, who, post)
        assert refusal.value.status == 403
    again = await boosted(square, alice, private)
    assert again.visibility is Visibility.FOLLOWERS
    assert await counts(square, private) == (0, 0, 0)
    public = await square.say(alice, "for all")
    assert (await boosted(square, bob, public, Visibility.DIRECT)).visibility is Visibility.FOLLOWERS


async def test_a_boost_is_seen_by_who_sees_both(square: Square) -> None:
    alice, bob, carol = await square.person("alice"), await square.person("bob"), await square.person("carol")
    boost = await boosted(square, bob, await square.say(alice, "hear, hear"))
    assert (await seen(square, carol, boost)).item == boost
    await square.block(alice, carol)
    with pytest.raises(Refused):
        await seen(square, carol, boost)


async def test_who_answers_a_boost_answers_what_it_shows(square: Square) -> None:
    alice, bob, carol = await square.person("alice"), await square.person("bob"), await square.person("carol")
    post = await square.say(alice, "hear, hear")
    reply = await square.say(carol, "indeed", answering=await boosted(square, bob, post))
    assert (reply.in_reply_to_id, reply.in_reply_to_account_id) == (post.id, alice)


async def test_with_a_post_go_its_boosts_and_marks(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    before = await square.say(bob, "before")
    post = await square.say(alice, "hear, hear")
    boost = await boosted(square, bob, post)
    for what in (Mark.FAVOURITE, Mark.BOOKMARK):
        await mark(square, bob, what, post)
    await mark(square, alice, Mark.PIN, post)
    await delete(square, post)
    async with square.database.read() as read:
        assert await queries.by_id(read, boost.id) is None
        for what in Mark:
            assert await mark_queries.marked_by(read, bob, what, Page(10)) == []
        (found,) = await account_queries.by_ids(read, [bob])
    assert (found.statuses_count, found.last_post_id) == (1, before.id)


@pytest.mark.parametrize("what", [Mark.FAVOURITE, Mark.BOOKMARK])
async def test_a_mark_is_made_once_and_taken_back(square: Square, what: Mark) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    first, second = await square.say(alice, "one"), await square.say(alice, "two")
    for post in (second, first, second):
        await mark(square, bob, what, post)
    favourites_ = int(what is Mark.FAVOURITE)
    assert await counts(square, second) == (0, 0, favourites_)
    async with square.database.read() as read:
        kept = await mark_queries.marked_by(read, bob, what, Page(10))
        assert [post_id for _, post_id in kept] == [first.id, second.id]
        who = await mark_queries.who_marked(read, first.id, what, Page(10))
        assert [account_id for _, account_id in who] == [bob]
    await unmark(square, bob, what, second)
    await unmark(square, bob, what, second)
    assert await counts(square, second) == (0, 0, 0)


async def test_one_pins_a_few_of_ones_own(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    own = [await square.say(alice, f"{number}") for number in range(PINS_MAX + 1)]
    for post in own[:PINS_MAX]:
        await mark(square, alice, Mark.PIN, post)
    await mark(square, alice, Mark.PIN, own[0])
    refused = (
        (alice, own[PINS_MAX]),
        (alice, await square.say(bob, "not hers")),
        (bob, await square.say(bob, "psst", Visibility.DIRECT)),
    )
    for who, post in refused:
        with pytest.raises(Refused) as refusal:
            await mark(square, who, Mark.PIN, post)
        assert refusal.value.status == 422
    await delete(square, own[0])
    await mark(square, alice, Mark.PIN, own[PINS_MAX])


async def test_a_person_is_shown_what_they_did(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    post = await square.say(alice, "one")
    reply = await square.say(bob, "two", answering=post)
    other = await square.say(alice, "other")
    await mark(square, bob, Mark.FAVOURITE, post)
    await boosted(square, bob, post)
    shown = await seen(square, bob, reply)
    await square.act(bob, Action.MARK, lambda acting: marks.mute_conversation(acting, shown))
    async with square.database.read() as read:
        mine = await mark_queries.mine(read, bob, [post, reply, other])
        assert await mark_queries.mine(read, alice, [post, reply, other]) == {}
    assert mine[post.id] == Mine(favourited=True, reblogged=True, muted=True)
    assert (mine[reply.id], mine[other.id]) == (Mine(muted=True), Mine())
    await square.act(bob, Action.MARK, lambda acting: marks.unmute_conversation(acting, shown.item.conversation_id))
    async with square.database.read() as read:
        assert await mark_queries.mine(read, bob, [reply]) == {}


async def test_what_was_deleted_meanwhile_cannot_be_marked(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    post = await square.say(alice, "one")
    shown = await seen(square, bob, post)
    await delete(square, post)

    async def favourite(acting: Acting) -> None:
        await marks.mark(acting, Mark.FAVOURITE, shown)

    async def boost(acting: Acting) -> None:
        await boosts.boost(acting, shown, Visibility.PUBLIC)

    for action, work in ((Action.MARK, favourite), (Action.POST, boost)):
        with pytest.raises(Refused) as refusal:
            await square.act(bob, action, work)
        assert refusal.value.status == 404


# --- what is kept beside equals what would be counted ---

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["say", "reply", "delete", "boost", "unboost", "favourite", "unfavourite", "follow",
                         "unfollow", "block"]),
        st.integers(0, 2),
        st.integers(0, 5),
        st.sampled_from(Visibility),
    ),
    max_size=25,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_what_is_kept_is_what_would_be_counted(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    path = tmp_path_factory.mktemp("walk") / "folkmoot.db"
    shutil.copyfile(sqlite_template, path)
    asyncio.run(_walk(f"sqlite:///{path}", steps))


async def _walk(url: str, steps: Any) -> None:
    database = Database(url)
    try:
        square = Square(database)
        people = [await square.person(name) for name in ("alice", "bob", "carol")]
        said: list[Post] = []
        for what, who, which, visibility in steps:
            try:
                await _step(square, people, said, what, people[who], which, visibility)
            except Refused:
                continue
        async with database.read() as read:
            await _compare(read, people, said)
    finally:
        await database.close()


async def _step(
    square: Square, people: list[int], said: list[Post], what: str, who: int, which: int, visibility: Visibility
) -> None:
    post = said[which % len(said)] if said else None
    other = people[which % len(people)]
    if what == "say" or post is None:
        said.append(await square.say(who, "words", visibility))
    elif what == "reply":
        said.append(await square.say(who, "words", visibility, answering=post))
    elif what == "delete":
        await delete(square, post)
    elif what == "boost":
        said.append(await boosted(square, who, post, visibility))
    elif what == "unboost":
        await unboosted(square, who, post)
    elif what == "favourite":
        await mark(square, who, Mark.FAVOURITE, post)
    elif what == "unfavourite":
        await unmark(square, who, Mark.FAVOURITE, post)
    else:
        change = {"follow": following.follow, "unfollow": following.unfollow, "block": relations.block}[what]
        action = Action.BLOCK if what == "block" else Action.FOLLOW
        await square.act(who, action, lambda acting: change(acting, other))


async def _compare(read: Read, people: list[int], said: list[Post]) -> None:
    async def number(table: Any, *conditions: Any, what: Any = None) -> Any:
        statement = select(func.count() if what is None else what).select_from(table).where(*conditions)
        return (await read.connection.execute(statement)).scalar_one()

    alive = posts.c.deleted_at_ms.is_(None)
    told = alive & (posts.c.visibility != "direct")
    for account in await account_queries.by_ids(read, people):
        own = told & (posts.c.account_id == account.id)
        assert account.followers_count == await number(follows, follows.c.followee_id == account.id)
        assert account.following_count == await number(follows, follows.c.follower_id == account.id)
        assert account.statuses_count == await number(posts, own)
        assert account.last_post_id == await number(posts, own, what=func.max(posts.c.id))
    for_all = alive & posts.c.visibility.in_([visibility.value for visibility in FOR_ALL])
    for post in await queries.by_ids(read, [post.id for post in said]):
        assert post.replies_count == await number(posts, for_all, posts.c.in_reply_to_id == post.id)
        assert post.reblogs_count == await number(posts, for_all, posts.c.reblog_of_id == post.id)
        assert post.favourites_count == await number(favourites, favourites.c.post_id == post.id)
