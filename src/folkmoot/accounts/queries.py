"""Reads of accounts. Each takes a batch and is a bounded number of statements."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, Select, func, select

from folkmoot.accounts.model import Account
from folkmoot.gate import Role
from folkmoot.storage.database import Read
from folkmoot.storage.tables import accounts, follows, posts


async def by_ids(read: Read, ids: Collection[int]) -> list[Account]:
    """The accounts that exist among `ids`, in the order asked for."""
    if not ids:
        return []
    rows = await read.connection.execute(_select_accounts().where(accounts.c.id.in_(ids)))
    found = {row.id: _account(row) for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


async def by_username(read: Read, username: str) -> Account | None:
    """The account of this name, in whatever case it is written."""
    rows = await read.connection.execute(
        _select_accounts().where(accounts.c.username_folded == username.casefold())
    )
    row = rows.first()
    return _account(row) if row else None


def _select_accounts() -> Select[Any]:
    # Correlated counts: each reads one index range of one account, so a page of twenty authors is one statement.
    followers = select(func.count()).select_from(follows).where(follows.c.followee_id == accounts.c.id)
    following = select(func.count()).select_from(follows).where(follows.c.follower_id == accounts.c.id)
    alive = (posts.c.account_id == accounts.c.id) & posts.c.deleted_at_ms.is_(None)
    return select(
        accounts,
        followers.scalar_subquery().label("followers_count"),
        following.scalar_subquery().label("following_count"),
        select(func.count()).select_from(posts).where(alive).scalar_subquery().label("statuses_count"),
        select(func.max(posts.c.id)).where(alive).scalar_subquery().label("last_post_id"),
    )


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        username=row.username,
        display_name=row.display_name,
        note=row.note,
        role=Role(row.role),
        locked=row.locked,
        created_at_ms=row.created_at_ms,
        followers_count=row.followers_count,
        following_count=row.following_count,
        statuses_count=row.statuses_count,
        last_post_id=row.last_post_id,
    )
