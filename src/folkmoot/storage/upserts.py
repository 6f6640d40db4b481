"""Inserts that mind what is there: rows that are made once, and numbers kept beside what they count."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.storage.database import Write


async def insert_once(tx: Write, table: Table, **values: Any) -> bool:
    """Insert a row unless one with the same key is there. Returns whether it was inserted."""
    (first, *_) = table.primary_key
    insert = _insert(tx, table).values(**values).on_conflict_do_nothing().returning(first)
    return (await tx.connection.execute(insert)).first() is not None


async def count(tx: Write, table: Table, key: int, **by: int) -> None:
    """Add to columns of the row with this key, which is made where there is none yet. One statement."""
    (key_column,) = table.primary_key
    insert = _insert(tx, table).values({key_column.name: key, **by})
    counted = {name: table.c[name] + insert.excluded[name] for name in by}
    await tx.connection.execute(insert.on_conflict_do_update(index_elements=[key_column], set_=counted))


def _insert(tx: Write, table: Table) -> Any:
    # The two dialects' statements have the same methods, and no common type that says so.
    return (sqlite if tx.is_sqlite else postgresql).insert(table)
