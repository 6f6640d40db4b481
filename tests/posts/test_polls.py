"""Polls: what is counted is what was voted, in any order and at once, on both databases."""

import asyncio
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.support.square import Square

from folkmoot.gate import Action, Refused
from folkmoot.posts import edits, polls, queries
from folkmoot.posts.model import Draft, PollDraft, Post
from folkmoot.storage.database import Database
from folkmoot.storage.tables.posts import poll_votes

OPTIONS = ("tea", "coffee", "water")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("vote"), st.integers(0, 2), st.sets(st.integers(-1, 3), max_size=3)),
        st.tuples(st.just("ask"), st.integers(2, 3), st.booleans()),
        st.tuples(st.just("drop"), st.none(), st.none()),
    ),
    max_size=12,
)


async def ask(square: Square, who: int, **poll: Any) -> Post:
    return await square.say(who, "Which?", poll=PollDraft(options=OPTIONS, lasts_s=600, **poll))


async def vote(square: Square, who: int, post: Post, *choices: int) -> None:
    viewer = await square.viewer(who)
    async with square.database.read() as read:
        shown = await square.gate.admit_one(read, viewer, await queries.by_id(read, post.id), "Post")
    await square.act(who, Action.MARK, lambda acting: polls.vote(acting, shown, choices))


async def compare(square: Square, post: Post) -> None:
    """The kept numbers with those counted anew."""
    async with square.database.read() as read:
        found = await queries.by_id(read, post.id)
        rows = (await read.connection.execute(select(poll_votes))).all()
    assert found is not None
    if found.poll is None:
        assert rows == []
        return
    counted = Counter(row.option for row in rows)
    assert found.poll.tallies == tuple(counted[option] for option in range(len(found.poll.options)))
    assert found.poll.voters == len({row.account_id for row in rows})


async def test_all_who_vote_at_once_are_counted(square: Square) -> None:
    post = await ask(square, await square.person("alice"), multiple=True)
    people = [await square.person(f"voter{number}") for number in range(6)]
    twice = [*people, *people]
    done = await asyncio.gather(*(vote(square, one, post, 0, 2) for one in twice), return_exceptions=True)
    assert Counter(map(type, done)) == {type(None): 6, Refused: 6}
    await compare(square, post)


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_what_is_kept_is_what_was_voted(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    path = tmp_path_factory.mktemp("walk") / "folkmoot.db"
    shutil.copyfile(sqlite_template, path)
    asyncio.run(_walk(f"sqlite:///{path}", steps))


async def _walk(url: str, steps: Any) -> None:
    database = Database(url)
    try:
        square = Square(database)
        alice = await square.person("alice")
        people = [await square.person(f"voter{number}") for number in range(3)]
        post = await ask(square, alice)
        for what, first, second in steps:
            try:
                if what == "vote":
                    await vote(square, people[first], post, *second)
                else:
                    asked = PollDraft(options=OPTIONS[:first], lasts_s=600, multiple=second) if first else None
                    await _edit(square, alice, post, Draft(source="Which?", poll=asked))
            except Refused:
                continue
        await compare(square, post)
    finally:
        await database.close()


async def _edit(square: Square, who: int, post: Post, draft: Draft) -> None:
    await square.act(who, Action.POST, lambda acting: edits.edit(acting, post.id, draft, {}))
