"""Reads of numbers. Ids are ordered by time, so that a number of days is a range of a table's key.

Each measure is a statement or a few over the days that were asked for and as many before them; each dimension is
one statement.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    func,
    literal,
    select,
    text,
    true,
)

from folkmoot.moderation.figures.model import DAY_MS, Cohort, Days, Dimension, Figure, Measure, Share
from folkmoot.storage.database import Read
from folkmoot.storage.ids import id_at
from folkmoot.storage.tables.credentials import applications, tokens
from folkmoot.storage.tables.moderation import reports
from folkmoot.storage.tables.people import accounts, follows
from folkmoot.storage.tables.posts import favourites, media, posts
from folkmoot.storage.tables.reading import post_tags

_DAY_IN_IDS = id_at(DAY_MS)
_KEPT = posts.c.deleted_at_ms.is_(None)
_OF_POSTS = posts.join(accounts, accounts.c.id == posts.c.account_id)
_OF_TAGS = post_tags.join(accounts, accounts.c.id == post_tags.c.account_id)


class _Counted(msgspec.Struct, frozen=True):
    """What is counted: rows, by the day of an id, or of a time (Unix ms)."""

    source: FromClause
    moment: ColumnElement[int]
    where: ColumnElement[bool] = true()
    value: ColumnElement[int] = func.count()
    is_id: bool = True
    distinct: bool = False
    """The same may be counted on several days, and once in all."""


async def measure(read: Read, which: Measure, days: Days, about: str = "") -> Figure:
    """What is counted, on each of the days. `about`: the tag, or the host of another network."""
    if which is Measure.ACTIVE_USERS:
        return await _active(read, days)
    found: Counter[int] = Counter()
    totals: Counter[Days] = Counter()
    for part in _counted(which, about):
        by_day = await _by_day(read, part, Days(days.before.first, days.end))
        found.update(by_day)
        for one in (days, days.before):
            totals[one] += (
                await _at_all(read, part, one)
                if part.distinct
                else sum(count for day, count in by_day.items() if one.first <= day < one.end)
            )
    return _figure(days, totals, found)


def _figure(days: Days, totals: Mapping[Days, int], by_day: Mapping[int, int]) -> Figure:
    each = tuple(by_day.get(day, 0) for day in range(days.first, days.end))
    return Figure(totals[days], totals[days.before], each)


async def _active(read: Read, days: Days) -> Figure:
    """Who wrote something or signed in: each once a day, and once in all."""
    seen = _activity(Days(days.before.first, days.end))
    day = (seen.c.at_ms // literal(DAY_MS, BigInteger)).label("day")
    people = func.count(seen.c.account_id.distinct())
    rows = await read.connection.execute(select(day, people).group_by(day))
    by_day = {int(on_day): count for on_day, count in rows}
    totals = {}
    for one in (days, days.before):
        seen = _activity(one)
        counted = select(func.count(seen.c.account_id.distinct()))
        totals[one] = (await read.connection.execute(counted)).scalar_one()
    return _figure(days, totals, by_day)


def _activity(days: Days) -> FromClause:
    """Which members wrote something or signed in, and when (Unix ms), as the instance's own figures have it."""
    at_ms = (posts.c.id // literal(id_at(1), BigInteger)).label("at_ms")
    by_members = select(posts.c.account_id, at_ms).select_from(_OF_POSTS).where(accounts.c.host.is_(None))
    wrote = by_members.where(*_between(posts.c.id, days))
    came = select(tokens.c.account_id, tokens.c.created_at_ms).where(
        tokens.c.account_id.is_not(None), *_between(tokens.c.created_at_ms, days, is_id=False)
    )
    return wrote.union_all(came).subquery("activity")


def _counted(which: Measure, about: str) -> list[_Counted]:
    from_there = accounts.c.host == about
    tagged = post_tags.c.name == about
    people = func.count(post_tags.c.account_id.distinct())
    servers = func.count(accounts.c.host.distinct())
    stored = func.coalesce(func.sum(media.c.size_bytes), 0)
    by = {
        Measure.NEW_USERS: [_Counted(accounts, accounts.c.id, accounts.c.host.is_(None))],
        Measure.INTERACTIONS: [
            _Counted(favourites, favourites.c.id),
            _Counted(
                posts,
                posts.c.id,
                and_(_KEPT, posts.c.reblog_of_id.is_not(None) | posts.c.in_reply_to_id.is_not(None)),
            ),
        ],
        Measure.OPENED_REPORTS: [_Counted(reports, reports.c.id)],
        Measure.RESOLVED_REPORTS: [_Counted(reports, reports.c.resolved_at_ms, is_id=False)],
        Measure.TAG_ACCOUNTS: [_Counted(post_tags, post_tags.c.post_id, tagged, people, distinct=True)],
        Measure.TAG_USES: [_Counted(post_tags, post_tags.c.post_id, tagged)],
        Measure.TAG_SERVERS: [_Counted(_OF_TAGS, post_tags.c.post_id, tagged, servers, distinct=True)],
        Measure.INSTANCE_ACCOUNTS: [_Counted(accounts, accounts.c.id, from_there)],
        Measure.INSTANCE_MEDIA_ATTACHMENTS: [
            _Counted(media.join(accounts, accounts.c.id == media.c.account_id), media.c.id, from_there, stored)
        ],
        Measure.INSTANCE_REPORTS: [
            _Counted(reports.join(accounts, accounts.c.id == reports.c.target_id), reports.c.id, from_there)
        ],
        Measure.INSTANCE_STATUSES: [_Counted(_OF_POSTS, posts.c.id, and_(from_there, _KEPT))],
        Measure.INSTANCE_FOLLOWS: [_follows(follows.c.followee_id, from_there)],
        Measure.INSTANCE_FOLLOWERS: [_follows(follows.c.follower_id, from_there)],
    }
    return by[which]


def _follows(who: ColumnElement[int], where: ColumnElement[bool]) -> _Counted:
    return _Counted(follows.join(accounts, accounts.c.id == who), follows.c.created_at_ms, where, is_id=False)


async def _by_day(read: Read, part: _Counted, days: Days) -> dict[int, int]:
    day = (part.moment // literal(_DAY_IN_IDS if part.is_id else DAY_MS, BigInteger)).label("day")
    statement = select(day, part.value).select_from(part.source).where(*_within(part, days)).group_by(day)
    return {int(on_day): int(count) for on_day, count in await read.connection.execute(statement)}


async def _at_all(read: Read, part: _Counted, days: Days) -> int:
    statement = select(part.value).select_from(part.source).where(*_within(part, days))
    return int((await read.connection.execute(statement)).scalar_one())


def _within(part: _Counted, days: Days) -> tuple[ColumnElement[bool], ...]:
    return part.where, *_between(part.moment, days, is_id=part.is_id)


def _between(moment: ColumnElement[int], days: Days, *, is_id: bool = True) -> tuple[ColumnElement[bool], ...]:
    first, end = (id_at(day * DAY_MS) if is_id else day * DAY_MS for day in (days.first, days.end))
    return moment >= first, moment < end


async def dimension(read: Read, which: Dimension, days: Days, limit: int, about: str = "") -> list[Share]:
    """What posts of these days have most often, the most frequent first; the accounts of a host, by how many follow
    them. For what is counted in tables."""
    posted = (*_between(posts.c.id, days), _KEPT)
    from_here, from_there = accounts.c.host.is_(None), accounts.c.host == about
    tagged = (post_tags.c.name == about, *_between(post_tags.c.post_id, days))
    by: dict[Dimension, Select[Any]] = {
        Dimension.LANGUAGES: select(posts.c.language).select_from(_OF_POSTS).where(*posted, from_here),
        Dimension.SOURCES: select(func.coalesce(applications.c.name, "web"))
        .select_from(posts.outerjoin(applications, applications.c.id == posts.c.application_id))
        .where(*posted, posts.c.reblog_of_id.is_(None)),
        Dimension.SERVERS: select(accounts.c.host).select_from(_OF_POSTS).where(*posted),
        Dimension.TAG_SERVERS: select(accounts.c.host).select_from(_OF_TAGS).where(*tagged),
        Dimension.TAG_LANGUAGES: select(posts.c.language)
        .select_from(post_tags.join(posts, posts.c.id == post_tags.c.post_id))
        .where(*tagged),
        Dimension.INSTANCE_ACCOUNTS: select(accounts.c.username)
        .select_from(follows.join(accounts, accounts.c.id == follows.c.followee_id))
        .where(from_there),
        Dimension.INSTANCE_LANGUAGES: select(posts.c.language).select_from(_OF_POSTS).where(*posted, from_there),
    }
    (key,) = by[which].selected_columns
    counted = by[which].add_columns(func.count()).where(key.is_not(None)).group_by(key)
    rows = await read.connection.execute(counted.order_by(func.count().desc(), key).limit(limit))
    return [Share(found, count) for found, count in rows]


async def cohorts(read: Read, among: Sequence[Days]) -> list[Cohort]:
    """Of those who came in each bucket, how many were active in it and in each after it. Two statements."""
    whole = Days(among[0].first, among[-1].end)
    seen = _activity(whole)
    came = _bucket(accounts.c.id, among, is_id=True)
    was_there = _bucket(seen.c.at_ms, among, is_id=False)
    here = (accounts.c.host.is_(None), *_between(accounts.c.id, whole))
    counted = await read.connection.execute(select(came, func.count()).where(*here).group_by(came))
    sizes = {int(first): count for first, count in counted}
    rows = await read.connection.execute(
        select(came, was_there, func.count(accounts.c.id.distinct()))
        .select_from(accounts.join(seen, seen.c.account_id == accounts.c.id))
        .where(*here)
        .group_by(came, was_there)
    )
    active = {(first, then): count for first, then, count in rows}
    return [
        Cohort(
            sizes.get(first, 0),
            # Signing up is being there.
            (sizes.get(first, 0), *(active.get((first, then), 0) for then in range(first + 1, len(among)))),
        )
        for first in range(len(among))
    ]


def _bucket(moment: ColumnElement[int], among: Sequence[Days], *, is_id: bool) -> ColumnElement[int]:
    """The number of the bucket that a moment is in."""
    ends = [id_at(one.end * DAY_MS) if is_id else one.end * DAY_MS for one in among]
    return case(*((moment < literal(end, BigInteger), number) for number, end in enumerate(ends))).label(
        f"bucket_{'of_id' if is_id else 'of_time'}"
    )


async def database(read: Read) -> tuple[str, int]:
    """The database's version, and how many bytes it takes."""
    if read.is_sqlite:
        version, asked = (
            text("SELECT sqlite_version()"),
            ("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"),
        )
    else:
        version, asked = text("SHOW server_version"), "SELECT pg_database_size(current_database())"
    number = (await read.connection.execute(version)).scalar_one()
    return str(number), int((await read.connection.execute(text(asked))).scalar_one())


async def stored_bytes(read: Read) -> int:
    """How much room files take that people uploaded."""
    return int((await read.connection.execute(select(func.coalesce(func.sum(media.c.size_bytes), 0)))).scalar_one())
