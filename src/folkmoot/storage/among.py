"""Conditions on lists: as one parameter, for a statement with as many as there are in the list is slow to build and
to read, and databases bound their number."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Dialect, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from folkmoot.storage.database import Read


def among(_read: Read, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Whether a column holds one of the values."""
    return _Among(column, bindparam(None, values, type_=_List(column.type), unique=True))


def among_given(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The same in a statement that is built once: the values are its parameter of this name."""
    return _AmongGiven(column, bindparam(name, type_=_List(column.type)))


class _List(TypeDecorator[Collection[Any]]):
    """Values of one type: an array on PostgreSQL, JSON on SQLite, which has none."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(self.of))

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        assert value is not None
        return msgspec.json.encode(list(value)).decode() if dialect.name == "sqlite" else list(value)


class _Among(FunctionElement[bool]):
    """Without a type: SQLAlchemy compares a Boolean of SQLite with 1, and then no index is used."""

    inherit_cache = True


class _AmongGiven(_Among):
    """One plan for whatever is given: PostgreSQL makes a new one each time (1.4 of 1.6 ms for the posts of a page)
    where it thinks that it would be better for lists as short as those that it sees."""

    inherit_cache = True


@compiles(_Among, "sqlite")
def _of_json(element: _Among, compiler: SQLCompiler, **given: Any) -> str:
    column, listed = (compiler.process(one, **given) for one in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({listed})))"  # noqa: S608 (both are SQLAlchemy's)


@compiles(_Among, "postgresql")
def _of_array(element: _Among, compiler: SQLCompiler, **given: Any) -> str:
    column, listed = (compiler.process(one, **given) for one in element.clauses)
    return f"({column} = ANY ({listed}))"


@compiles(_AmongGiven, "postgresql")
def _of_array_unseen(element: _AmongGiven, compiler: SQLCompiler, **given: Any) -> str:
    column, listed = (compiler.process(one, **given) for one in element.clauses)
    type_ = compiler.dialect.type_compiler_instance.process(list(element.clauses)[1].type)
    return f"({column} = ANY (CAST((SELECT {listed}) AS {type_})))"
