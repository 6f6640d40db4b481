"""What is told of events: each thing once, whatever dies in between; and what happens in Spaces."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.square import Square
from tests.support.telling import follower, tell

from folkmoot.accounts.model import Page
from folkmoot.accounts.relations import following
from folkmoot.accounts.relations.model import Choices
from folkmoot.gate import Action, Standing
from folkmoot.moderation.spaces.actions import remove_space
from folkmoot.notifications import actions, queries
from folkmoot.notifications.model import KEPT_MS, SOON_MS, Asked, Kind, News, Notification
from folkmoot.notifications.telling import (
    LOOK_AGAIN_MS,
    STARTING_SOON,
    TELL_MORE,
    TOLD_AT_ONCE,
    Telling,
)
from folkmoot.posts.actions import delete_post
from folkmoot.recordings.actions import close_recording
from folkmoot.spaces import actions as spaces
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import Draft, Space
from folkmoot.storage.database import Database, Write
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.events import Event, Follower
from folkmoot.storage.jobs import Worker, enqueue
from folkmoot.storage.tables.notifications import notifications
from folkmoot.storage.tables.people import accounts, follows

PAGE_URL = "https://moot.test/spaces"
Told = Callable[[int], Awaitable[list[Notification]]]


@pytest.fixture
def square(database: Database) -> Square:
    return Square(database)


@pytest.fixture
def told(database: Database, tmp_path: Path) -> Told:
    async def ask(account_id: int) -> list[Notification]:
        await tell(database, tmp_path)
        async with database.read() as read:
            return await queries.of_account(read, account_id, Asked(), Page(limit=100))

    return ask


async def open_space(square: Square, host: int, **fields: object) -> Space:
    draft = Draft(title="The Moot", **fields)  # type: ignore[arg-type]
    return await square.act(host, Action.OPEN_SPACE, lambda acting: spaces.create(acting, draft, page_url=PAGE_URL))


async def command(square: Square, who: int, space: Space, order: c.Command) -> None:
    await square.act(who, Action.TAKE_PART, lambda acting: spaces.command(acting, space.id, order))


async def ring_the_bell(square: Square, follower_id: int, followed_id: int) -> None:
    work = partial(following.follow, account_id=followed_id, choices=Choices(notify=True))
    await square.act(follower_id, Action.FOLLOW, work)


class Died(BaseException):
    """As SIGKILL: nothing after it runs."""


async def test_a_process_that_dies_tells_nobody_twice(
    square: Square, database: Database, told: Told, tmp_path: Path
) -> None:
    """After each event that it handled, and before anybody could note that in another transaction."""
    alice, bob = await square.person("alice"), await square.person("bob")
    for number in range(4):
        await square.say(bob, f"@alice {number}")
    telling = Telling(square.gate)

    async def handle_and_die(event: Event) -> None:
        await telling.on_event(event)
        raise Died

    def dying() -> Follower:
        return Follower(database, "notifications", handle_and_die, doorbell=Doorbell(tmp_path), start="stored")

    first: list[Notification] = []
    for _ in range(3):
        with pytest.raises(Died):
            await dying().step()
        async with database.read() as read:
            first = first or await queries.of_account(read, alice, Asked(), Page(limit=1))
    await square.act(alice, Action.READ, lambda acting: actions.dismiss(acting, first[0].id))
    found = await told(alice)
    assert [one.kind for one in found] == [Kind.MENTION] * 3
    assert len({one.post_id for one in found}) == 3
    assert first[0].id not in {one.id for one in found}


async def test_what_fails_is_tried_again_and_told_once(square: Square, database: Database, tmp_path: Path) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    await square.say(bob, "@alice hear")
    following_ = follower(database, tmp_path)
    while await following_.step():
        pass
    # The same from the start, as after a restored backup of where it had come to.
    telling = Telling(square.gate)
    seen: list[Event] = []
    again = Follower(database, "again", seen_by(seen), doorbell=Doorbell(tmp_path), start="stored")
    while await again.step():
        pass
    for event in seen:
        await telling.on_event(event)
    async with database.read() as read:
        assert len(await queries.of_account(read, alice, Asked(), Page(limit=10))) == 1


def seen_by(seen: list[Event]) -> Callable[[Event], Awaitable[None]]:
    async def handle(event: Event) -> None:
        seen.append(event)

    return handle


async def test_a_space_tells_who_wants_to_hear_of_it(square: Square, told: Told) -> None:
    host, fan, follower_, marker = [await square.person(name) for name in ("host", "fan", "friend", "marker")]
    await ring_the_bell(square, fan, host)
    await square.follow(follower_, host)
    space = await open_space(square, host)
    await command(square, host, space, c.Start())
    (live,) = await told(fan)
    assert (live.kind, live.kind.type, live.post_id, live.about_id, live.from_id) == (
        Kind.SPACE_LIVE,
        "status",
        space.announcement_post_id,
        space.id,
        host,
    )
    assert await told(follower_) == []
    assert {one.kind for one in await told(host)} == {Kind.FOLLOW}
    assert await told(marker) == []


async def test_who_is_let_up_is_told(square: Square, told: Told) -> None:
    host, guest = await square.person("host"), await square.person("guest")
    space = await open_space(square, host)
    await command(square, host, space, c.Start())
    assert await told(guest) == []
    await command(square, guest, space, c.Ask(recording_consent=True))
    await command(square, host, space, c.LetUp(account=str(guest)))
    assert [one.kind for one in await told(guest)] == [Kind.SPACE_LET_UP]
    assert [one.from_id for one in await told(guest)] == [host]


async def test_what_starts_soon_is_told_once_at_its_time(
    square: Square, database: Database, told: Told, clock: FakeClock, tmp_path: Path
) -> None:
    host, fan = await square.person("host"), await square.person("fan")
    await ring_the_bell(square, fan, host)
    await open_space(square, host, scheduled_at_ms=clock() + 2 * SOON_MS)
    assert [one.kind for one in await told(fan)] == [Kind.STATUS]
    telling = Telling(square.gate)
    jobs = Worker(database, {STARTING_SOON: telling.run_starting_soon}, doorbell=Doorbell(tmp_path))
    assert await jobs.step() == 0
    clock.advance_ms(SOON_MS)
    assert await jobs.step() == 1
    assert [one.kind for one in await told(fan)] == [Kind.SPACE_STARTING_SOON, Kind.STATUS]


async def test_what_was_taken_down_starts_for_nobody(
    square: Square, database: Database, told: Told, clock: FakeClock, tmp_path: Path
) -> None:
    host, fan = await square.person("host"), await square.person("fan")
    await ring_the_bell(square, fan, host)
    space = await open_space(square, host, scheduled_at_ms=clock() + 2 * SOON_MS)
    assert [one.kind for one in await told(fan)] == [Kind.STATUS]
    permit = square.gate.permit_system(Action.MODERATE, "test")
    await square.gate.act(permit, lambda acting: remove_space(acting, space.id, reason="rule 3"))
    jobs = Worker(database, {STARTING_SOON: Telling(square.gate).run_starting_soon}, doorbell=Doorbell(tmp_path))
    clock.advance_ms(SOON_MS)
    assert await jobs.step() == 1
    assert [one.kind for one in await told(fan)] == [Kind.STATUS]


async def test_what_nobody_is_shown_starts_for_nobody_unless_it_is_back_in_time(
    square: Square, database: Database, told: Told, clock: FakeClock, tmp_path: Path
) -> None:
    host, fan = await square.person("host"), await square.person("fan")
    await ring_the_bell(square, fan, host)
    await open_space(square, host, scheduled_at_ms=clock() + 2 * SOON_MS)
    await open_space(square, host, scheduled_at_ms=clock() + 3 * SOON_MS)
    await told(fan)
    jobs = Worker(database, {STARTING_SOON: Telling(square.gate).run_starting_soon}, doorbell=Doorbell(tmp_path))
    people = People(square.gate)
    await people.put(host, Standing.SUSPENDED)
    clock.advance_ms(SOON_MS)
    assert await jobs.step() == 1
    clock.advance_ms(SOON_MS)  # the first should have begun by now
    while await jobs.step():
        pass
    await people.put(host, Standing.ACTIVE)
    assert Kind.SPACE_STARTING_SOON not in [one.kind for one in await told(fan)]
    clock.advance_ms(LOOK_AGAIN_MS)
    while await jobs.step():
        pass
    assert [one.kind for one in await told(fan)].count(Kind.SPACE_STARTING_SOON) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_deleted", [False, True])
async def test_many_are_told_in_turns_and_of_what_is_gone_no_more(
    square: Square, database: Database, told: Told, tmp_path: Path, *, is_deleted: bool
) -> None:
    author = await square.person("author")
    await bells(database, author, TOLD_AT_ONCE + 2)
    said = await square.say(author, "hear, hear")
    await told(author)
    assert await count_told(database) == TOLD_AT_ONCE
    if is_deleted:
        await square.act(author, Action.DELETE_POST, lambda acting: delete_post(acting, said.id))
        await told(author)
    jobs = Worker(database, {TELL_MORE: Telling(square.gate).run_tell_more}, doorbell=Doorbell(tmp_path))
    while await jobs.step():
        pass
    assert await count_told(database) == (0 if is_deleted else TOLD_AT_ONCE + 2)


@pytest.mark.parametrize("kind", [Kind.STATUS, Kind.UPDATE])
async def test_a_process_that_dies_after_it_told_some_of_many_tells_them_nothing_again(
    square: Square, database: Database, clock: FakeClock, tmp_path: Path, kind: Kind
) -> None:
    author, alice = await square.person("author"), await square.person("alice")
    said = await square.say(author, "hear, hear")
    telling = Telling(square.gate)
    jobs = Worker(database, {TELL_MORE: telling.run_tell_more}, doorbell=Doorbell(tmp_path), lease_ms=1_000)
    await tell_later(database, News(account_id=alice, kind=kind, from_id=author, post_id=said.id))
    (job,) = await jobs.lease()
    await telling.run_tell_more(job)
    assert await count_told(database) == 1
    await square.act(alice, Action.READ, actions.clear)
    clock.advance_ms(1_000)  # nobody said that it was done, and its lease is over
    while await jobs.step():
        pass
    assert await count_told(database) == 0


@pytest.mark.parametrize("becomes", ["as it was", "over", "removed"])
@pytest.mark.parametrize("kind", [Kind.SPACE_STARTING_SOON, Kind.SPACE_LIVE])
async def test_the_last_of_many_hear_of_no_space_that_is_over_or_stopped(
    square: Square, database: Database, clock: FakeClock, tmp_path: Path, kind: Kind, becomes: str
) -> None:
    host, fan = await square.person("host"), await square.person("fan")
    space = await open_space(square, host, scheduled_at_ms=clock() + SOON_MS)
    is_live = kind is Kind.SPACE_LIVE
    if is_live:
        await command(square, host, space, c.Start())
    about = {"post_id": space.announcement_post_id, "about_id": space.id}
    await tell_later(database, News(account_id=fan, kind=kind, from_id=host, **about))
    if becomes == "over":
        await command(square, host, space, c.End() if is_live else c.Cancel())
    elif becomes == "removed":
        permit = square.gate.permit_system(Action.MODERATE, "test")
        await square.gate.act(permit, lambda acting: remove_space(acting, space.id, reason="rule 3"))
    jobs = Worker(database, {TELL_MORE: Telling(square.gate).run_tell_more}, doorbell=Doorbell(tmp_path))
    while await jobs.step():
        pass
    assert await count_told(database) == (1 if becomes == "as it was" else 0)


async def tell_later(database: Database, one: News) -> None:
    """As one of many."""
    payload = {"news": one.about, "to": [str(one.account_id)]}
    await database.write(lambda tx: enqueue(tx, TELL_MORE, payload))


async def bells(database: Database, author_id: int, count: int) -> None:
    """So many who want to hear of everything that somebody posts."""

    async def work(tx: Write) -> None:
        ids = [tx.new_id() for _ in range(count)]
        people = [
            {"id": id_, "username": f"p{id_}", "username_folded": f"p{id_}", "created_at_ms": tx.now_ms}
            for id_ in ids
        ]
        await tx.connection.execute(insert(accounts), people)
        bell = {"followee_id": author_id, "notify": True, "created_at_ms": tx.now_ms}
        await tx.connection.execute(insert(follows), [{"follower_id": id_} | bell for id_ in ids])

    await database.write(work)


async def count_told(database: Database) -> int:
    async with database.read() as read:
        found = await read.connection.execute(select(func.count()).select_from(notifications))
        return int(found.scalar_one())


async def test_who_spoke_is_told_of_the_recording(square: Square, told: Told) -> None:
    host, guest, listener = [await square.person(name) for name in ("host", "guest", "listener")]
    space = await open_space(square, host, recorded=True)
    await command(square, host, space, c.Start())
    await command(square, guest, space, c.Ask(recording_consent=True))
    await command(square, host, space, c.LetUp(account=str(guest)))
    await command(square, host, space, c.End())
    permit = square.gate.permit_system(Action.TAKE_PART, "test")
    await square.gate.act(permit, lambda acting: close_recording(acting, space.id, 60_000))
    assert (await told(guest))[0].kind is Kind.SPACE_RECORDED
    assert (await told(host))[0].kind is Kind.SPACE_RECORDED
    assert await told(listener) == []


async def test_what_is_old_is_forgotten(square: Square, told: Told, clock: FakeClock) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    await square.say(bob, "@alice hear")
    assert len(await told(alice)) == 1
    clock.advance_ms(KEPT_MS + 1)
    await square.gate.act(square.gate.permit_system(Action.SIGN_IN, "test"), actions.forget_old)
    assert await told(alice) == []
