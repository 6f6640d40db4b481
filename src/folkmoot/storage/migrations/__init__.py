"""Migrations: how the tables came to be what `storage/tables/` says, one small file for each step."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from folkmoot.storage import sqlite

# Any number that nobody else uses for an advisory lock in the same database.
_LOCK = 7_305_815_402


class DatabaseTooNew(Exception):
    """The database was migrated by a later Folkmoot than this one."""


def migrate(url: str) -> None:
    """Bring a database to this program's tables, all in one transaction; waits for another that does the same.

    Called before the processes are forked. Raises DatabaseTooNew, and whatever the driver raises if the database
    cannot be reached.
    """
    with _alone(make_url(url)) as connection:
        script = ScriptDirectory.from_config(config())
        known = {revision.revision for revision in script.walk_revisions()}
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None and found not in known:
            raise DatabaseTooNew(
                f"The database is at version {found}, and this Folkmoot knows none after "
                f"{script.get_current_head()}. Start the version that last used it, or a later one."
            )
        command.upgrade(config(connection), "head")


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration: the packaged scripts, run over `connection`."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


@contextmanager
def _alone(url: URL) -> Iterator[Connection]:
    """A transaction that no other migration runs beside."""
    if url.get_backend_name() == "sqlite":
        path = url.database
        assert path
        engine = create_engine("sqlite://", creator=lambda: sqlite.open_file(path), poolclass=NullPool)
    else:
        engine = create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection
        connection.commit()
