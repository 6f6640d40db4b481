"""Statements that are asked all day: compiled once, and put to the driver itself.

For each time that it is asked, SQLAlchemy looks a statement up by the whole of its structure, makes a context and a
result for it and switches greenlets: most of what a read costs that is done in microseconds.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import CompoundSelect, Dialect, Select
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from folkmoot.storage.database import Read

_Process = Callable[[Any], Any]
_named: Any = namedtuple  # of names that no checker knows


class Prepared:
    """A statement whose values are parameters, named where it is built (`bindparam`, `among_given`)."""

    def __init__(self, statement: Select[Any] | CompoundSelect[Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}  # by the name of the dialect

    async def rows(self, read: Read, **asked: Any) -> list[Any]:
        """What it finds: named tuples, with the columns' names. `asked` are its parameters.

        Raises what `read.connection.execute` would.
        """
        dialect = read.connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self._statement, dialect)
        return compiled.read(await read.fetch(compiled.sql, compiled.bound(asked)))


class _Compiled(msgspec.Struct, frozen=True):
    """For one kind of database. `positions`: the parameters' names in their order, where that is how they go."""

    sql: str
    asked: Mapping[str, _Process | None]
    constants: Mapping[str, Any]
    positions: Sequence[str] | None
    row: Callable[[Sequence[Any]], Any]
    results: Sequence[tuple[int, _Process]]

    def bound(self, asked: Mapping[str, Any]) -> Sequence[Any] | Mapping[str, Any]:
        values = {name: process(asked[name]) if process else asked[name] for name, process in self.asked.items()}
        values.update(self.constants)
        return values if self.positions is None else [values[name] for name in self.positions]

    def read(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        if not self.results:
            return list(map(self.row, found))
        rows = []
        for one in found:
            values = list(one)
            for place, process in self.results:
                values[place] = process(values[place])
            rows.append(self.row(values))
        return rows


def _compile(statement: Select[Any] | CompoundSelect[Any], dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    asked = {name: _to_driver(one.type, dialect) for name, one in compiled.binds.items() if one.required}
    # What stands in the statement itself is passed along with it; lists, as a parameter for each member.
    whole = compiled.construct_expanded_state(dict.fromkeys(asked))
    constants = {name: value for name, value in whole.parameters.items() if name not in asked}
    for name in constants:
        process = _to_driver(compiled.binds[name].type, dialect) if name in compiled.binds else None
        process = whole.processors.get(name, process)
        constants[name] = process(constants[name]) if process else constants[name]
    columns = statement.selected_columns
    processes = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    named = _named("Row", map(str, columns.keys()), rename=True)
    return _Compiled(
        sql=whole.statement,
        asked=asked,
        constants=constants,
        positions=whole.positiontup,
        row=partial(tuple.__new__, named),  # what `_make` does, in C alone
        results=[(place, process) for place, process in enumerate(processes) if process is not None],
    )


def _to_driver(type_: TypeEngine[Any], dialect: Dialect) -> _Process | None:
    return type_.dialect_impl(dialect).bind_processor(dialect)
