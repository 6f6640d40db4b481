"""Reads of filters. Each is one statement."""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    literal,
    null,
    select,
    union_all,
)

from folkmoot.storage.among import among, among_given
from folkmoot.storage.database import Read
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.reading import filter_keywords, filter_statuses, filters
from folkmoot.timelines.filters.model import Context, Filter, Keyword, Treatment

_FILTER, _KEYWORD, _STATUS = range(3)


async def of_account(read: Read, account_id: int) -> list[Filter]:
    """Somebody's filters whole, the oldest first."""
    return await _found(read, filters.c.account_id == account_id)


async def by_id(read: Read, account_id: int, filter_id: int) -> Filter | None:
    """One of somebody's filters."""
    found = await _found(read, (filters.c.id == filter_id) & (filters.c.account_id == account_id))
    return found[0] if found else None


async def in_force(read: Read, account_id: int, post_ids: Collection[int]) -> list[Filter]:
    """Somebody's filters that are in force, with those of their posts that are among some."""
    return _built(await _in_force().rows(read, viewer=account_id, now_ms=read.now_ms, ids=post_ids))


@cache
def _in_force() -> Prepared:
    """Built once: every page asks so."""
    now_ms = bindparam("now_ms", type_=BigInteger)
    holds = filters.c.expires_at_ms.is_(None) | (filters.c.expires_at_ms > now_ms)
    own = filters.c.account_id == bindparam("viewer", type_=BigInteger)
    return Prepared(_statement(own & holds, among_given(filter_statuses.c.post_id, "ids")))


async def in_force_of(
    read: Read, account_ids: Collection[int], post_ids: Collection[int]
) -> dict[int, list[Filter]]:
    """The same of many people, by account; only those who filter something."""
    holds = filters.c.expires_at_ms.is_(None) | (filters.c.expires_at_ms > read.now_ms)
    theirs = among(read, filters.c.account_id, account_ids)
    rows = await read.connection.execute(_statement(theirs & holds, filter_statuses.c.post_id.in_(post_ids)))
    held: dict[int, list[Filter]] = {}
    for one in _built(rows.all()):
        held.setdefault(one.account_id, []).append(one)
    return held


async def with_keyword(read: Read, account_id: int, keyword_id: int) -> Filter | None:
    """The filter of somebody that has a keyword."""
    its = select(filter_keywords.c.filter_id).where(filter_keywords.c.id == keyword_id).scalar_subquery()
    found = await _found(read, (filters.c.id == its) & (filters.c.account_id == account_id))
    return found[0] if found else None


async def with_status(read: Read, account_id: int, entry_id: int) -> Filter | None:
    """The filter of somebody that has an entry for a post."""
    its = select(filter_statuses.c.filter_id).where(filter_statuses.c.id == entry_id).scalar_subquery()
    found = await _found(read, (filters.c.id == its) & (filters.c.account_id == account_id))
    return found[0] if found else None


async def _found(read: Read, which: ColumnElement[bool]) -> list[Filter]:
    return _built((await read.connection.execute(_statement(which))).all())


def _statement(which: ColumnElement[bool], of_posts: ColumnElement[bool] | None = None) -> CompoundSelect[Any]:
    own = _rows(_FILTER, filters.c.id, title=filters.c.title, action=filters.c.action).add_columns(
        filters.c.account_id, filters.c.contexts, filters.c.expires_at_ms
    )
    rest = (cast(null(), BigInteger), cast(null(), filters.c.contexts.type), cast(null(), BigInteger))
    keywords = (
        _rows(
            _KEYWORD,
            filter_keywords.c.id,
            title=filter_keywords.c.keyword,
            whole_word=filter_keywords.c.whole_word,
        )
        .add_columns(*rest)
        .join(filters, filters.c.id == filter_keywords.c.filter_id)
    )
    statuses = (
        _rows(_STATUS, filter_statuses.c.id, post_id=filter_statuses.c.post_id)
        .add_columns(*rest)
        .join(filters, filters.c.id == filter_statuses.c.filter_id)
    )
    if of_posts is not None:
        statuses = statuses.where(of_posts)
    return union_all(own.where(which), keywords.where(which), statuses.where(which))


def _rows(
    kind: int,
    id_: ColumnElement[int],
    *,
    title: ColumnElement[Any] | None = None,
    action: ColumnElement[Any] | None = None,
    whole_word: ColumnElement[Any] | None = None,
    post_id: ColumnElement[Any] | None = None,
) -> Select[Any]:
    def given(column: ColumnElement[Any] | None, type_: Any, name: str) -> ColumnElement[Any]:
        return (cast(null(), type_) if column is None else column).label(name)

    return select(
        cast(literal(kind), Integer).label("kind"),
        filters.c.id.label("filter_id"),
        id_.label("id"),
        given(title, Text, "text"),
        given(action, Text, "action"),
        given(whole_word, Boolean, "whole_word"),
        given(post_id, BigInteger, "post_id"),
    )


def _built(rows: Collection[Any]) -> list[Filter]:
    keywords: dict[int, list[Keyword]] = {}
    statuses: dict[int, list[tuple[int, int]]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        if row.kind == _KEYWORD:
            keywords.setdefault(row.filter_id, []).append(Keyword(row.id, row.text, row.whole_word))
        elif row.kind == _STATUS:
            statuses.setdefault(row.filter_id, []).append((row.id, row.post_id))
    return [
        Filter(
            id=row.id,
            account_id=row.account_id,
            title=row.text,
            contexts=tuple(Context(context) for context in row.contexts),
            action=Treatment(row.action),
            expires_at_ms=row.expires_at_ms,
            keywords=tuple(keywords.get(row.id, ())),
            statuses=tuple(statuses.get(row.id, ())),
        )
        for row in sorted(rows, key=lambda row: row.id)
        if row.kind == _FILTER
    ]
