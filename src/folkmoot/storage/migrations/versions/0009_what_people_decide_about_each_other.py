"""What people decide about each other."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_notes",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("about_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["about_id"], ["accounts.id"], name=op.f("fk_account_notes_about_id_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_notes_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "about_id", name=op.f("pk_account_notes")),
    )
    with op.batch_alter_table("account_notes", schema=None) as batch_op:
        batch_op.create_index("ix_account_notes_about_id", ["about_id"], unique=False)

    op.create_table(
        "account_words",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "word",
            sa.String(length=50).with_variant(sa.String(length=50, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_words_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "word", name=op.f("pk_account_words")),
    )
    with op.batch_alter_table("account_words", schema=None) as batch_op:
        batch_op.create_index("ix_account_words_word", ["word", "account_id"], unique=False)

    op.create_table(
        "dismissed_suggestions",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dismissed_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_dismissed_suggestions_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["dismissed_id"],
            ["accounts.id"],
            name=op.f("fk_dismissed_suggestions_dismissed_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "dismissed_id", name=op.f("pk_dismissed_suggestions")),
    )
    with op.batch_alter_table("dismissed_suggestions", schema=None) as batch_op:
        batch_op.create_index("ix_dismissed_suggestions_dismissed_id", ["dismissed_id"], unique=False)

    op.create_table(
        "domain_blocks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_domain_blocks_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domain_blocks")),
        sa.UniqueConstraint("account_id", "host", name=op.f("uq_domain_blocks_account_id")),
    )
    op.create_table(
        "endorsements",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("endorsed_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_endorsements_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["endorsed_id"], ["accounts.id"], name=op.f("fk_endorsements_endorsed_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "endorsed_id", name=op.f("pk_endorsements")),
    )
    with op.batch_alter_table("endorsements", schema=None) as batch_op:
        batch_op.create_index("ix_endorsements_endorsed_id", ["endorsed_id"], unique=False)

    op.create_table(
        "follow_requests",
        sa.Column("follower_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("followee_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reblogs", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("notify", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("languages", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["followee_id"],
            ["accounts.id"],
            name=op.f("fk_follow_requests_followee_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["follower_id"],
            ["accounts.id"],
            name=op.f("fk_follow_requests_follower_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("follower_id", "followee_id", name=op.f("pk_follow_requests")),
    )
    with op.batch_alter_table("follow_requests", schema=None) as batch_op:
        batch_op.create_index("ix_follow_requests_followee_id", ["followee_id", "follower_id"], unique=False)

    op.create_table(
        "mutes",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("muted_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("notifications", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_mutes_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["muted_id"], ["accounts.id"], name=op.f("fk_mutes_muted_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "muted_id", name=op.f("pk_mutes")),
    )
    with op.batch_alter_table("mutes", schema=None) as batch_op:
        batch_op.create_index("ix_mutes_muted_id", ["muted_id"], unique=False)

    op.create_table(
        "posting_defaults",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("privacy", sa.String(length=16), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("quote_policy", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_posting_defaults_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_posting_defaults")),
    )
    _profiles()
    _choices_of_followers()
    _words()


def _profiles() -> None:
    for name, default in (
        ("bot", "false"),
        ("discoverable", "true"),
        ("indexable", "false"),
        ("hide_collections", "false"),
    ):
        op.add_column("accounts", sa.Column(name, sa.Boolean(), server_default=sa.text(default), nullable=False))
    document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("accounts", sa.Column("fields", document, server_default=sa.text("'[]'"), nullable=False))


def _choices_of_followers() -> None:
    op.add_column("follows", sa.Column("reblogs", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.add_column("follows", sa.Column("notify", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("follows", sa.Column("languages", sa.Text(), nullable=True))


def _words() -> None:
    """By what those are found who are there already."""
    words = sa.table("account_words", sa.column("account_id"), sa.column("word"))
    connection = op.get_bind()
    for row in connection.execute(sa.text("SELECT id, username, display_name FROM accounts")).all():
        found = {row.username.lower(), *_folded(row.display_name)}
        op.bulk_insert(words, [{"account_id": row.id, "word": word} for word in sorted(found)])


def _folded(name: str) -> list[str]:
    """As `accounts/rules.py` does it at this version."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    return [word[:50] for word in re.findall(r"\w+", plain.casefold())]
