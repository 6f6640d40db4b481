"""Words that were deleted leave SQLite's full-text index.

FTS5 (3.40) only notes that an entry is gone: its words stay in the index's file until the parts with the entry and
with the note are merged (https://www.sqlite.org/fts5.html#the_merge_command). PostgreSQL does it in VACUUM.
"""

from collections.abc import Awaitable, Callable

from sqlalchemy import select, text

from folkmoot.storage.database import Database, Write
from folkmoot.storage.jobs import Job, enqueue
from folkmoot.storage.tables.bus import jobs

FORGET_WORDS = "search.forget_words"
WITHIN_MS = 86_400_000
"""All that was deleted in a day goes with one pass over the index."""
_PAGES = 200  # a transaction's share: others write too
_MERGE = text("INSERT INTO post_words_index (post_words_index, rank) VALUES ('merge', :pages)")
_CHANGES = text("SELECT total_changes()")
_DONE_BELOW = 2  # FTS5 says so by how much has changed


async def forget_words(tx: Write, *, within_ms: int = WITHIN_MS) -> None:
    """What was deleted from the index is out of its file by then, if this transaction commits."""
    if not tx.is_sqlite:
        return
    due_ms = tx.now_ms + within_ms
    waiting = select(jobs.c.id).where(
        jobs.c.queue == FORGET_WORDS,
        jobs.c.failed_at_ms.is_(None),
        jobs.c.leased_until_ms.is_(None),
        jobs.c.run_at_ms <= due_ms,
    )
    if (await tx.connection.execute(waiting.limit(1))).first() is None:
        await enqueue(tx, FORGET_WORDS, {}, queue=FORGET_WORDS, run_at_ms=due_ms)


def word_forgetter(database: Database, pages: int = _PAGES) -> Callable[[Job], Awaitable[None]]:
    """The handler of `FORGET_WORDS` jobs: one part is made of all, a little in each transaction."""

    async def merge(tx: Write, wanted: int) -> bool:
        before = (await tx.connection.execute(_CHANGES)).scalar_one()
        await tx.connection.execute(_MERGE, {"pages": wanted})
        return bool((await tx.connection.execute(_CHANGES)).scalar_one() - before >= _DONE_BELOW)

    async def forget(_job: Job) -> None:
        if not database.is_sqlite:
            return  # it was moved here from SQLite
        goes_on = await database.write(lambda tx: merge(tx, -pages))  # all parts, however large, are to be merged
        while goes_on:
            goes_on = await database.write(lambda tx: merge(tx, pages))

    return forget
