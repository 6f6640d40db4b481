"""Pages of posts: bounds and order for statements that find ids, and the rows of a page alone."""

from typing import Any

from sqlalchemy import ColumnElement, Select

from folkmoot.accounts.model import Page
from folkmoot.posts.model import Post
from folkmoot.posts.queries import found, rows
from folkmoot.storage.database import Read
from folkmoot.storage.tables.posts import posts


def ascends(page: Page) -> bool:
    """The page right after `min_id` is read from its oldest post on."""
    return page.min_id is not None


def order(column: ColumnElement[Any], page: Page) -> ColumnElement[Any]:
    return column.asc() if ascends(page) else column.desc()


def within(id_: ColumnElement[Any], page: Page) -> list[ColumnElement[bool]]:
    after = max((bound for bound in (page.since_id, page.min_id) if bound is not None), default=None)
    conditions: list[ColumnElement[bool]] = []
    if page.max_id is not None:
        conditions.append(id_ < page.max_id)
    if after is not None:
        conditions.append(id_ > after)
    return conditions


async def posts_of_page(read: Read, ids: Select[Any], page: Page) -> list[Post]:
    """The posts of a page, the newest first. `ids` selects one column; the rows are read for the page alone."""
    (id_,) = ids.selected_columns
    on_page = ids.order_by(order(id_, page)).limit(page.limit).subquery("page")
    statement = rows().join(on_page, on_page.c.id == posts.c.id).order_by(posts.c.id.desc())
    return await found(read, statement)
