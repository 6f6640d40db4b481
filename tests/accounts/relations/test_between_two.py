"""Between two people: whatever they do, in whatever order, how they then stand to each other is possible."""

import asyncio
import itertools
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from tests.support.square import Square

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Relationship
from folkmoot.accounts.profiles.actions import update_profile
from folkmoot.accounts.profiles.model import Changes
from folkmoot.accounts.relations import actions, following, queries
from folkmoot.accounts.relations.model import Choices
from folkmoot.gate import Acting, Action, Refused
from folkmoot.storage.database import Database, Read
from folkmoot.storage.tables.bus import events
from folkmoot.storage.tables.people import follow_requests, follows
from folkmoot.storage.tables.relations import endorsements

_LOCK, _UNLOCK = Changes(locked=True), Changes(locked=False)
STEPS: dict[str, tuple[Action, Any]] = {
    "follow": (Action.FOLLOW, following.follow),
    "follow without boosts": (
        Action.FOLLOW, lambda acting, other: following.follow(acting, other, Choices(reblogs=False))
    ),
    "unfollow": (Action.FOLLOW, following.unfollow),
    "authorize": (Action.FOLLOW, following.authorize),
    "reject": (Action.FOLLOW, following.reject),
    "remove": (Action.FOLLOW, following.remove_follower),
    "block": (Action.BLOCK, actions.block),
    "unblock": (Action.BLOCK, actions.unblock),
    "mute": (Action.BLOCK, actions.mute),
    "unmute": (Action.BLOCK, actions.unmute),
    "endorse": (Action.EDIT_PROFILE, actions.endorse),
    "lock": (Action.EDIT_PROFILE, lambda acting, _: update_profile(acting, _LOCK)),
    "unlock": (Action.EDIT_PROFILE, lambda acting, _: update_profile(acting, _UNLOCK)),
}  # fmt: skip


_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database for all walks."""
    path = tmp_path_factory.mktemp("walk") / "folkmoot.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


async def take(square: Square, who: int, other: int, what: str) -> None:
    """One step; a refusal is an answer."""
    action, work = STEPS[what]

    async def step(acting: Acting) -> None:
        await work(acting, other)

    try:
        await square.act(who, action, step)
    except Refused:
        return


async def stands(read: Read, one: int, other: int) -> Relationship:
    (found,) = await queries.relationships(read, one, [other])
    return found


async def check(read: Read, one: int, other: int) -> None:
    """What can be, from both sides, and what is kept beside equals what would be counted."""
    ours, theirs = await stands(read, one, other), await stands(read, other, one)
    mirrored = (theirs.followed_by, theirs.requested_by, theirs.blocked_by)
    assert (ours.following, ours.requested, ours.blocking) == mirrored
    for side in (ours, theirs):
        assert not (side.following and side.requested), "a follow beside a request"
        together = side.following or side.requested  # of the other, too: both sides are looked at
        assert not together or not (side.blocking or side.blocked_by), "a blocked follower"
        assert not side.endorsed or side.following, "a recommendation of whom one doesn't follow"
        assert not side.showing_reblogs or side.following or side.requested
    for account in await accounts.by_ids(read, [one, other]):
        if not account.locked:
            asking = select(func.count()).where(follow_requests.c.followee_id == account.id)
            assert (await read.connection.execute(asking)).scalar_one() == 0, "who asks an account that is open"
        for column, kept in (
            (follows.c.followee_id, "followers_count"),
            (follows.c.follower_id, "following_count"),
        ):
            counted = await read.connection.execute(select(func.count()).where(column == account.id))
            assert getattr(account, kept) == counted.scalar_one()


# What meets seldom by chance: True is alice, False is bob.
_ASKED = [(False, "lock"), (True, "follow")]
_OFTEN = ["follow", "follow", "lock", "authorize"]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.tuples(st.booleans(), st.sampled_from([*sorted(STEPS), *_OFTEN])), max_size=20))
@example(steps=[*_ASKED, (False, "block")])
@example(steps=[*_ASKED, (True, "block")])
@example(steps=[*_ASKED, (False, "authorize"), (False, "unlock")])
@example(steps=[*_ASKED, (False, "unlock"), (False, "lock"), (True, "follow")])
@example(steps=[*_ASKED, (False, "reject"), (False, "authorize")])
def test_whatever_two_do_how_they_stand_is_possible(url: str, steps: list[tuple[bool, str]]) -> None:
    asyncio.run(_walk(url, steps))


async def _walk(url: str, steps: list[tuple[bool, str]]) -> None:
    database = Database(url)
    try:
        square = Square(database)
        alice, bob = [await square.person(f"person{next(_NUMBERS)}") for _ in range(2)]
        for is_alice, what in steps:
            await take(square, *((alice, bob) if is_alice else (bob, alice)), what)
            async with database.read() as read:
                await check(read, alice, bob)
    finally:
        await database.close()


async def test_what_two_do_at_the_same_moment_is_possible_too(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    for ours, theirs in (("follow", "lock"), ("follow", "block"), ("unfollow", "authorize"), ("follow", "unlock")):
        await asyncio.gather(take(square, alice, bob, ours), take(square, bob, alice, theirs))
        async with square.database.read() as read:
            await check(read, alice, bob)
        await take(square, bob, alice, "unblock")


async def test_who_follows_no_more_recommends_no_more(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    for what in ("follow", "endorse", "unfollow"):
        await take(square, alice, bob, what)
    async with square.database.read() as read:
        assert (await read.connection.execute(select(func.count()).select_from(endorsements))).scalar_one() == 0


async def test_what_happens_is_told(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    steps = (
        (bob, "lock"),
        (alice, "follow"),
        (bob, "reject"),
        (alice, "follow"),
        (bob, "authorize"),
        (bob, "remove"),
    )
    for who, what in steps:
        await take(square, who, bob if who == alice else alice, what)
    async with square.database.read() as read:
        kinds = (await read.connection.execute(select(events.c.kind).order_by(events.c.id))).scalars()
        assert [kind for kind in kinds if kind.startswith("account.")] == [
            "account.updated",
            "account.follow_requested",
            "account.unfollowed",
            "account.follow_requested",
            "account.followed",
            "account.unfollowed",
        ]
