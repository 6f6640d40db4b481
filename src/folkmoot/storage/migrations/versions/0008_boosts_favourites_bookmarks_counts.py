"""Boosts, favourites, bookmarks, and what is counted."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_counts",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("followers", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("following", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("posts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_post_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_counts_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_counts")),
    )
    op.create_table(
        "conversation_mutes",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_conversation_mutes_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "conversation_id", name=op.f("pk_conversation_mutes")),
    )
    op.create_table(
        "bookmarks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_bookmarks_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_bookmarks_post_id_posts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookmarks")),
    )
    with op.batch_alter_table("bookmarks", schema=None) as batch_op:
        batch_op.create_index("ix_bookmarks_account_id", ["account_id", "id"], unique=False)
        batch_op.create_index("ix_bookmarks_post_id", ["post_id", "account_id"], unique=True)

    op.create_table(
        "favourites",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_favourites_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_favourites_post_id_posts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_favourites")),
    )
    with op.batch_alter_table("favourites", schema=None) as batch_op:
        batch_op.create_index("ix_favourites_account_id", ["account_id", "id"], unique=False)
        batch_op.create_index("ix_favourites_post_id", ["post_id", "account_id"], unique=True)

    op.create_table(
        "pins",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_pins_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_pins_post_id_posts"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pins")),
    )
    with op.batch_alter_table("pins", schema=None) as batch_op:
        batch_op.create_index("ix_pins_account_id", ["account_id", "id"], unique=False)
        batch_op.create_index("ix_pins_post_id", ["post_id", "account_id"], unique=True)

    op.create_table(
        "post_counts",
        sa.Column("post_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("replies", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reblogs", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("favourites", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_post_counts_post_id_posts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_post_counts")),
    )
    _boosts()
    _count()


def _boosts() -> None:
    op.add_column("posts", sa.Column("reblog_of_id", sa.BigInteger(), nullable=True))
    some = sa.text("reblog_of_id IS NOT NULL")
    op.create_index(
        "ix_posts_reblog_of_id",
        "posts",
        ["reblog_of_id", "account_id"],
        unique=True,
        sqlite_where=some,
        postgresql_where=some,
    )
    listed = sa.text(
        "visibility = 'public' AND in_reply_to_id IS NULL AND reblog_of_id IS NULL AND deleted_at_ms IS NULL"
    )
    op.drop_index("ix_posts_public", "posts")
    op.create_index("ix_posts_public", "posts", ["id"], sqlite_where=listed, postgresql_where=listed)


def _count() -> None:
    """What was counted at every page until now."""
    op.execute(
        "INSERT INTO account_counts (account_id, followers, following, posts, last_post_id) SELECT id,"
        " (SELECT count(*) FROM follows WHERE followee_id = accounts.id),"
        " (SELECT count(*) FROM follows WHERE follower_id = accounts.id),"
        " (SELECT count(*) FROM posts WHERE account_id = accounts.id AND deleted_at_ms IS NULL"
        " AND visibility <> 'direct'),"
        " (SELECT max(id) FROM posts WHERE account_id = accounts.id AND deleted_at_ms IS NULL"
        " AND visibility <> 'direct')"
        " FROM accounts"
    )
    op.execute(
        "INSERT INTO post_counts (post_id, replies) SELECT in_reply_to_id, count(*) FROM posts"
        " WHERE in_reply_to_id IN (SELECT id FROM posts) AND deleted_at_ms IS NULL"
        " AND visibility IN ('public', 'unlisted') GROUP BY in_reply_to_id"
    )
