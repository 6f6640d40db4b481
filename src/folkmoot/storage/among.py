"""Conditions on thousands of ids: as one parameter, for a statement with as many as ids is slow to build and to
read, and databases bound their number."""

from collections.abc import Collection

import msgspec
from sqlalchemy import BigInteger, ColumnElement, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from folkmoot.storage.database import Read


def among(read: Read, column: ColumnElement[int], ids: Collection[int]) -> ColumnElement[bool]:
    """Whether a column holds one of the ids."""
    if read.is_sqlite:
        listed = func.json_each(msgspec.json.encode(list(ids)).decode()).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(bindparam(None, list(ids), type_=ARRAY(BigInteger), unique=True))
