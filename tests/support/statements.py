"""How many statements something takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from folkmoot.storage.database import Database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Those that are executed meanwhile."""
    counted: list[str] = []
    listening = (
        database.engine.sync_engine,
        "before_cursor_execute",
        lambda *what: counted.append(what[2]),
    )
    event.listen(*listening)
    try:
        yield counted
    finally:
        event.remove(*listening)
