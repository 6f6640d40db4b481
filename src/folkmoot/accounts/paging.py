"""A page of rows that are ordered by id, newest first."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Select

from folkmoot.accounts.model import Page
from folkmoot.storage.database import Read


async def rows_of_page(
    read: Read, statement: Select[Any], id_column: ColumnElement[int], page: Page
) -> list[Row[Any]]:
    """The rows of `statement` that are on the page. One statement."""
    if page.max_id is not None:
        statement = statement.where(id_column < page.max_id)
    newer_than = page.min_id if page.min_id is not None else page.since_id
    if newer_than is not None:
        statement = statement.where(id_column > newer_than)
    upwards = page.min_id is not None
    order = id_column.asc() if upwards else id_column.desc()
    rows = list(await read.connection.execute(statement.order_by(order).limit(page.limit)))
    return rows[::-1] if upwards else rows
