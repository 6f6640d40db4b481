"""Posts that were written before the index had labels of whom they name: they get them after the upgrade.

A job for every thousand posts, the newest first, each of which leaves one for those before. Migration 0021 enqueues
the first, to be run when the version before writes no more.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlalchemy import ColumnElement, Text, bindparam, cast, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from folkmoot.posts.indexed import labels_of_named
from folkmoot.storage import words
from folkmoot.storage.database import Database, Write
from folkmoot.storage.jobs import Job, enqueue, finish
from folkmoot.storage.tables.posts import posts
from folkmoot.storage.tables.search import post_words
from folkmoot.storage.upserts import batches

LABEL_NAMED = "search.label_named"
PAUSE_MS = 200
"""Between two jobs: others write, too, and on SQLite another process only looks now and then whether it may."""
_POSTS_AT_ONCE = 1_000
_ID_MAX = 2**63 - 1
_ANY_LABEL = words.Phrase(words.label("to:").tokens, is_prefix=True)


def named_labeller(database: Database, posts_at_once: int = _POSTS_AT_ONCE) -> Callable[[Job], Awaitable[None]]:
    """The handler of `LABEL_NAMED` jobs: {before}, an id: older posts are to be looked at. Without: all."""

    async def label(tx: Write, job: Job) -> None:
        if not await finish(tx, job):
            return
        before = int(job.payload.get("before", _ID_MAX))
        first = await _first_of(tx, before, posts_at_once)
        if first is None:
            return
        await _label(tx, (post_words.c.post_id >= first) & (post_words.c.post_id < before))
        later_ms = tx.now_ms + PAUSE_MS
        await enqueue(tx, LABEL_NAMED, {"before": str(first)}, queue=LABEL_NAMED, run_at_ms=later_ms)

    async def run(job: Job) -> None:
        await database.write(lambda tx: label(tx, job), locks_rows=True)

    return run


async def _first_of(tx: Write, before: int, limit: int) -> int | None:
    """Of the newest posts before an id, the oldest one's; None where there is none."""
    id_ = post_words.c.post_id
    newest = select(id_).where(id_ < before).order_by(id_.desc()).limit(limit).subquery()
    first: int | None = (await tx.connection.execute(select(func.min(newest.c.post_id)))).scalar_one()
    return first


async def _label(tx: Write, wanted: ColumnElement[bool]) -> None:
    """Enter whom they name, where that is somebody and wasn't done. Nobody edits them meanwhile."""
    if tx.is_sqlite:
        has_labels = func.instr(post_words.c.words, *_ANY_LABEL.tokens) > 0
    else:
        has_labels = post_words.c.words.bool_op("@@")(cast(words.tsquery(words.Match((_ANY_LABEL,))), TSQUERY))
    without = (
        select(post_words.c.post_id, post_words.c.words, posts.c.mentions)
        .join_from(post_words, posts, posts.c.id == post_words.c.post_id)
        .where(wanted, cast(posts.c.mentions, Text) != "[]", ~has_labels)
        .with_for_update(of=post_words)
    )
    found = (await tx.connection.execute(without)).all()
    if found and tx.is_sqlite:
        await _enter_anew(tx, {row.post_id: f"{row.words} {_row(tx, row.mentions)}" for row in found})
    elif found:
        more = post_words.c.words.op("||")(cast(bindparam("labels"), TSVECTOR))
        each = update(post_words).where(post_words.c.post_id == bindparam("id")).values(words=more)
        await tx.connection.execute(each, [{"id": row.post_id, "labels": _row(tx, row.mentions)} for row in found])


async def _enter_anew(tx: Write, rows: Mapping[int, str]) -> None:
    """SQLite's index follows what comes and goes, not what changes."""
    for ids in batches(list(rows)):
        await tx.connection.execute(delete(post_words).where(post_words.c.post_id.in_(ids)))
    await tx.connection.execute(insert(post_words), [{"post_id": id_, "words": row} for id_, row in rows.items()])


def _row(tx: Write, mentions: Sequence[int]) -> str:
    return (words.fts5_row if tx.is_sqlite else words.tsvector_row)((), labels_of_named(mentions))
