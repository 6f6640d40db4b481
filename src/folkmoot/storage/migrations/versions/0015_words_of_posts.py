"""Words of posts."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from folkmoot.storage import words

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "post_words",
        sa.Column("post_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("words", sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_post_words_post_id_posts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_post_words")),
    )
    _index()
    _fill()


def _index() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.create_index("post_words_index", "post_words", ["words"], postgresql_using="gin")
        return
    op.execute(
        "CREATE VIRTUAL TABLE post_words_index USING fts5(words, content='post_words', content_rowid='post_id',"
        """ columnsize=0, tokenize="ascii tokenchars '=:'")"""
    )
    op.execute(
        "CREATE TRIGGER post_words_come AFTER INSERT ON post_words BEGIN"
        " INSERT INTO post_words_index (rowid, words) VALUES (new.post_id, new.words); END"
    )
    op.execute(
        "CREATE TRIGGER post_words_go AFTER DELETE ON post_words BEGIN"
        " INSERT INTO post_words_index (post_words_index, rowid, words)"
        " VALUES ('delete', old.post_id, old.words); END"
    )


def _fill() -> None:
    """What was written until now."""
    bind = op.get_bind()
    is_sqlite = bind.dialect.name == "sqlite"
    row = words.fts5_row if is_sqlite else words.tsvector_row
    value = ":words" if is_sqlite else "CAST(:words AS tsvector)"
    into = sa.text(f"INSERT INTO post_words (post_id, words) VALUES (:id, {value})")  # noqa: S608 (no input)
    attached: dict[int, list[sa.Row[Any]]] = {}
    for file in bind.execute(sa.text("SELECT post_id, kind, description FROM media WHERE post_id IS NOT NULL")):
        attached.setdefault(file.post_id, []).append(file)
    written = sa.text(
        "SELECT id, account_id, source, spoiler_text, language, visibility, sensitive, in_reply_to_id FROM posts"
        " WHERE deleted_at_ms IS NULL AND reblog_of_id IS NULL"
    )
    for post in bind.execute(written).all():
        files = attached.get(post.id, [])
        text = "\n".join([post.spoiler_text, post.source, *(file.description for file in files)])
        bind.execute(into, {"id": post.id, "words": row(words.tokens(text), _labels(post, files))})


def _labels(post: sa.Row[Any], files: list[sa.Row[Any]]) -> list[str]:
    labels = {
        "post": True,
        f"from:{post.account_id}": True,
        "in:public": post.visibility == "public",
        f"language:{(post.language or '').partition('-')[0].lower()}": post.language,
        "is:reply": post.in_reply_to_id is not None,
        "is:sensitive": post.sensitive,
        "has:media": files,
        "has:link": "https://" in post.source or "http://" in post.source,
    } | {f"has:{file.kind}": True for file in files}
    return [name for name, holds in labels.items() if holds]
