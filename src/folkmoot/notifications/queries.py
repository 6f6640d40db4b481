"""Reads of notifications: rows for the gate. Each is one statement, whatever the size of a page."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, func, select

from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.gate import Standing
from folkmoot.gate.queries import standings_of
from folkmoot.notifications.model import Asked, Kind, News, Notification, Policy, Request, Sender
from folkmoot.notifications.rules import NEW_FOR_MS
from folkmoot.posts.model import Visibility
from folkmoot.storage.among import among
from folkmoot.storage.database import Read
from folkmoot.storage.ids import id_at
from folkmoot.storage.tables.notifications import notification_permissions, notification_policies, notifications
from folkmoot.storage.tables.people import follows
from folkmoot.storage.tables.posts import posts
from folkmoot.storage.tables.reading import markers

_T = notifications.c
_FILTERED = _T.filtered


async def of_account(read: Read, account_id: int, asked: Asked, page: Page) -> list[Notification]:
    """A page of what somebody was told, the newest first."""
    statement = select(notifications).where(*_asked(account_id, asked))
    return [_notification(row) for row in await rows_of_page(read, statement, _T.id, page)]


async def by_ids(read: Read, account_id: int, ids: Collection[int]) -> list[Notification]:
    """Those of them that are the account's, the newest first."""
    if not ids:
        return []
    statement = select(notifications).where(_T.account_id == account_id, _T.id.in_(ids)).order_by(_T.id.desc())
    return [_notification(row) for row in await read.connection.execute(statement)]


async def of_anybody(read: Read, ids: Collection[int]) -> list[Notification]:
    """Those with these ids, whoever was told."""
    statement = select(notifications).where(among(read, _T.id, ids))
    return [_notification(row) for row in await read.connection.execute(statement)]


async def of_group(read: Read, account_id: int, group_key: str, page: Page) -> list[Notification]:
    """A page of one group, the newest first."""
    statement = select(notifications).where(_T.account_id == account_id, _T.group_key == group_key)
    return [_notification(row) for row in await rows_of_page(read, statement, _T.id, page)]


async def group_sizes(read: Read, account_id: int, group_keys: Collection[str]) -> dict[str, int]:
    """How many each group holds."""
    statement = (
        select(_T.group_key, func.count())
        .where(_T.account_id == account_id, _T.group_key.in_(group_keys), ~_FILTERED)
        .group_by(_T.group_key)
    )
    return {row[0]: row[1] for row in await read.connection.execute(statement)}


async def last_read_id(read: Read, account_id: int) -> int:
    """How far somebody has read, by their marker; 0 without one."""
    found = select(markers.c.last_read_id).where(
        markers.c.account_id == account_id, markers.c.timeline == "notifications"
    )
    return int((await read.connection.execute(found)).scalar_one_or_none() or 0)


async def policy_of(read: Read, account_id: int) -> Policy:
    return (await _policies(read, [account_id]))[account_id]


async def _policies(read: Read, account_ids: Collection[int]) -> dict[int, Policy]:
    table = notification_policies
    rows = await read.connection.execute(select(table).where(table.c.account_id.in_(account_ids)))
    kept = {row.account_id: msgspec.convert(row.policy, Policy) for row in rows}
    return {one: kept.get(one, Policy()) for one in account_ids}


async def senders(read: Read, news: Collection[News]) -> Mapping[int, tuple[Policy, Sender]]:
    """For each who is to be told of some doing of one account: from whom they want that, and how its doer stands
    to them. Six statements."""
    (from_id,) = {one.from_id for one in news}
    people = [one.account_id for one in news]
    policies = await _policies(read, people)
    followed = await _of_people(read, follows.c.follower_id, people, follows.c.followee_id == from_id)
    following = await _of_people(read, follows.c.followee_id, people, follows.c.follower_id == from_id)
    permitted = notification_permissions.c
    accepted = await _of_people(read, permitted.account_id, people, permitted.from_id == from_id)
    standing = (await standings_of(read, [from_id]))[from_id]
    private = await _privately(read, news)
    return {
        one: (
            policies[one],
            Sender(
                is_accepted=one in accepted,
                is_followed=one in followed,
                follows=one in following,
                is_new=from_id >= id_at(read.now_ms - NEW_FOR_MS),
                is_limited=standing is Standing.LIMITED,
                speaks_privately=one in private,
            ),
        )
        for one in people
    }


async def _of_people(
    read: Read, column: ColumnElement[int], people: Collection[int], where: ColumnElement[bool]
) -> set[int]:
    return set((await read.connection.execute(select(column).where(where, column.in_(people)))).scalars())


async def _privately(read: Read, news: Collection[News]) -> set[int]:
    """Those whom a direct post mentions that answers none of theirs."""
    mentioned = {one.account_id for one in news if one.kind is Kind.MENTION}
    (post_id, *_) = {one.post_id for one in news}
    if not mentioned:
        return set()
    row = (
        await read.connection.execute(
            select(posts.c.visibility, posts.c.in_reply_to_account_id).where(posts.c.id == post_id)
        )
    ).first()
    is_direct = row is not None and row.visibility == Visibility.DIRECT.value
    return mentioned - {row.in_reply_to_account_id} if row is not None and is_direct else set()


async def requests(read: Read, account_id: int, page: Page) -> list[Request]:
    """A page of those whose news wait, who came last first."""
    firsts = _requests(account_id).subquery()
    return [_request(row) for row in await rows_of_page(read, select(firsts), firsts.c.id, page)]


async def requests_by_ids(read: Read, account_id: int, ids: Collection[int]) -> list[Request]:
    """By the ids that `requests` gave; those that were answered since are left out."""
    rows = await read.connection.execute(_requests(account_id).having(func.min(_T.id).in_(ids)))
    return [_request(row) for row in rows]


async def waiting(read: Read, account_id: int) -> tuple[int, int]:
    """How many requests wait, and how many notifications in them."""
    statement = select(func.count(func.distinct(_T.from_id)), func.count()).where(
        _T.account_id == account_id, _FILTERED
    )
    row = (await read.connection.execute(statement)).one()
    return int(row[0]), int(row[1])


def _requests(account_id: int) -> Any:
    return (
        select(
            func.min(_T.id).label("id"),
            func.min(_T.account_id).label("account_id"),
            _T.from_id,
            func.max(_T.id).label("newest_id"),
            func.count().label("count"),
            func.max(_T.post_id).label("last_post_id"),
            func.min(_T.created_at_ms).label("created_at_ms"),
            func.max(_T.created_at_ms).label("updated_at_ms"),
        )
        .where(_T.account_id == account_id, _FILTERED)
        .group_by(_T.from_id)
    )


def _request(row: Row[Any]) -> Request:
    return Request(**row._mapping)


def _asked(account_id: int, asked: Asked) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_T.account_id == account_id]
    if asked.kinds is not None:
        conditions.append(_T.kind.in_([kind.value for kind in asked.kinds]))
    if asked.from_id is not None:
        conditions.append(_T.from_id == asked.from_id)
    if not asked.include_filtered:
        conditions.append(~_FILTERED)
    return conditions


def _notification(row: Row[Any]) -> Notification:
    return Notification(
        id=row.id,
        account_id=row.account_id,
        kind=Kind(row.kind),
        from_id=row.from_id,
        post_id=row.post_id,
        about_id=row.about_id,
        group_key=row.group_key,
        filtered=row.filtered,
        created_at_ms=row.created_at_ms,
    )
