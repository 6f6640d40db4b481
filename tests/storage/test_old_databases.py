"""Databases of earlier versions, with rows in every table: what somebody had is there after the migrations too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    create_engine,
    select,
)
from sqlalchemy.types import LargeBinary
from tests.support.postgres import Cluster

from folkmoot.storage.migrations import config, migrate

pytestmark = pytest.mark.slow

VERSIONS = sorted(each.revision for each in ScriptDirectory.from_config(config()).walk_revisions())[1:-1]
ROWS = 6
# Under which names a later version keeps what it still has.
TABLES = {"standings": "sanctions"}
COLUMNS = {("standings", "changed_at_ms"): "decided_at_ms"}
# Rows of `sanctions` since 0006, as tests/storage/test_migrations.py shows.
MOVED = {("applications", "stopped_at_ms"), ("applications", "stopped_reason")}
# Of these exactly one is set.
SUBJECTS = {"sanctions": ("account_id", "space_id", "clip_id", "application_id", "host")}
Rows = list[dict[str, Any]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without a table. Connections that don't care for foreign keys: rows come in any order."""
    if request.param == "sqlite":
        made = create_engine(f"sqlite:///{tmp_path}/old.db")
    else:
        cluster: Cluster = request.getfixturevalue("postgres")
        options = {"options": "-c session_replication_role=replica"}
        made = create_engine(cluster.url(cluster.create()), connect_args=options)
    yield made
    made.dispose()


def test_what_was_there_in_any_version_is_there(engine: Engine) -> None:
    """One that went through all versions, and got rows in each."""
    left = []
    for place, version in enumerate(VERSIONS):
        with engine.begin() as connection:
            command.upgrade(config(connection), version)
            left.append({table.name: fill(connection, table, place * ROWS) for table in tables_of(connection)})
    migrate(engine.url.render_as_string(hide_password=False))
    after = everything(engine)
    for before in left:
        require_all(before, after)


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[len(VERSIONS) // 2]])
def test_many_versions_at_once_are_one_transaction(version: str, engine: Engine) -> None:
    with engine.begin() as connection:
        command.upgrade(config(connection), version)
        before = {table.name: fill(connection, table, 0) for table in tables_of(connection)}
    migrate(engine.url.render_as_string(hide_password=False))
    require_all(before, everything(engine))


def everything(engine: Engine) -> dict[str, Rows]:
    with engine.connect() as connection:
        return {table.name: rows_of(connection, table) for table in tables_of(connection)}


def require_all(before: dict[str, Rows], after: dict[str, Rows]) -> None:
    """Every row of earlier, in what there still is of its columns."""
    for table, rows in before.items():
        kept = after[TABLES.get(table, table)]
        names = {
            name: COLUMNS.get((table, name), name)
            for name in rows[0]
            if COLUMNS.get((table, name), name) in kept[0] or (table, name) not in MOVED
        }
        found = {repr([row[name] for name in names.values()]) for row in kept}
        missing = [row for row in rows if repr([row[name] for name in names]) not in found]
        assert missing == [], table


def tables_of(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    # SQLite's index of words and what it is made of follow their table by triggers.
    own = {name: table for name, table in metadata.tables.items() if not name.startswith("post_words_index")}
    return [table for name, table in sorted(own.items()) if name != "alembic_version"]


def rows_of(connection: Connection, table: Table) -> Rows:
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def fill(connection: Connection, table: Table, first: int) -> Rows:
    """Rows that differ in every column and hang together: ids are of one namespace, as the server's are.

    Returns all that are there.
    """
    connection.execute(table.insert(), [_row(table, row) for row in range(first, first + ROWS)])
    return rows_of(connection, table)


def _row(table: Table, row: int) -> dict[str, Any]:
    values = {column.name: value_of(column, row) for column in table.columns}
    subjects = [name for name in SUBJECTS.get(table.name, ()) if name in values]
    for place, subject in enumerate(subjects):
        if place != row % len(subjects):
            values[subject] = None
    return values


def value_of(column: Column[Any], row: int) -> Any:
    named = column.table.name
    for key in column.foreign_keys:
        named = key.column.table.name
    kind = column.type
    if isinstance(kind, Boolean):
        return row % 2 == 0
    if isinstance(kind, JSON):
        return [row]
    if isinstance(kind, Integer):
        return sum(named.encode()) * 1000 + row
    if isinstance(kind, LargeBinary):
        return b"%d" % row
    return f"{row} {column.name}"[: getattr(kind, "length", None)]
