"""Inserts that mind what is there: rows that are made once, and numbers kept beside what they count."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.storage.database import Write

Item = TypeVar("Item")
ROWS_PER_STATEMENT = 500


def batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """As many as one statement takes: databases bound the number of its parameters."""
    for start in range(0, len(items), ROWS_PER_STATEMENT):
        yield items[start : start + ROWS_PER_STATEMENT]


async def insert_once(tx: Write, table: Table, **values: Any) -> bool:
    """Insert a row unless one with the same key is there. Returns whether it was inserted."""
    (first, *_) = table.primary_key
    insert = _insert(tx, table).values(**values).on_conflict_do_nothing().returning(first)
    return (await tx.connection.execute(insert)).first() is not None


async def insert_new(tx: Write, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Insert those rows of which none with the same key is there; returns these keys. A statement for each few
    hundred."""
    made: list[Any] = []
    for some in batches(rows):
        insert = _insert(tx, table).values([dict(row) for row in some]).on_conflict_do_nothing()
        made += await tx.connection.execute(insert.returning(*table.primary_key))
    return made


async def count_each(tx: Write, table: Table, column: str, by: Mapping[int, int]) -> None:
    """Add to a column of many rows, by their keys; those that aren't there yet are made. A statement for each few
    hundred."""
    (key_column,) = table.primary_key
    for some in batches(sorted(by.items())):
        insert = _insert(tx, table).values([{key_column.name: key, column: number} for key, number in some])
        counted = {column: table.c[column] + insert.excluded[column]}
        await tx.connection.execute(insert.on_conflict_do_update(index_elements=[key_column], set_=counted))


async def count(tx: Write, table: Table, key: int, **by: int) -> None:
    """Add to columns of the row with this key, which is made where there is none yet. One statement."""
    (key_column,) = table.primary_key
    insert = _insert(tx, table).values({key_column.name: key, **by})
    counted = {name: table.c[name] + insert.excluded[name] for name in by}
    await tx.connection.execute(insert.on_conflict_do_update(index_elements=[key_column], set_=counted))


def _insert(tx: Write, table: Table) -> Any:
    # The two dialects' statements have the same methods, and no common type that says so.
    return (sqlite if tx.is_sqlite else postgresql).insert(table)
