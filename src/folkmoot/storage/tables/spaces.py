"""Spaces, who is in them, and what is kept of them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from folkmoot.storage.tables.base import Document, account_column, id_column, metadata

spaces = Table(
    "spaces",
    metadata,
    id_column(),
    account_column("creator_id"),
    account_column("host_id"),
    Column("title", Text, nullable=False),
    Column("topics", Document, nullable=False),
    Column("language", String(16)),
    Column("state", String(16), nullable=False),
    Column("audience", String(16), nullable=False),
    Column("speak_policy", String(16), nullable=False),
    Column("recorded", Boolean, nullable=False),
    Column("scheduled_at_ms", BigInteger),
    Column("started_at_ms", BigInteger),
    Column("ended_at_ms", BigInteger),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("announcement_post_id", BigInteger),
    Column("deadline_ms", BigInteger),  # when time next does something in it
    # What the machine keeps besides: spaces/model.py's Space without its members, as JSON.
    Column("document", Document, nullable=False),
    Index("ix_spaces_state", "state", "id"),
    Index("ix_spaces_creator_id", "creator_id", "id"),
    Index("ix_spaces_host_id", "host_id", "state"),
    Index("ix_spaces_deadline_ms", "deadline_ms"),
)

space_members = Table(
    "space_members",
    metadata,
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    account_column("account_id", primary_key=True),
    Column("role", String(16), nullable=False),
    Column("removed", Boolean, nullable=False, server_default=text("false")),
    Column("seat", Integer),
    Column("document", Document, nullable=False),  # spaces/model.py's Member
    Index("ix_space_members_account_id", "account_id", "space_id"),
)

# Every stint on stage: who a seat number stood for. Kept after the Space ended: the replay needs it.
seats = Table(
    "seats",
    metadata,
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    account_column("account_id"),
    Column("taken_at_ms", BigInteger, nullable=False),
    Column("vacated_at_ms", BigInteger),
    Column("vacated_reason", String(32)),
    Column("recording_consent_at_ms", BigInteger),
)

recordings = Table(
    "recordings",
    metadata,
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    Column("duration_ms", BigInteger, nullable=False),
    Column("replay_start_ms", BigInteger, nullable=False, server_default="0"),
    Column("replay_end_ms", BigInteger),  # NULL: at the end of the recording
    Column("closed_at_ms", BigInteger, nullable=False),
    Column("deleted_at_ms", BigInteger),
)

# What was taken out of a Space's sound, and why: a decision that is shown for ever. The bytes follow the row.
redactions = Table(
    "redactions",
    metadata,
    id_column(),
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("to_ms", BigInteger, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("by_role", String(16), nullable=False),  # host, co_host, moderator, speaker, operator
    Column("decided_by", BigInteger),  # an account, or NULL for the operator
    Column("decided_at_ms", BigInteger, nullable=False),
    Column("applied_at_ms", BigInteger),  # NULL until the tape is silent there
    Index("ix_redactions_space_id", "space_id", "from_ms"),
)

clips = Table(
    "clips",
    metadata,
    id_column(),
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, index=True),
    account_column("account_id"),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
)
