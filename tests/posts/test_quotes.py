"""Quotes: the number that is kept is that of the quotes for everybody that there are, on both databases."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from tests.support.square import Square

from folkmoot.gate import Action, Refused
from folkmoot.posts import actions, queries, quotes
from folkmoot.posts.model import FOR_ALL, Draft, Post, QuotePolicy, QuoteState, Visibility
from folkmoot.storage.database import Database, Read
from folkmoot.storage.tables.posts import posts

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["say", "quote", "quote", "revoke", "delete", "policy"]),
        st.integers(0, 2),
        st.integers(0, 20),
        st.integers(0, 20),
        st.sampled_from(list(Visibility)),
        st.sampled_from(list(QuotePolicy)),
    ),
    max_size=16,
)


async def quote(square: Square, who: int, post: Post, visibility: Visibility = Visibility.PUBLIC) -> Post:
    viewer = await square.viewer(who)
    async with square.database.read() as read:
        shown = await square.gate.admit_one(read, viewer, await queries.by_id(read, post.id), "Post")
    draft = Draft(source="look", visibility=visibility, quoted_id=post.id)
    return await square.act(who, Action.POST, lambda acting: actions.create_post(acting, draft, quoted=shown))


async def compare(read: Read, said: list[Post]) -> None:
    for post in await queries.by_ids(read, [one.id for one in said]):
        counted = select(func.count()).where(
            posts.c.quoted_id == post.id,
            posts.c.quote_state == QuoteState.ACCEPTED.value,
            posts.c.visibility.in_([visibility.value for visibility in FOR_ALL]),
            posts.c.deleted_at_ms.is_(None),
        )
        assert post.quotes_count == (await read.connection.execute(counted)).scalar_one()


async def test_a_quote_is_taken_back_once(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    post = await square.say(alice, "hear, hear")
    made = await asyncio.gather(*(quote(square, bob, post) for _ in range(3)))
    taken = [
        square.act(alice, Action.POST, lambda acting: quotes.revoke(acting, post.id, made[0].id)) for _ in range(3)
    ]
    await asyncio.gather(*taken)
    async with square.database.read() as read:
        await compare(read, [post])
        found = await queries.by_id(read, post.id)
    assert found is not None
    assert found.quotes_count == 2


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
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
        await square.follow(people[1], people[0])
        said = [await square.say(people[0], "hear, hear")]
        for what, who, first, second, visibility, policy in steps:
            post, other = said[first % len(said)], said[second % len(said)]
            try:
                match what:
                    case "say":
                        said.append(await square.say(people[who], "words", visibility, quote_policy=policy))
                    case "quote":
                        said.append(await quote(square, people[who], post, visibility))
                    case "revoke":
                        await _act(square, post.account_id, quotes.revoke, post.id, other.id)
                    case "policy":
                        await _act(square, people[who], quotes.set_policy, post.id, policy)
                    case _:
                        await _act(square, post.account_id, actions.delete_post, post.id)
            except Refused:
                continue
        async with database.read() as read:
            await compare(read, said)
    finally:
        await database.close()


async def _act(square: Square, who: int, action: Any, *arguments: Any) -> None:
    what = Action.DELETE_POST if action is actions.delete_post else Action.POST
    await square.act(who, what, lambda acting: action(acting, *arguments))
