"""An account is deleted, whatever interrupts that, and others keep what is theirs."""

import shutil
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, update
from tests.leaving import killed_program
from tests.support.killing import start
from tests.support.square import Square
from tests.support.waiting import PATIENCE_S

from folkmoot.accounts import deletion
from folkmoot.accounts import queries as account_queries
from folkmoot.accounts.actions import NewAccount, create_account
from folkmoot.accounts.relations import following
from folkmoot.gate import ANONYMOUS, Acting, Action, Gate, Refused, Role, Standing
from folkmoot.gate.actions import impose
from folkmoot.leaving.job import Leaving
from folkmoot.mail.outbox import Outbox
from folkmoot.posts import queries as posts
from folkmoot.posts.marks import actions as marks
from folkmoot.posts.marks.model import Mark
from folkmoot.spaces import actions as spaces
from folkmoot.spaces import commands as c
from folkmoot.spaces import queries as space_queries
from folkmoot.spaces.model import Draft
from folkmoot.storage.database import Database
from folkmoot.storage.jobs import Job
from folkmoot.storage.tables.joining import email_blocks
from folkmoot.storage.tables.people import credentials, deletions
from folkmoot.storage.tables.posts import posts as posts_table

ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Crash(Exception):
    """The process is gone."""


class FrailGate(Gate):
    """Dies in the middle of its n-th transaction."""

    def __init__(self, database: Database, transactions: int) -> None:
        super().__init__(database)
        self.transactions = transactions

    async def act(self, permit: Any, work: Callable[[Acting], Awaitable[Any]]) -> Any:
        async def frail(acting: Acting) -> Any:
            done = await work(acting)
            self.transactions -= 1
            if self.transactions == 0:
                raise Crash
            return done

        return await super().act(permit, frail)


def job(account_id: int) -> Job:
    return Job(1, "default", deletion.DELETE_ACCOUNT, {"account": str(account_id)}, 1)


async def ask(square: Square, account_id: int, grace_ms: int = 0) -> None:
    permit = square.gate.permit_system(Action.LEAVE, "test")
    outbox = Outbox(is_open=False)
    await square.gate.act(permit, lambda acting: deletion.ask(acting, account_id, outbox, grace_ms=grace_ms))


async def two_people(square: Square) -> tuple[int, int]:
    """Who know each other: posts, answers, marks, follows both ways."""
    carol, dave = await square.person("carol"), await square.person("dave")
    for one, other in ((carol, dave), (dave, carol)):
        await square.act(one, Action.FOLLOW, partial(following.follow, account_id=other))
    daves = await square.say(dave, "a post of dave's")
    async with square.database.read() as read:
        shown = await square.gate.admit_one(read, ANONYMOUS, daves, "Post")
    await square.act(carol, Action.MARK, lambda acting: marks.mark(acting, Mark.FAVOURITE, shown))
    await square.say(carol, "an answer", answering=daves)
    for number in range(5):
        await square.say(carol, f"post {number}")
    return carol, dave


async def state_of(square: Square, account_id: int) -> dict[str, Any]:
    """What others have."""
    async with square.database.read() as read:
        (account,) = await account_queries.by_ids(read, [account_id])
        ids = select(posts_table.c.id).where(posts_table.c.account_id == account_id)
        (own,) = await posts.by_ids(read, list((await read.connection.execute(ids)).scalars()))
        counted = await read.connection.execute(select(func.count()).select_from(posts_table))
        return {
            "followers": account.followers_count,
            "following": account.following_count,
            "favourites": own.favourites_count,
            "replies": own.replies_count,
            "posts": counted.scalar_one(),
        }


async def test_others_counts_are_right_afterwards(square: Square) -> None:
    carol, dave = await two_people(square)
    assert await state_of(square, dave) == {
        "followers": 1, "following": 1, "favourites": 1, "replies": 1, "posts": 7,
    }  # fmt: skip
    await ask(square, carol)
    await Leaving(square.gate, batch=2).run(job(carol))
    assert await state_of(square, dave) == {
        "followers": 0, "following": 0, "favourites": 0, "replies": 0, "posts": 1,
    }  # fmt: skip


async def test_posts_that_stay_are_blanked_once(square: Square) -> None:
    carol, dave = await two_people(square)
    for number in range(6):
        answered = await square.say(carol, f"@dave {number}")
        await square.say(dave, "an answer", answering=answered)
    await ask(square, carol)
    rows = 0

    def count(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal rows
        if statement.startswith("UPDATE posts SET") and "mentions" in statement:
            rows += cursor.rowcount

    engine = square.database.engine.sync_engine
    event.listen(engine, "after_cursor_execute", count)
    await Leaving(square.gate, batch=2).run(job(carol))
    async with square.database.read() as read:
        left = (await read.connection.execute(select(posts_table).where(posts_table.c.account_id == carol))).all()
    assert [(row.mentions, row.language, row.application_id) for row in left] == [([], None, None)] * 6
    assert rows == 6


async def test_it_goes_on_wherever_it_was_interrupted(square: Square) -> None:
    """With a crash in each of its transactions, one after the other."""
    carol, dave = await two_people(square)
    await ask(square, carol)
    crashes = 0
    while True:
        try:
            await Leaving(FrailGate(square.database, crashes % 7 + 1), batch=2).run(job(carol))
        except Crash:
            crashes += 1
            if crashes > 15:  # more transactions than that in one go
                await Leaving(square.gate, batch=2).run(job(carol))
                break
            continue
        break
    assert crashes > 6
    assert (await state_of(square, dave))["followers"] == 0
    await Leaving(square.gate).run(job(carol))  # once more does nothing


async def test_a_name_is_given_to_nobody_else(square: Square) -> None:
    carol = await square.person("Carol")
    await ask(square, carol)
    await Leaving(square.gate).run(job(carol))
    permit = square.gate.permit_system(Action.MODERATE, "test")
    with pytest.raises(Refused) as refused:
        await square.gate.act(
            permit, lambda acting: create_account(acting, NewAccount("cAROL", "none"), Role.MEMBER)
        )
    assert refused.value.code == "username_taken"
    async with square.database.read() as read:
        assert await account_queries.by_username(read, "carol") is None


@ON_ONE
async def test_what_was_taken_back_or_is_not_due_is_not_deleted(square: Square) -> None:
    carol = await square.person("carol")
    await ask(square, carol, grace_ms=1_000_000)
    await Leaving(square.gate).run(job(carol))
    await square.act(carol, Action.LEAVE, deletion.take_back)
    await Leaving(square.gate).run(job(carol))
    async with square.database.read() as read:
        assert (await read.connection.execute(select(deletions))).all() == []
        assert await account_queries.by_username(read, "carol") is not None
    assert (await square.viewer(carol)).standing is Standing.ACTIVE


@ON_ONE
async def test_once_begun_nobody_comes_back(square: Square) -> None:
    carol, _ = await two_people(square)
    await ask(square, carol)
    with pytest.raises(Crash):
        await Leaving(FrailGate(square.database, 3), batch=2).run(job(carol))
    with pytest.raises(Refused) as refused:
        await square.act(carol, Action.LEAVE, deletion.take_back)
    assert refused.value.code == "deletion_begun"


@ON_ONE
async def test_the_last_owner_stays(square: Square) -> None:
    permit = square.gate.permit_system(Action.MODERATE, "test")
    new = NewAccount("olga", "none")
    olga = await square.gate.act(permit, lambda acting: create_account(acting, new, Role.OWNER))
    with pytest.raises(Refused) as refused:
        await ask(square, olga)
    assert refused.value.code == "last_owner"


async def test_who_leaves_while_suspended_does_not_come_back_by_the_same_mailbox(square: Square) -> None:
    permit = square.gate.permit_system(Action.MODERATE, "test")
    new = NewAccount("carol", "none", email="carol@mail.example")
    carol = await square.gate.act(permit, lambda acting: create_account(acting, new, Role.MEMBER))

    async def suspend(acting: Acting) -> None:
        mine = update(credentials).where(credentials.c.account_id == carol)
        await acting.tx.connection.execute(mine.values(email_mark=b"mark"))
        await impose(acting, carol, Standing.SUSPENDED, reason="No.")

    await square.gate.act(permit, suspend)
    await ask(square, carol)
    await Leaving(square.gate).run(job(carol))
    async with square.database.read() as read:
        assert (await read.connection.execute(select(email_blocks.c.mark))).scalar_one() == b"mark"


@ON_ONE
async def test_a_locked_account_waits(square: Square) -> None:
    carol = await square.person("carol")
    await ask(square, carol)
    permit = square.gate.permit_system(Action.MODERATE, "test")
    await square.gate.act(permit, lambda acting: impose(acting, carol, Standing.LOCKED, reason="stolen"))
    with pytest.raises(Refused):
        await Leaving(square.gate).run(job(carol))


async def test_a_space_in_which_others_spoke_is_theirs(square: Square) -> None:
    carol, dave = await square.person("carol"), await square.person("dave")
    made = await square.act(
        carol, Action.OPEN_SPACE, lambda acting: spaces.create(acting, Draft(title="Town hall"), page_url="")
    )
    for who, order in (
        (carol, c.Start()),
        (carol, c.Invite(account=str(dave))),
        (dave, c.Accept(recording_consent=True)),
        (carol, c.End()),
    ):
        await square.act(who, Action.TAKE_PART, partial(spaces.command, space_id=made.id, order=order))
    await ask(square, carol)
    await Leaving(square.gate).run(job(carol))
    async with square.database.read() as read:
        space = await space_queries.by_id(read, made.id)
        assert space is not None
        assert (space.title, space.host_id, space.creator_id, carol in space.members) == (
            "Town hall",
            dave,
            dave,
            False,
        )
        await square.gate.admit_one(read, ANONYMOUS, space, "Space")


@pytest.mark.slow
def test_it_survives_a_kill(sqlite_template: Path, tmp_path: Path) -> None:
    """A process that is killed in the middle, again and again; the last one finishes."""
    shutil.copyfile(sqlite_template, tmp_path / "folkmoot.db")
    url = f"sqlite+aiosqlite:///{tmp_path}/folkmoot.db"

    def exit_code(transactions: int) -> int | None:
        worker = start(killed_program.run, url, "work", transactions, said=tmp_path / "said")
        worker.join(timeout=PATIENCE_S)
        return worker.exitcode

    killed_program.run(url, "prepare")
    assert [exit_code(transactions) for transactions in (2, 5, 0)] == [-signal.SIGKILL, -signal.SIGKILL, 0]
    killed_program.run(url, "look")
