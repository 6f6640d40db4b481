"""Reads of lists. Each is one statement."""

from typing import Any

from sqlalchemy import Row, select

from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.storage.database import Read
from folkmoot.storage.tables.reading import list_members, lists
from folkmoot.timelines.lists.model import List, RepliesPolicy


async def of_account(read: Read, account_id: int) -> list[List]:
    """Somebody's lists, all of them (`rules.LISTS_MAX`), the oldest first."""
    statement = select(lists).where(lists.c.account_id == account_id).order_by(lists.c.id)
    return [_from_row(row) for row in await read.connection.execute(statement)]


async def by_id(read: Read, account_id: int, list_id: int) -> List | None:
    """One of somebody's lists."""
    statement = select(lists).where(lists.c.id == list_id, lists.c.account_id == account_id)
    row = (await read.connection.execute(statement)).first()
    return _from_row(row) if row is not None else None


async def with_member(read: Read, account_id: int, member_id: int) -> list[List]:
    """Those of somebody's lists that somebody is in."""
    statement = (
        select(lists)
        .join(list_members, list_members.c.list_id == lists.c.id)
        .where(lists.c.account_id == account_id, list_members.c.account_id == member_id)
        .order_by(lists.c.id)
    )
    return [_from_row(row) for row in await read.connection.execute(statement)]


async def member_ids(read: Read, list_id: int, page: Page) -> list[int]:
    """A page of those in a list, the newest accounts first."""
    column = list_members.c.account_id
    statement = select(column).where(list_members.c.list_id == list_id)
    return [int(row[0]) for row in await rows_of_page(read, statement, column, page)]


def _from_row(row: Row[Any]) -> List:
    return List(row.id, row.account_id, row.title, RepliesPolicy(row.replies_policy), row.exclusive)
