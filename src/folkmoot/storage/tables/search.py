"""What is searched by its words.

`storage/words.py` makes them. PostgreSQL searches the column itself (a GIN index); beside SQLite's stands the
virtual table `post_words_index` (FTS5), which triggers keep in step: both change in the post's own transaction.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Connection, ForeignKey, Index, Table, Text, event
from sqlalchemy.dialects.postgresql import TSVECTOR

from folkmoot.storage.tables.base import metadata

post_words = Table(
    "post_words",
    metadata,
    Column(
        "post_id",
        BigInteger,
        ForeignKey("posts.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("words", Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
)
Index("post_words_index", post_words.c.words, postgresql_using="gin").ddl_if(dialect="postgresql")
_SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE post_words_index USING fts5(words, content='post_words', content_rowid='post_id',"
    """ columnsize=0, tokenize="ascii tokenchars '=:'")""",
    "CREATE TRIGGER post_words_come AFTER INSERT ON post_words BEGIN"
    " INSERT INTO post_words_index (rowid, words) VALUES (new.post_id, new.words); END",
    "CREATE TRIGGER post_words_go AFTER DELETE ON post_words BEGIN"
    " INSERT INTO post_words_index (post_words_index, rowid, words)"
    " VALUES ('delete', old.post_id, old.words); END",
)


def _index_on_sqlite(_table: Table, connection: Connection, **_options: Any) -> None:
    if connection.dialect.name == "sqlite":
        for statement in _SQLITE_INDEX:
            connection.exec_driver_sql(statement)


event.listen(post_words, "after_create", _index_on_sqlite)


def is_described(_thing: Any, name: str | None, kind: str, _is_found: bool, _other: Any) -> bool:
    """Whether a migration can be derived for it (Alembic's `include_object`): what only one of the databases has is
    written by hand."""
    return not (kind in ("table", "index") and name is not None and name.startswith("post_words_"))
