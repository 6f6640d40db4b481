"""What is searched by its words.

`storage/words.py` makes them. PostgreSQL searches the column itself (a GIN index); beside SQLite's stands the
virtual table `post_words_index` (FTS5), which triggers keep in step: both change in the post's own transaction.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text
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


def is_described(name: str | None, kind: str, _parents: Any) -> bool:
    """Whether something in a database is one that tables describe: what only one of the databases has isn't."""
    return not (kind in ("table", "index") and name is not None and name.startswith("post_words_"))
