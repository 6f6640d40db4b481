"""Accounts, what is decided about them, and who follows whom."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from folkmoot.storage.tables.base import Document, account_column, id_column, metadata

accounts = Table(
    "accounts",
    metadata,
    id_column(),
    Column("username", String(30), nullable=False),
    Column("username_folded", String(30), nullable=False, unique=True),
    Column("host", String(253)),  # of another network; NULL: here. What is decided about it holds for the account
    Column("display_name", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("role", String(16), nullable=False, server_default="member"),  # member, moderator, owner
    Column("locked", Boolean, nullable=False, server_default=text("false")),  # follows need approval
    Column("created_at_ms", BigInteger, nullable=False),
    Column("bot", Boolean, nullable=False, server_default=text("false")),
    Column("discoverable", Boolean, nullable=False, server_default=text("true")),  # directory, suggestions
    Column("indexable", Boolean, nullable=False, server_default=text("false")),  # posts may be searched by anybody
    Column("hide_collections", Boolean, nullable=False, server_default=text("false")),  # whom one follows, and back
    Column("fields", Document, nullable=False, server_default=text("'[]'")),  # [{"name": …, "value": …}, …]
    Column("mentioned", Document, nullable=False, server_default=text("'[]'")),  # usernames, in note and fields
    Column("avatar", Document),  # where its bytes are (accounts/portraits.py); NULL: the picture of who has none
    Column("header", Document),
)
# Few may be among many: the directory, and what everybody's search finds, start from these.
for _flag in (accounts.c.discoverable, accounts.c.indexable):
    Index(
        f"ix_accounts_{_flag.name}",
        accounts.c.id,
        sqlite_where=text(f"{_flag.name} = 1"),
        postgresql_where=text(_flag.name),
    )

# Kept beside what is counted, in the same transaction (storage/upserts.py): a page costs the same however popular
# its authors are.
account_counts = Table(
    "account_counts",
    metadata,
    account_column("account_id", primary_key=True),
    Column("followers", BigInteger, nullable=False, server_default="0", index=True),  # for suggestions
    Column("following", BigInteger, nullable=False, server_default="0"),
    Column("posts", BigInteger, nullable=False, server_default="0"),  # boosts too; not what was said directly
    Column("last_post_id", BigInteger, index=True),  # for the directory
)

credentials = Table(
    "credentials",
    metadata,
    account_column("account_id", primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("email", Text),
    Column("email_mark", LargeBinary, index=True),  # a keyed hash of the mailbox (accounts/marks.py)
    Column("email_confirmed_at_ms", BigInteger),  # NULL: nobody has shown yet that they read what comes there
    Column("changed_at_ms", BigInteger, nullable=False),
)

# Every decision about somebody or something, for ever; `lifted_*` is written once. Each row is about exactly one of
# the five. The present standing is derived from those that are in force (gate/standings.py), and without one it is
# `active`. Written by the gate only.
sanctions = Table(
    "sanctions",
    metadata,
    id_column(),
    account_column("account_id", nullable=True),
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="CASCADE")),
    Column("clip_id", BigInteger, ForeignKey("clips.id", ondelete="CASCADE")),
    Column("application_id", BigInteger, ForeignKey("applications.id", ondelete="CASCADE")),
    Column("host", String(253)),  # of another network, in ASCII; what is below it is meant, too
    Column("standing", String(32), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("private_note", Text, nullable=False, server_default=""),  # for moderators only
    Column("until_ms", BigInteger),  # NULL: without end
    Column("decided_by", BigInteger),  # an account, or NULL for the system
    Column("decided_at_ms", BigInteger, nullable=False),
    Column("lifted_by", BigInteger),
    Column("lifted_at_ms", BigInteger),
    CheckConstraint(
        " + ".join(
            f"CASE WHEN {whose} IS NULL THEN 0 ELSE 1 END"
            for whose in ("account_id", "space_id", "clip_id", "application_id", "host")
        )
        + " = 1",
        name="ck_sanctions_about_one",
    ),
    Index("ix_sanctions_account_id", "account_id", "id"),
)
# What is read at every request.
Index(
    "ix_sanctions_open",
    sanctions.c.account_id,
    sqlite_where=text("lifted_at_ms IS NULL"),
    postgresql_where=text("lifted_at_ms IS NULL"),
)
for _whose in (sanctions.c.space_id, sanctions.c.clip_id, sanctions.c.application_id, sanctions.c.host):
    _SOME = text(f"{_whose.name} IS NOT NULL")
    Index(f"ix_sanctions_{_whose.name}", _whose, sqlite_where=_SOME, postgresql_where=_SOME)

# What a person says against a sanction: once, and answered by somebody else than the one who decided first.
appeals = Table(
    "appeals",
    metadata,
    id_column(),
    Column("sanction_id", BigInteger, ForeignKey("sanctions.id", ondelete="CASCADE"), nullable=False, unique=True),
    account_column("account_id"),
    Column("text", Text, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
    Column("granted", Boolean),  # NULL: not decided
    Column("answer", Text, nullable=False, server_default=""),
    Column("decided_by", BigInteger),
    Column("decided_at_ms", BigInteger),
    Index("ix_appeals_account_id", "account_id"),
)

# One counter for each opaque subject ("account:1", "space:5", "seat:5:3", "token:9"). A credential made under a
# lower counter opens nothing. Written by the gate only.
revocations = Table(
    "revocations",
    metadata,
    Column("subject", String(80), primary_key=True),
    Column("counter", Integer, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False, index=True),
)


def _following(name: str) -> Table:
    """Who follows whom, or asked to, and what of them they want to see."""
    return Table(
        name,
        metadata,
        account_column("follower_id", primary_key=True),
        account_column("followee_id", primary_key=True),
        Column("created_at_ms", BigInteger, nullable=False),
        Column("reblogs", Boolean, nullable=False, server_default=text("true")),
        Column("notify", Boolean, nullable=False, server_default=text("false")),  # of every new post
        Column("languages", Text),  # ",de,en,": posts in others are left out; NULL: in all
        Index(f"ix_{name}_followee_id", "followee_id", "follower_id"),
    )


follows = _following("follows")
follow_requests = _following("follow_requests")  # of accounts that are locked; answered, it is gone

blocks = Table(
    "blocks",
    metadata,
    account_column("account_id", primary_key=True),
    account_column("blocked_id", primary_key=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_blocks_blocked_id", "blocked_id", "account_id"),
)

# Who asked that their account be deleted. Until `due_at_ms` they can come back; the row stays with what is left of
# it.
deletions = Table(
    "deletions",
    metadata,
    account_column("account_id", primary_key=True),
    Column("asked_at_ms", BigInteger, nullable=False),
    Column("due_at_ms", BigInteger, nullable=False),
    Column("begun_at_ms", BigInteger),  # from then on nobody comes back
    Column("done_at_ms", BigInteger),
)

# SHA-256 of names that accounts had which are deleted: nobody else is to be taken for them.
retired_usernames = Table(
    "retired_usernames",
    metadata,
    Column("name_hash", LargeBinary, primary_key=True),
    Column("retired_at_ms", BigInteger, nullable=False),
)
