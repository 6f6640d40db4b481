"""What trends are made of: the newest of what is public. Statements whose cost is bounded whatever there is."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, Select, literal_column, select, text

from folkmoot.posts.model import Visibility
from folkmoot.storage.database import Read
from folkmoot.storage.ids import id_at
from folkmoot.storage.tables.posts import post_counts, posts
from folkmoot.storage.tables.reading import post_tags
from folkmoot.timelines.trends.model import Candidates, Use
from folkmoot.timelines.trends.rules import links_in, strongest, strongest_posts

LOOKED_AT_MAX = 2_000
REACHES_BACK_MS = 7 * 86_400_000


async def candidates(read: Read) -> Candidates:
    """Out of the newest 2,000 uses of tags and the newest 2,000 public posts, of seven days at most."""
    return Candidates(
        tags=strongest(await _tags(read), read.now_ms),
        links=strongest(await _links(read), read.now_ms),
        post_ids=strongest_posts(await _marked(read), read.now_ms),
    )


async def still_there(read: Read, uses: Collection[Use]) -> list[Use]:
    """Those whose posts have not been deleted. One statement."""
    asked = select(posts.c.id).where(posts.c.id.in_({use.post_id for use in uses}), posts.c.deleted_at_ms.is_(None))
    there = set((await read.connection.execute(asked)).scalars()) if uses else set()
    return [use for use in uses if use.post_id in there]


async def _tags(read: Read) -> list[Use]:
    statement = (
        select(post_tags.c.name, post_tags.c.account_id, post_tags.c.post_id)
        .where(post_tags.c.listed, post_tags.c.post_id >= _since(read))
        .order_by(post_tags.c.post_id.desc())
        .limit(LOOKED_AT_MAX)
    )
    return [Use(*row) for row in await read.connection.execute(statement)]


async def _links(read: Read) -> list[Use]:
    newest = _newest(read).subquery("newest")
    statement = (
        select(posts.c.id, posts.c.account_id, posts.c.html)
        .join(newest, newest.c.id == posts.c.id)
        .where(posts.c.html.contains('target="_blank"', autoescape=True))
        .order_by(posts.c.id.desc())
    )
    rows = await read.connection.execute(statement)
    return [Use(url, row.account_id, row.id) for row in rows for url in links_in(row.html)]


async def _marked(read: Read) -> list[tuple[int, int]]:
    newest = _newest(read).subquery("newest")
    marks = post_counts.c.reblogs + post_counts.c.favourites
    statement = select(newest.c.id, marks).join(post_counts, post_counts.c.post_id == newest.c.id).where(marks > 0)
    return [(row[0], row[1]) for row in await read.connection.execute(statement)]


def _newest(read: Read) -> Select[Any]:
    """Ids of the newest public posts: the index `ix_posts_public`, as for the public timeline."""
    id_ = literal_column("id", BigInteger)
    named = "posts INDEXED BY ix_posts_public" if read.is_sqlite else "posts"
    listed = (
        f"visibility = '{Visibility.PUBLIC.value}' AND in_reply_to_id IS NULL AND reblog_of_id IS NULL"
        " AND deleted_at_ms IS NULL"
    )
    return (
        select(id_.label("id"))
        .select_from(text(named))
        .where(text(listed), id_ >= _since(read))
        .order_by(id_.desc())
        .limit(LOOKED_AT_MAX)
    )


def _since(read: Read) -> int:
    return id_at(read.now_ms - REACHES_BACK_MS)
