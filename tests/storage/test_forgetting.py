"""Words that were deleted are nowhere in the database's file."""

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from tests.support.square import Square

from folkmoot.gate import Action
from folkmoot.posts.actions import create_post, delete_post
from folkmoot.posts.model import Draft
from folkmoot.storage.database import Database
from folkmoot.storage.forgetting import FORGET_WORDS, forget_words, word_forgetter
from folkmoot.storage.jobs import Job
from folkmoot.storage.tables.bus import jobs

SECRET = "canarydandelion"
JOB = Job(id=1, queue=FORGET_WORDS, kind=FORGET_WORDS, payload={}, attempt=1)


async def waiting(database: Database) -> int:
    async with database.read() as read:
        found: int = (
            await read.connection.execute(
                select(func.count()).select_from(jobs).where(jobs.c.queue == FORGET_WORDS)
            )
        ).scalar_one()
    return found


async def said_and_deleted(database: Database, posts: int) -> None:
    square = Square(database)
    alice = await square.person("alice")
    for number in range(posts):
        words = SECRET if number % 3 == 0 else f"kept{number}"
        post = await square.act(alice, Action.POST, partial(create_post, draft=Draft(source=words)))
        if number % 3 == 0:
            await square.act(alice, Action.POST, partial(delete_post, post_id=post.id))


async def file_has(database: Database, path: Path, what: str) -> bool:
    async with database.read() as read:
        await read.connection.execute(text("SELECT 1"))
    async with database.engine.connect() as connection:
        await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return what.encode() in path.read_bytes()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_deleted_words_leave_the_file(database: Database, database_url: str) -> None:
    path = Path(database_url.removeprefix("sqlite+aiosqlite:///"))
    await said_and_deleted(database, 30)
    assert await file_has(database, path, SECRET[2:]), "FTS5 forgets by itself now: this can go"
    assert await waiting(database) == 1
    await word_forgetter(database, pages=1)(JOB)
    assert not await file_has(database, path, SECRET[2:])
    assert await file_has(database, path, "kept28")


async def test_one_pass_for_all_that_is_deleted_in_a_day(database: Database) -> None:
    for _ in range(3):
        await database.write(forget_words)
    expected = 1 if database.is_sqlite else 0
    assert await waiting(database) == expected
    await database.write(lambda tx: forget_words(tx, within_ms=0))
    assert await waiting(database) == expected * 2  # an account's are not kept for a day
    await word_forgetter(database)(JOB)
