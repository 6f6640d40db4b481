"""Reads of conversations. Each is one statement."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, select

from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.posts.conversations.model import Conversation
from folkmoot.storage.database import Read
from folkmoot.storage.tables.reading import conversations


async def of_account(read: Read, account_id: int, page: Page) -> list[Conversation]:
    """The conversations of an account, that with the newest post first. Cursors are ids of newest posts."""
    statement = select(conversations).where(conversations.c.account_id == account_id)
    return [_from_row(row) for row in await rows_of_page(read, statement, conversations.c.last_post_id, page)]


async def sides(read: Read, conversation_id: int, account_ids: Collection[int]) -> dict[int, Conversation]:
    """A conversation as it stands with each of some accounts; those with whom it doesn't are left out."""
    statement = select(conversations).where(
        conversations.c.account_id.in_(account_ids), conversations.c.conversation_id == conversation_id
    )
    return {row.account_id: _from_row(row) for row in await read.connection.execute(statement)}


async def by_id(read: Read, account_id: int, id_: int) -> Conversation | None:
    """One of an account's conversations."""
    statement = select(conversations).where(conversations.c.id == id_, conversations.c.account_id == account_id)
    row = (await read.connection.execute(statement)).first()
    return _from_row(row) if row is not None else None


def _from_row(row: Row[Any]) -> Conversation:
    return Conversation(row.id, row.last_post_id, row.unread)
