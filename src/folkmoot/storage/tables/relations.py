"""What one person decided about another, for themselves: nobody else is shown it."""

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text, UniqueConstraint, text

from folkmoot.storage.tables.base import account_column, id_column, metadata

mutes = Table(
    "mutes",
    metadata,
    account_column("account_id", primary_key=True),
    account_column("muted_id", primary_key=True),
    Column("notifications", Boolean, nullable=False, server_default=text("true")),  # these, too
    Column("until_ms", BigInteger),  # NULL: without end
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_mutes_muted_id", "muted_id"),
)

# Of another network's host, in ASCII: who is there is as muted, and can't follow.
domain_blocks = Table(
    "domain_blocks",
    metadata,
    id_column(),
    account_column("account_id"),
    Column("host", String(253), nullable=False),
    UniqueConstraint("account_id", "host"),
)

endorsements = Table(
    "endorsements",
    metadata,
    account_column("account_id", primary_key=True),
    account_column("endorsed_id", primary_key=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_endorsements_endorsed_id", "endorsed_id"),
)

account_notes = Table(
    "account_notes",
    metadata,
    account_column("account_id", primary_key=True),
    account_column("about_id", primary_key=True),
    Column("note", Text, nullable=False),
    Index("ix_account_notes_about_id", "about_id"),
)

# Whom one doesn't want to be suggested again.
dismissed_suggestions = Table(
    "dismissed_suggestions",
    metadata,
    account_column("account_id", primary_key=True),
    account_column("dismissed_id", primary_key=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_dismissed_suggestions_dismissed_id", "dismissed_id"),
)

# What a new post is if nothing is said about it. No row: what a new account has.
posting_defaults = Table(
    "posting_defaults",
    metadata,
    account_column("account_id", primary_key=True),
    Column("privacy", String(16), nullable=False),  # public, unlisted, private
    Column("sensitive", Boolean, nullable=False),
    Column("language", String(16)),
    Column("quote_policy", String(16), nullable=False),  # public, followers, nobody
)

# By what people are found: the words of their names, folded (accounts/rules.py), compared byte by byte, so that
# those with one beginning are one range of the index.
account_words = Table(
    "account_words",
    metadata,
    account_column("account_id", primary_key=True),
    Column(
        "word",
        String(50).with_variant(String(50, collation="C"), "postgresql"),
        primary_key=True,
    ),
    Index("ix_account_words_word", "word", "account_id"),
)
