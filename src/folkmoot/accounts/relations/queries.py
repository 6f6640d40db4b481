"""Reads of what people decided about each other. Each is one statement."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from folkmoot.accounts.model import Page, Relationship
from folkmoot.accounts.paging import rows_of_page
from folkmoot.accounts.relations.rules import split_languages
from folkmoot.gate import queries as gate_queries
from folkmoot.gate import shown_to_others
from folkmoot.storage.among import among_given
from folkmoot.storage.database import Read
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.people import accounts, blocks, follow_requests, follows
from folkmoot.storage.tables.relations import account_notes, domain_blocks, endorsements, mutes

_FOLLOW, _REQUEST, _BLOCK, _MUTE, _ENDORSEMENT, _NOTE, _DOMAIN = range(7)


async def relationships(
    read: Read, viewer_id: int, ids: Collection[int], *, with_suspended: bool = False
) -> list[Relationship]:
    """How the viewer stands to each of the accounts that exist, in the order asked for. Three statements.

    Without `with_suspended` those of whom nobody sees anything are left out.
    """
    if not ids:
        return []
    existing = await read.connection.execute(select(accounts.c.id).where(accounts.c.id.in_(ids)))
    known = set(existing.scalars())
    if not with_suspended:
        standings = await gate_queries.standings_of(read, known)
        known = {id_ for id_ in known if id_ == viewer_id or shown_to_others(standings[id_])}
    rows: dict[int, list[Any]] = {id_: [] for id_ in known}
    for row in await _BETWEEN.rows(read, viewer=viewer_id, now_ms=read.now_ms, others=known):
        rows[row.target if row.source == viewer_id else row.source].append(row)
    return [_relationship(viewer_id, id_, rows[id_]) for id_ in dict.fromkeys(ids) if id_ in known]


def _between(kind: int, table: Table, source: str, target: str, *said: ColumnElement[Any]) -> Select[Any]:
    """(kind, source, target, yes or no, yes or no, a number, a text) of a table, as far as it is between the viewer
    and the others."""
    viewer = bindparam("viewer", type_=BigInteger)
    one, other = table.c[source], table.c[target]
    columns = [one.label("source"), other.label("target"), *said]
    either = and_(one == viewer, among_given(other, "others"))
    if table in (follows, follow_requests, blocks):
        either = or_(either, and_(other == viewer, among_given(one, "others")))
    return select(literal(kind).label("kind"), *columns).where(either)


def _said(
    first: Any = None, second: Any = None, number: Any = None, text: Any = None
) -> tuple[ColumnElement[Any], ...]:
    kinds = (("first", Boolean), ("second", Boolean), ("number", BigInteger), ("text", String))
    given = (first, second, number, text)
    return tuple(
        (cast(null(), kind) if one is None else one).label(name)
        for (name, kind), one in zip(kinds, given, strict=True)
    )


_HOLDS = or_(mutes.c.until_ms.is_(None), mutes.c.until_ms > bindparam("now_ms", type_=BigInteger))
_BETWEEN = Prepared(
    union_all(
        *(
            _between(
                kind,
                table,
                "follower_id",
                "followee_id",
                *_said(table.c.reblogs, table.c.notify, None, table.c.languages),
            )
            for kind, table in ((_FOLLOW, follows), (_REQUEST, follow_requests))
        ),
        _between(_BLOCK, blocks, "account_id", "blocked_id", *_said()),
        _between(
            _MUTE, mutes, "account_id", "muted_id", *_said(mutes.c.notifications, None, mutes.c.until_ms)
        ).where(_HOLDS),
        _between(_ENDORSEMENT, endorsements, "account_id", "endorsed_id", *_said()),
        _between(_NOTE, account_notes, "account_id", "about_id", *_said(text=account_notes.c.note)),
        select(literal(_DOMAIN), domain_blocks.c.account_id, accounts.c.id, *_said())
        .join(accounts, accounts.c.host == domain_blocks.c.host)
        .where(
            domain_blocks.c.account_id == bindparam("viewer", type_=BigInteger),
            among_given(accounts.c.id, "others"),
        ),
    )
)


def _relationship(viewer_id: int, account_id: int, rows: Collection[Any]) -> Relationship:
    own = {row.kind: row for row in rows if row.source == viewer_id}
    others = {row.kind for row in rows if row.source != viewer_id}
    follow = own.get(_FOLLOW) or own.get(_REQUEST)
    mute = own.get(_MUTE)
    return Relationship(
        account_id=account_id,
        following=_FOLLOW in own,
        requested=_REQUEST in own,
        showing_reblogs=follow is not None and follow.first,
        notifying=follow is not None and follow.second,
        languages=split_languages(follow.text) if follow is not None else None,
        followed_by=_FOLLOW in others,
        requested_by=_REQUEST in others,
        blocking=_BLOCK in own,
        blocked_by=_BLOCK in others,
        muting=mute is not None,
        muting_notifications=mute is not None and mute.first,
        mute_ends_at_ms=mute.number if mute is not None else None,
        domain_blocking=_DOMAIN in own,
        endorsed=_ENDORSEMENT in own,
        note=own[_NOTE].text if _NOTE in own else "",
    )


async def follower_ids(read: Read, account_id: int, page: Page) -> list[int]:
    """A page of those who follow the account, the newest accounts first."""
    return await _page(read, follows.c.follower_id, follows.c.followee_id == account_id, page)


async def following_ids(read: Read, account_id: int, page: Page) -> list[int]:
    """A page of those whom the account follows, the newest accounts first."""
    return await _page(read, follows.c.followee_id, follows.c.follower_id == account_id, page)


async def asking_ids(read: Read, account_id: int, page: Page) -> list[int]:
    """A page of those who ask to follow the account, the newest accounts first."""
    return await _page(read, follow_requests.c.follower_id, follow_requests.c.followee_id == account_id, page)


async def asked_ids(read: Read, account_id: int, page: Page) -> list[int]:
    """A page of those whom the account asks to follow, the newest accounts first."""
    return await _page(read, follow_requests.c.followee_id, follow_requests.c.follower_id == account_id, page)


async def count_asking(read: Read, account_id: int) -> int:
    """How many ask to follow the account."""
    asking = select(func.count()).where(follow_requests.c.followee_id == account_id)
    return int((await read.connection.execute(asking)).scalar_one())


async def blocked_ids(read: Read, account_id: int, page: Page) -> list[int]:
    """A page of those whom the account blocks, the newest accounts first."""
    return await _page(read, blocks.c.blocked_id, blocks.c.account_id == account_id, page)


async def muted(read: Read, account_id: int, page: Page) -> list[tuple[int, int | None]]:
    """(id, end in Unix ms or None) of a page of those whom the account mutes now, the newest accounts first."""
    holds = or_(mutes.c.until_ms.is_(None), mutes.c.until_ms > read.now_ms)
    statement = select(mutes.c.muted_id, mutes.c.until_ms).where(mutes.c.account_id == account_id, holds)
    return [(row.muted_id, row.until_ms) for row in await rows_of_page(read, statement, mutes.c.muted_id, page)]


async def endorsed_ids(read: Read, account_id: int, page: Page) -> list[int]:
    """A page of those whom the account recommends, the newest accounts first."""
    return await _page(read, endorsements.c.endorsed_id, endorsements.c.account_id == account_id, page)


async def blocked_domains(read: Read, account_id: int, page: Page) -> list[tuple[int, str]]:
    """(id of the block, host) of a page of the hosts that the account blocks, the last first."""
    table = domain_blocks
    statement = select(table.c.id, table.c.host).where(table.c.account_id == account_id)
    return [(row.id, row.host) for row in await rows_of_page(read, statement, table.c.id, page)]


async def notes(read: Read, account_id: int, page: Page) -> list[tuple[int, str]]:
    """(id of whom it is about, note) of a page of what the account noted, the newest accounts first."""
    table = account_notes
    statement = select(table.c.about_id, table.c.note).where(table.c.account_id == account_id)
    return [(row.about_id, row.note) for row in await rows_of_page(read, statement, table.c.about_id, page)]


async def _page(read: Read, column: ColumnElement[int], where: ColumnElement[bool], page: Page) -> list[int]:
    return [int(row[0]) for row in await rows_of_page(read, select(column).where(where), column, page)]
