"""Pages of posts: bounds and order for statements that find ids, and the rows of a page alone.

To build a statement takes longer than to run it: those of every request are built once for each shape that a page
has, with its numbers as parameters.
"""

from typing import Any, cast

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Integer, Select, bindparam

from folkmoot.accounts.model import Page
from folkmoot.posts.model import Post
from folkmoot.posts.queries import found, rows
from folkmoot.storage.database import Read
from folkmoot.storage.tables.posts import posts


class Shape(msgspec.Struct, frozen=True):
    """What of a page changes the statement that finds it."""

    ascends: bool
    has_max: bool
    has_after: bool

    def page(self) -> Page:
        """A page of this shape whose numbers are parameters: `values` has them."""
        after = cast(int, bindparam("after", type_=BigInteger)) if self.has_after else None
        return Page(
            limit=cast(int, bindparam("limit", type_=Integer)),
            max_id=cast(int, bindparam("max_id", type_=BigInteger)) if self.has_max else None,
            min_id=after if self.ascends else None,
            since_id=None if self.ascends else after,
        )


def shape(page: Page) -> Shape:
    return Shape(ascends(page), page.max_id is not None, _after(page) is not None)


def values(page: Page) -> dict[str, int]:
    """The numbers of a page, by the names of `Shape.page`'s parameters."""
    given = {"limit": page.limit, "max_id": page.max_id, "after": _after(page)}
    return {name: value for name, value in given.items() if value is not None}


def _after(page: Page) -> int | None:
    return max((bound for bound in (page.since_id, page.min_id) if bound is not None), default=None)


def ascends(page: Page) -> bool:
    """The page right after `min_id` is read from its oldest post on."""
    return page.min_id is not None


def order(column: ColumnElement[Any], page: Page) -> ColumnElement[Any]:
    return column.asc() if ascends(page) else column.desc()


def within(id_: ColumnElement[Any], page: Page) -> list[ColumnElement[bool]]:
    after = page.min_id if page.since_id is None else _after(page)
    conditions: list[ColumnElement[bool]] = []
    if page.max_id is not None:
        conditions.append(id_ < page.max_id)
    if after is not None:
        conditions.append(id_ > after)
    return conditions


async def posts_of_page(read: Read, ids: Select[Any], page: Page) -> list[Post]:
    """The posts of a page, the newest first. `ids` selects one column; the rows are read for the page alone."""
    return await found(read, (await read.connection.execute(rows_of_page(ids, page))).all())


def rows_of_page(ids: Select[Any], page: Page) -> Select[Any]:
    (id_,) = ids.selected_columns
    on_page = ids.order_by(order(id_, page)).limit(page.limit).subquery("page")
    return rows(on_page).order_by(posts.c.id.desc())
