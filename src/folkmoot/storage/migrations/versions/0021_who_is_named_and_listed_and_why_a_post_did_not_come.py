"""Who is named and listed, and why a post did not come."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scheduled_posts", sa.Column("refused", sa.Text(), nullable=True))
    for flag in ("discoverable", "indexable"):
        op.create_index(
            f"ix_accounts_{flag}",
            "accounts",
            ["id"],
            sqlite_where=sa.text(f"{flag} = 1"),
            postgresql_where=sa.text(flag),
        )
    op.create_index(
        "ix_tokens_of_programs",
        "tokens",
        ["application_id", "id"],
        sqlite_where=sa.text("account_id IS NULL"),
        postgresql_where=sa.text("account_id IS NULL"),
    )
    for statement in _ON_SQLITE if op.get_bind().dialect.name == "sqlite" else _ON_POSTGRESQL:
        op.execute(statement)


# What was written until now gets a label for each whom it names, as `posts/indexed.py` says. SQLite's index follows
# what comes and goes, not what changes.
_ON_SQLITE = (
    "CREATE TEMPORARY TABLE naming AS SELECT post_words.post_id, post_words.words ||"
    " (SELECT group_concat(' =to:' || value, '') FROM json_each(posts.mentions)) AS words"
    " FROM post_words JOIN posts ON posts.id = post_words.post_id WHERE json_array_length(posts.mentions) > 0",
    "DELETE FROM post_words WHERE post_id IN (SELECT post_id FROM naming)",
    "INSERT INTO post_words (post_id, words) SELECT post_id, words FROM naming",
    "DROP TABLE naming",
)
_ON_POSTGRESQL = (
    "UPDATE post_words SET words = words || naming.labels FROM (SELECT posts.id,"
    " CAST(string_agg('''=to:' || one.value || '''', ' ') AS tsvector) AS labels"
    " FROM posts CROSS JOIN LATERAL jsonb_array_elements_text(posts.mentions) AS one(value)"
    " GROUP BY posts.id) AS naming WHERE post_words.post_id = naming.id",
)
