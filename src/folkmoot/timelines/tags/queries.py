"""Reads of tags. Each is one statement."""

from collections.abc import Collection

from sqlalchemy import BigInteger, Table, column, func, literal, select, values

from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.storage.database import Read
from folkmoot.storage.ids import id_at
from folkmoot.storage.tables.reading import featured_tags, followed_tags, post_tags
from folkmoot.timelines.tags.model import DayOfUse, FeaturedTag

HISTORY_DAYS = 7
USES_LOOKED_AT_MAX = 1_000
"""Of a tag's newest uses: a busier one's oldest days are counted too low, and what a look costs is bounded."""
DAY_MS = 86_400_000


async def history(read: Read, names: Collection[str]) -> dict[str, list[DayOfUse]]:
    """How each of the tags was used in the last seven days, the newest first, without days on which it wasn't."""
    if not names:
        return {}
    since = id_at((read.now_ms // DAY_MS - HISTORY_DAYS + 1) * DAY_MS)
    asked = values(column("name", post_tags.c.name.type), name="asked").data([(name,) for name in set(names)]).cte()
    further = post_tags.alias("further")
    last = (
        select(further.c.post_id)
        .where(further.c.name == asked.c.name, further.c.post_id >= since)
        .order_by(further.c.post_id.desc())
        .limit(1)
        .offset(USES_LOOKED_AT_MAX - 1)
    )
    bounds = select(asked.c.name, func.coalesce(last.scalar_subquery(), since).label("bound")).cte("bounds")
    day = (post_tags.c.post_id // literal(id_at(DAY_MS), BigInteger)).label("day")
    uses = (
        select(post_tags.c.name, day, post_tags.c.account_id)
        .join(bounds, (post_tags.c.name == bounds.c.name) & (post_tags.c.post_id >= bounds.c.bound))
        .subquery("uses")
    )
    people = func.count(uses.c.account_id.distinct())
    statement = select(uses.c.name, uses.c.day, func.count(), people).group_by(uses.c.name, uses.c.day)
    found: dict[str, list[DayOfUse]] = {}
    for name, on_day, count, accounts in await read.connection.execute(statement):
        found.setdefault(name, []).append(DayOfUse(int(on_day), count, accounts))
    return {name: sorted(days, key=lambda one: -one.day) for name, days in found.items()}


async def followed_by(read: Read, account_id: int, page: Page) -> list[tuple[int, str]]:
    """(id of the following, name) of the tags that somebody follows, the last first."""
    return await _of_somebody(read, followed_tags, account_id, page)


async def followed_among(read: Read, account_id: int, names: Collection[str]) -> set[str]:
    """Those of the tags that somebody follows."""
    return await _among(read, followed_tags, account_id, names)


async def featured_among(read: Read, account_id: int, names: Collection[str]) -> set[str]:
    """Those of the tags that somebody shows on their profile."""
    return await _among(read, featured_tags, account_id, names)


async def featured_by(read: Read, account_id: int) -> list[FeaturedTag]:
    """The tags on somebody's profile, the most used first."""
    of_tag = (post_tags.c.account_id == featured_tags.c.account_id) & (post_tags.c.name == featured_tags.c.name)
    uses = select(func.count()).where(of_tag).scalar_subquery()
    last = select(func.max(post_tags.c.post_id)).where(of_tag).scalar_subquery()
    statement = (
        select(featured_tags, uses.label("uses"), last.label("last_post_id"))
        .where(featured_tags.c.account_id == account_id)
        .order_by(uses.desc(), featured_tags.c.id)
    )
    return [
        FeaturedTag(row.id, row.account_id, row.name, row.uses, row.last_post_id)
        for row in await read.connection.execute(statement)
    ]


async def often_used_by(read: Read, account_id: int, limit: int) -> list[str]:
    """Tags of somebody's newest posts that they don't show on their profile, the most used first."""
    newest = (
        select(post_tags.c.name, post_tags.c.post_id)
        .where(post_tags.c.account_id == account_id)
        .order_by(post_tags.c.post_id.desc())
        .limit(USES_LOOKED_AT_MAX)
        .subquery()
    )
    shown = select(featured_tags.c.name).where(featured_tags.c.account_id == account_id)
    statement = (
        select(newest.c.name)
        .where(newest.c.name.not_in(shown))
        .group_by(newest.c.name)
        .order_by(func.count().desc(), func.max(newest.c.post_id).desc())
        .limit(limit)
    )
    return list((await read.connection.execute(statement)).scalars())


async def _among(read: Read, table: Table, account_id: int, names: Collection[str]) -> set[str]:
    if not names:
        return set()
    statement = select(table.c.name).where(table.c.account_id == account_id, table.c.name.in_(names))
    return set((await read.connection.execute(statement)).scalars())


async def _of_somebody(read: Read, table: Table, account_id: int, page: Page) -> list[tuple[int, str]]:
    statement = select(table.c.id, table.c.name).where(table.c.account_id == account_id)
    return [(row.id, row.name) for row in await rows_of_page(read, statement, table.c.id, page)]
