"""How people come in, and who is kept from it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
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

from folkmoot.storage.tables.base import account_column, id_column, metadata

# A link by which others sign up. What opens is signed (surfaces/signed.py) and kept nowhere.
invites = Table(
    "invites",
    metadata,
    id_column(),
    account_column("account_id"),
    Column("account_counter", Integer, nullable=False),  # of its maker, as it was
    Column("uses_max", Integer, nullable=False),
    Column("uses", Integer, nullable=False, server_default="0"),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("revoked_at_ms", BigInteger),
    Index("ix_invites_account_id", "account_id", "id"),
)

invited = Table(
    "invited",
    metadata,
    account_column("account_id", primary_key=True),
    account_column("inviter_id"),
    Column("invite_id", BigInteger, ForeignKey("invites.id", ondelete="CASCADE"), nullable=False),
    Column("joined_at_ms", BigInteger, nullable=False),
    Index("ix_invited_inviter_id", "inviter_id", "account_id"),
)

# Which browsers and addresses an account signed in from, as keyed hashes (accounts/marks.py), for a bounded time.
traces = Table(
    "traces",
    metadata,
    account_column("account_id", primary_key=True),
    Column("kind", String(16), primary_key=True),  # browser, address
    Column("mark", LargeBinary, primary_key=True),
    Column("seen_at_ms", BigInteger, nullable=False),
    Index("ix_traces_mark", "kind", "mark"),
)

# Why a sign-up is looked at by a person: what it has in common with another account.
signup_hints = Table(
    "signup_hints",
    metadata,
    account_column("account_id", primary_key=True),
    account_column("other_id", primary_key=True),
    Column("kind", String(16), primary_key=True),  # mailbox, browser, address
    Column("seen_at_ms", BigInteger, nullable=False),  # when the other was last seen with it
    Column("made_at_ms", BigInteger, nullable=False, index=True),
)

# Hosts need not be told again that somebody uses a browser from which another was removed.
ignored_hints = Table(
    "ignored_hints",
    metadata,
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    account_column("account_id", primary_key=True),
    Column("ignored_by", BigInteger, nullable=False),
    Column("ignored_at_ms", BigInteger, nullable=False),
)

# Who came to listen to a Space, of those who were removed from it and those who share a browser with one of them,
# and of nobody else.
space_visits = Table(
    "space_visits",
    metadata,
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    account_column("account_id", primary_key=True),
    Column("came_at_ms", BigInteger, nullable=False),
    Column("without_account_at_ms", BigInteger),  # when a browser of theirs listened signed out, after a removal
)

# Mailboxes (keyed hashes) and domains of mail that nobody signs up with.
email_blocks = Table(
    "email_blocks",
    metadata,
    id_column(),
    Column("mark", LargeBinary, nullable=False, unique=True),
    Column("decided_by", BigInteger),  # an account, or NULL for the operator
    Column("decided_at_ms", BigInteger, nullable=False),
)

email_domain_blocks = Table(
    "email_domain_blocks",
    metadata,
    id_column(),
    Column("domain", String(253), nullable=False, unique=True),  # as DNS has it
    Column("allow_with_approval", Boolean, nullable=False, server_default=text("false")),
    Column("decided_by", BigInteger),
    Column("decided_at_ms", BigInteger, nullable=False),
)

# Ranges of addresses that are stopped; what is over or lifted stays for a while, so that moderators see it.
network_stops = Table(
    "network_stops",
    metadata,
    id_column(),
    Column("network", String(50), nullable=False),
    Column("severity", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("until_ms", BigInteger),  # NULL: without end
    Column("decided_by", BigInteger),
    Column("decided_at_ms", BigInteger, nullable=False),
    Column("lifted_at_ms", BigInteger),
)
