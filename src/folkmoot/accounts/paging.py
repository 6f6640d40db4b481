"""A page of rows that are ordered by id, newest first."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Row, Select

from folkmoot.accounts.model import Page
from folkmoot.storage.database import Read


def ids_of_page(ids: Iterable[int], page: Page) -> list[int]:
    """Those of some ids that are on the page. Pure."""
    newer_than = page.min_id if page.min_id is not None else page.since_id
    within = sorted(
        (id_ for id_ in ids if (page.max_id is None or id_ < page.max_id) and id_ > (newer_than or 0)), reverse=True
    )
    return within[-page.limit :] if page.min_id is not None else within[: page.limit]


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
