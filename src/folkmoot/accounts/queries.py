"""Reads of accounts. Each takes a batch and is a bounded number of statements."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    false,
    func,
    or_,
    select,
    true,
    union_all,
)

from folkmoot.accounts import links
from folkmoot.accounts.links import Purpose
from folkmoot.accounts.model import Account, Counts, Field, Week
from folkmoot.accounts.portraits.model import Portrait
from folkmoot.accounts.rules import fold, is_username
from folkmoot.gate import Role
from folkmoot.storage.among import among_given
from folkmoot.storage.database import Read
from folkmoot.storage.ids import id_at
from folkmoot.storage.prepared import Prepared
from folkmoot.storage.tables.credentials import tokens
from folkmoot.storage.tables.people import account_counts, accounts, blocks, credentials
from folkmoot.storage.tables.posts import posts
from folkmoot.storage.tables.relations import domain_blocks, mutes

_ROLES = {one.value: one for one in Role}


async def by_ids(read: Read, ids: Collection[int]) -> list[Account]:
    """The accounts that exist among `ids`, in the order asked for."""
    if not ids:
        return []
    found = {row.id: _account(row) for row in await _BY_IDS.rows(read, ids=ids)}
    return [found[id_] for id_ in ids if id_ in found]


async def by_username(read: Read, username: str) -> Account | None:
    """The account of this name, in whatever case it is written."""
    if not is_username(username):
        return None
    rows = await read.connection.execute(_select_accounts().where(accounts.c.username_folded == fold(username)))
    row = rows.first()
    return _account(row) if row else None


async def credentials_of(read: Read, username: str) -> tuple[int, str] | None:
    """The account's id and the argon2id string of its password."""
    if not is_username(username):
        return None
    row = (
        await read.connection.execute(
            select(credentials.c.account_id, credentials.c.password_hash)
            .select_from(credentials.join(accounts, accounts.c.id == credentials.c.account_id))
            .where(accounts.c.username_folded == fold(username))
        )
    ).first()
    return (row.account_id, row.password_hash) if row else None


async def username_of_password_link(read: Read, secret: str) -> str | None:
    """Whose password a link sets; None for one that is spent."""
    link = await links.look(read, Purpose.RESET, secret)
    if link is None:
        return None
    rows = await read.connection.execute(select(accounts.c.username).where(accounts.c.id == link.account_id))
    return rows.scalar()


async def email_of(read: Read, account_id: int) -> str | None:
    """The e-mail address that the account gave, if any."""
    row = (
        await read.connection.execute(select(credentials.c.email).where(credentials.c.account_id == account_id))
    ).first()
    return row.email if row else None


async def hidden_from(
    read: Read, viewer_id: int, account_ids: Collection[int], *, notifying: bool = False
) -> set[int]:
    """Those of the accounts of whom the viewer sees nothing in timelines, notifications and suggestions: muted,
    blocked either way, or on a host that they block. One statement.

    `notifying`: of whom they get no notifications, which excepts those who are muted but for these.
    """
    if not account_ids:
        return set()
    hidden = _HIDDEN_NOTIFYING if notifying else _HIDDEN
    rows = await hidden.rows(read, viewer=viewer_id, now_ms=read.now_ms, others=account_ids)
    return {row.muted_id for row in rows}


async def turned_away(read: Read, viewer_id: int, account_ids: Collection[int]) -> tuple[set[int], set[int]]:
    """`hidden_from`, and those of them whom the viewer themselves muted or blocked. The same statement."""
    if not account_ids:
        return set(), set()
    rows = await _HIDDEN.rows(read, viewer=viewer_id, now_ms=read.now_ms, others=account_ids)
    return {row.muted_id for row in rows}, {row.muted_id for row in rows if row.by_viewer}


def hides(viewer_id: Any, author_id: ColumnElement[int], now_ms: Any) -> ColumnElement[bool]:
    """The same as a condition, for statements that have to fill a page. Values or bound parameters."""
    hosts = domain_blocks.alias()
    on_blocked_host = (
        exists()
        .where(accounts.c.id == author_id, accounts.c.host == domain_blocks.c.host)
        .where(domain_blocks.c.account_id == viewer_id)
    )
    return or_(
        exists().where(mutes.c.account_id == viewer_id, mutes.c.muted_id == author_id, _holds(now_ms)),
        exists().where(blocks.c.account_id == viewer_id, blocks.c.blocked_id == author_id),
        exists().where(blocks.c.account_id == author_id, blocks.c.blocked_id == viewer_id),
        # Found out once for all authors: most people block no host, and then no author's is looked up.
        and_(exists().where(hosts.c.account_id == viewer_id), on_blocked_host),
    )


async def counts(read: Read) -> Counts:
    """What the server says of itself."""
    month_ago_ms = read.now_ms - 30 * 24 * 3600 * 1000
    row = (
        await read.connection.execute(
            select(
                select(func.count()).select_from(accounts).scalar_subquery(),
                _active(month_ago_ms, read.now_ms + 1),
                _posted(true()),
            )
        )
    ).one()
    return Counts(accounts=row[0], active_in_month=row[1], posts=row[2])


async def week(read: Read, began_ms: int) -> Week:
    """What happened in the seven days from a Unix time on. One statement."""
    end_ms = began_ms + 7 * 24 * 3600 * 1000
    came = select(func.count()).where(accounts.c.created_at_ms >= began_ms, accounts.c.created_at_ms < end_ms)
    within = and_(posts.c.id >= id_at(began_ms), posts.c.id < id_at(end_ms))
    row = (
        await read.connection.execute(select(_posted(within), _active(began_ms, end_ms), came.scalar_subquery()))
    ).one()
    return Week(began_ms, *row)


def _posted(where: ColumnElement[bool]) -> ColumnElement[int]:
    """How many posts, without boosts and what was deleted."""
    kept = and_(posts.c.deleted_at_ms.is_(None), posts.c.reblog_of_id.is_(None))
    return select(func.count()).select_from(posts).where(kept, where).scalar_subquery()


def _active(from_ms: int, to_ms: int) -> ColumnElement[int]:
    """How many people wrote something or signed in."""
    wrote = select(posts.c.account_id).where(posts.c.id >= id_at(from_ms), posts.c.id < id_at(to_ms))
    came = select(tokens.c.account_id).where(
        tokens.c.created_at_ms >= from_ms, tokens.c.created_at_ms < to_ms, tokens.c.account_id.is_not(None)
    )
    return select(func.count()).select_from(wrote.union(came).subquery()).scalar_subquery()


async def owner_id(read: Read) -> int | None:
    """The first owner: the server's contact."""
    row = (
        await read.connection.execute(
            select(accounts.c.id).where(accounts.c.role == Role.OWNER.value).order_by(accounts.c.id).limit(1)
        )
    ).first()
    return int(row.id) if row else None


def _holds(now_ms: Any) -> ColumnElement[bool]:
    return or_(mutes.c.until_ms.is_(None), mutes.c.until_ms > now_ms)


def _hidden(*, notifying: bool) -> Prepared:
    viewer = bindparam("viewer", type_=BigInteger)
    muting = [mutes.c.notifications] if notifying else []
    holds = _holds(bindparam("now_ms", type_=BigInteger))
    return Prepared(
        union_all(
            select(mutes.c.muted_id, true().label("by_viewer")).where(
                mutes.c.account_id == viewer, among_given(mutes.c.muted_id, "others"), holds, *muting
            ),
            select(blocks.c.blocked_id, true()).where(
                blocks.c.account_id == viewer, among_given(blocks.c.blocked_id, "others")
            ),
            select(blocks.c.account_id, false()).where(
                blocks.c.blocked_id == viewer, among_given(blocks.c.account_id, "others")
            ),
            select(accounts.c.id, false())
            .join(domain_blocks, domain_blocks.c.host == accounts.c.host)
            .where(domain_blocks.c.account_id == viewer, among_given(accounts.c.id, "others")),
        )
    )


_HIDDEN, _HIDDEN_NOTIFYING = _hidden(notifying=False), _hidden(notifying=True)


def _select_accounts() -> Select[Any]:
    return select(
        accounts,
        func.coalesce(account_counts.c.followers, 0).label("followers_count"),
        func.coalesce(account_counts.c.following, 0).label("following_count"),
        func.coalesce(account_counts.c.posts, 0).label("statuses_count"),
        account_counts.c.last_post_id,
    ).select_from(accounts.outerjoin(account_counts, account_counts.c.account_id == accounts.c.id))


# Built once: a page asks for those whom it shows.
_BY_IDS = Prepared(_select_accounts().where(among_given(accounts.c.id, "ids")))


def _account(row: Any) -> Account:
    return Account(
        id=row.id,
        username=row.username,
        display_name=row.display_name,
        note=row.note,
        role=_ROLES[row.role],
        locked=row.locked,
        created_at_ms=row.created_at_ms,
        followers_count=row.followers_count,
        following_count=row.following_count,
        statuses_count=row.statuses_count,
        last_post_id=row.last_post_id,
        bot=row.bot,
        discoverable=row.discoverable,
        indexable=row.indexable,
        hide_collections=row.hide_collections,
        fields=tuple(msgspec.convert(row.fields, list[Field])) if row.fields else (),
        mentioned=tuple(row.mentioned),
        avatar=msgspec.convert(row.avatar, Portrait) if row.avatar is not None else None,
        header=msgspec.convert(row.header, Portrait) if row.header is not None else None,
    )
