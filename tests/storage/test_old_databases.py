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


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_there_is_there(version: str, engine: Engine) -> None:
    with engine.begin() as connection:
        command.upgrade(config(connection), version)
        before = {table.name: fill(connection, table) for table in tables_of(connection)}
    migrate(engine.url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        after = {table.name: rows_of(connection, table) for table in tables_of(connection)}
    for table, rows in before.items():
        kept = after[TABLES.get(table, table)]
        for row in rows:
            names = {name: COLUMNS.get((table, name), name) for name in row}
            expected = {
                names[name]: row[name] for name in row if names[name] in kept[0] or (table, name) not in MOVED
            }
            assert expected in [{name: found[name] for name in expected} for found in kept], (table, row)


def tables_of(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    # SQLite's index of words and what it is made of follow their table by triggers.
    own = {name: table for name, table in metadata.tables.items() if not name.startswith("post_words_index")}
    return [table for name, table in sorted(own.items()) if name != "alembic_version"]


def rows_of(connection: Connection, table: Table) -> Rows:
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def fill(connection: Connection, table: Table) -> Rows:
    """Rows that differ in every column and hang together: ids are of one namespace, as the server's are."""
    for row in range(ROWS):
        values = {column.name: value_of(column, row) for column in table.columns}
        subjects = [name for name in SUBJECTS.get(table.name, ()) if name in values]
        for place, subject in enumerate(subjects):
            if place != row % len(subjects):
                values[subject] = None
        connection.execute(table.insert().values(values))
    return rows_of(connection, table)


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
