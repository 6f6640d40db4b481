"""Migrations: they end at what `tables.py` says, on both databases, whoever starts at the same time."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from tests.support.postgres import Cluster

from folkmoot.storage.migrations import DatabaseTooNew, migrate
from folkmoot.storage.tables import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    yield cluster.url(cluster.create())


def test_the_migrations_end_at_the_tables(empty_url: str) -> None:
    migrate(empty_url)
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        # Alembic takes SQLite's empty string for a default that differs from the empty string.
        options = {"compare_server_default": connection.dialect.name != "sqlite"}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_what_is_migrated_stays_as_it_is(empty_url: str) -> None:
    migrate(empty_url)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO server_facts (name, value) VALUES ('a', '1')"))
    migrate(empty_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM server_facts")).scalar_one() == "a"
    engine.dispose()


def test_a_newer_database_is_refused_in_a_sentence(empty_url: str) -> None:
    migrate(empty_url)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DatabaseTooNew, match=r"at version 9999.*or a later one"):
        migrate(empty_url)


@pytest.mark.slow
def test_two_that_start_at_once_both_succeed(empty_url: str) -> None:
    program = "import sys; from folkmoot.storage.migrations import migrate; migrate(sys.argv[1])"
    both = [subprocess.Popen([sys.executable, "-c", program, empty_url]) for _ in range(2)]
    assert [process.wait(timeout=30) for process in both] == [0, 0]
