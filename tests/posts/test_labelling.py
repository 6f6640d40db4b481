"""Posts of before are labelled with whom they name, on both databases."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import delete, func, insert, select, text, update
from tests.support.clock import FakeClock
from tests.support.square import Square

from folkmoot.posts.labelling import LABEL_NAMED, PAUSE_MS, named_labeller
from folkmoot.posts.model import Post
from folkmoot.storage import words
from folkmoot.storage.database import Database, Write
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.jobs import Worker, enqueue
from folkmoot.storage.tables.bus import jobs
from folkmoot.storage.tables.search import post_words

LEASE_MS = 30_000


async def write_seven(square: Square) -> list[Post]:
    """The fifth names nobody."""
    alice = await square.person("alice")
    for name in ("bob", "carol"):
        await square.person(name)
    said = ["@bob one", "two @carol @bob", "@bob three", "four @carol", "five", "@bob @carol six", "@carol seven"]
    return [await square.say(alice, source) for source in said]


async def without_labels(tx: Write, posts: Sequence[Post]) -> None:
    """As the version before kept them."""
    its = post_words.c.post_id.in_([post.id for post in posts])
    if not tx.is_sqlite:
        named = text("ARRAY(SELECT lexeme FROM unnest(words) WHERE lexeme LIKE '=to:%')")
        shorter = update(post_words).where(its).values(words=func.ts_delete(post_words.c.words, named))
        await tx.connection.execute(shorter)
        return
    rows = (await tx.connection.execute(select(post_words).where(its))).all()
    await tx.connection.execute(delete(post_words).where(its))
    shorter_rows = [{"post_id": row.post_id, "words": row.words.partition(" =to:")[0]} for row in rows]
    await tx.connection.execute(insert(post_words), shorter_rows)


async def kept(database: Database) -> dict[int, str]:
    async with database.read() as read:
        rows = await read.connection.execute(select(post_words.c.post_id, post_words.c.words))
        return {row.post_id: row.words for row in rows}


async def found(database: Database, label: str) -> list[int]:
    """By the index itself, the oldest first."""
    wanted = words.Match((words.label(label),))
    async with database.read() as read:
        if read.is_sqlite:
            asking = "SELECT rowid FROM post_words_index WHERE post_words_index MATCH :wanted ORDER BY rowid"
            asked = words.fts5_query(wanted)
        else:
            asking = "SELECT post_id FROM post_words WHERE words @@ CAST(:wanted AS tsquery) ORDER BY post_id"
            asked = words.tsquery(wanted)
        return list((await read.connection.execute(text(asking), {"wanted": asked})).scalars())


async def waiting(database: Database) -> int:
    async with database.read() as read:
        count = select(func.count()).where(jobs.c.kind == LABEL_NAMED)
        return (await read.connection.execute(count)).scalar_one()


async def begin(database: Database, old: Sequence[Post]) -> None:
    async def work(tx: Write) -> None:
        await without_labels(tx, old)
        await enqueue(tx, LABEL_NAMED, {}, queue=LABEL_NAMED)

    await database.write(work)


async def test_posts_of_before_get_their_labels_and_nothing_else_changes(
    square: Square, clock: FakeClock, tmp_path: Path
) -> None:
    """Three jobs and one that finds nothing. One process dies before its job has begun, one when all of it is
    written and nobody told; the fourth post was labelled before."""
    database = square.database
    written = await write_seven(square)
    as_new = await kept(database)
    bob = written[0].mentions[0]
    naming_bob = [written[at].id for at in (0, 1, 2, 5)]
    assert await found(database, f"to:{bob}") == naming_bob
    await begin(database, [*written[:3], *written[4:]])
    assert await found(database, f"to:{bob}") == []
    assert await kept(database) != as_new

    label = named_labeller(database, posts_at_once=3)
    worker = Worker(database, {LABEL_NAMED: label}, doorbell=Doorbell(tmp_path), lease_ms=LEASE_MS)
    assert await worker.step() == 1
    assert await found(database, f"to:{bob}") == naming_bob[3:]  # the newest first

    assert await worker.step() == 0  # others write
    clock.advance_ms(PAUSE_MS)
    assert len(await worker.lease()) == 1
    clock.advance_ms(LEASE_MS + 1)
    (leased,) = await worker.lease()
    await label(leased)
    half_done = await kept(database)
    assert await found(database, f"to:{bob}") == naming_bob[1:]
    await label(leased)
    assert await kept(database) == half_done
    assert await waiting(database) == 1

    for _ in range(2):
        clock.advance_ms(PAUSE_MS)
        assert await worker.step() == 1
    assert await waiting(database) == 0
    assert await kept(database) == as_new
    assert await found(database, f"to:{bob}") == naming_bob
