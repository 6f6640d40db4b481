"""What somebody marks a post as. Plain data."""

from enum import StrEnum

from sqlalchemy import Table

from folkmoot.storage.tables.posts import bookmarks, favourites, pins

PINS_MAX = 5


class Mark(StrEnum):
    """Each is kept in a table of its own, in the order in which somebody made them."""

    FAVOURITE = "favourite"
    BOOKMARK = "bookmark"
    PIN = "pin"

    @property
    def table(self) -> Table:
        return _TABLES[self]


_TABLES = {Mark.FAVOURITE: favourites, Mark.BOOKMARK: bookmarks, Mark.PIN: pins}
