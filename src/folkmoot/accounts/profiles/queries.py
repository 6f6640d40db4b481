"""Reads of what people chose for themselves."""

from sqlalchemy import select

from folkmoot.accounts.profiles.model import PostingDefaults
from folkmoot.storage.database import Read
from folkmoot.storage.tables.relations import posting_defaults


async def defaults_of(read: Read, account_id: int) -> PostingDefaults:
    """What somebody's new post is if they say nothing about it. One statement."""
    kept = select(posting_defaults).where(posting_defaults.c.account_id == account_id)
    row = (await read.connection.execute(kept)).first()
    if row is None:
        return PostingDefaults()
    return PostingDefaults(row.privacy, row.sensitive, row.language, row.quote_policy)
