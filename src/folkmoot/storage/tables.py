"""Every table, in one place: the shape that the migrations build (`storage/migrations/`) and the queries read.

Times are Unix milliseconds (`_ms`); identifiers are the 64-bit ids of `storage/ids.py`; booleans are booleans on
both databases. Secrets are stored as SHA-256 digests (tokens, codes, links) or argon2id strings (passwords).
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Document = JSON().with_variant(JSONB(), "postgresql")
# SQLite numbers rows by itself only where the key is declared INTEGER.
SerialKey = BigInteger().with_variant(Integer(), "sqlite")


def _id(name: str = "id") -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _account(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    return Column(
        name,
        BigInteger,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=nullable,
        primary_key=primary_key,
        autoincrement=False,
    )


# --- who ---

accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("username", String(30), nullable=False),
    Column("username_folded", String(30), nullable=False, unique=True),
    Column("host", String(253)),  # of another network; NULL: here. What is decided about it holds for the account
    Column("display_name", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("role", String(16), nullable=False, server_default="member"),  # member, moderator, owner
    Column("locked", Boolean, nullable=False, server_default=text("false")),  # follows need approval
    Column("created_at_ms", BigInteger, nullable=False),
)

# Kept beside what is counted, in the same transaction (storage/upserts.py): a page costs the same however popular
# its authors are.
account_counts = Table(
    "account_counts",
    metadata,
    _account("account_id", primary_key=True),
    Column("followers", BigInteger, nullable=False, server_default="0"),
    Column("following", BigInteger, nullable=False, server_default="0"),
    Column("posts", BigInteger, nullable=False, server_default="0"),  # boosts too; not what was said directly
    Column("last_post_id", BigInteger),
)

credentials = Table(
    "credentials",
    metadata,
    _account("account_id", primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("email", Text),
    Column("email_mark", LargeBinary, index=True),  # a keyed hash of the mailbox (accounts/marks.py)
    Column("changed_at_ms", BigInteger, nullable=False),
)

# Every decision about somebody or something, for ever; `lifted_*` is written once. Each row is about exactly one of
# the five. The present standing is derived from those that are in force (gate/standings.py), and without one it is
# `active`. Written by the gate only.
sanctions = Table(
    "sanctions",
    metadata,
    _id(),
    _account("account_id", nullable=True),
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
    _id(),
    Column("sanction_id", BigInteger, ForeignKey("sanctions.id", ondelete="CASCADE"), nullable=False, unique=True),
    _account("account_id"),
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

follows = Table(
    "follows",
    metadata,
    _account("follower_id", primary_key=True),
    _account("followee_id", primary_key=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_follows_followee_id", "followee_id", "follower_id"),
)

blocks = Table(
    "blocks",
    metadata,
    _account("account_id", primary_key=True),
    _account("blocked_id", primary_key=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_blocks_blocked_id", "blocked_id", "account_id"),
)

# --- credentials of programs ---

applications = Table(
    "applications",
    metadata,
    _id(),
    Column("client_id", String(64), nullable=False, unique=True),
    Column("client_secret_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("website", Text),
    Column("redirect_uris", Document, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("application_id", BigInteger, ForeignKey("applications.id", ondelete="CASCADE"), nullable=False),
    _account("account_id"),
    Column("redirect_uri", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("code_challenge", Text),
    Column("account_counter", Integer, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
)

# Also the browser sessions of the web client: a session is a token of the built-in application (NULL).
tokens = Table(
    "tokens",
    metadata,
    _id(),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("application_id", BigInteger, ForeignKey("applications.id", ondelete="CASCADE")),
    _account("account_id", nullable=True),
    Column("scopes", Text, nullable=False),
    Column("account_counter", Integer, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger),
    Index("ix_tokens_account_id", "account_id"),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    Column("purpose", String(32), nullable=False),  # owner, password
    _account("account_id", nullable=True),  # whose password
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("used_at_ms", BigInteger),
)

# --- the square ---

posts = Table(
    "posts",
    metadata,
    _id(),
    _account("account_id"),
    Column("in_reply_to_id", BigInteger),
    Column("in_reply_to_account_id", BigInteger),
    Column("conversation_id", BigInteger, nullable=False),
    Column("visibility", String(16), nullable=False),  # public, unlisted, private (followers), direct
    Column("source", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("spoiler_text", Text, nullable=False, server_default=""),
    Column("sensitive", Boolean, nullable=False, server_default=text("false")),
    Column("language", String(16)),
    Column("mentions", Document, nullable=False),  # [account id, …]
    Column("tags", Document, nullable=False),  # [name, …]
    Column("application_id", BigInteger),
    Column("space_id", BigInteger),  # the Space that this post announces
    Column("reblog_of_id", BigInteger),  # a boost: that post, shown anew without words of its own
    Column("created_at_ms", BigInteger, nullable=False),
    Column("deleted_at_ms", BigInteger),
    Index("ix_posts_account_id", "account_id", "id"),
    Index("ix_posts_in_reply_to_id", "in_reply_to_id"),
    Index("ix_posts_conversation_id", "conversation_id", "id"),
)
# The public timeline reads one index range, whatever else is in the table.
_IN_PUBLIC = text(
    "visibility = 'public' AND in_reply_to_id IS NULL AND reblog_of_id IS NULL AND deleted_at_ms IS NULL"
)
Index("ix_posts_public", posts.c.id, sqlite_where=_IN_PUBLIC, postgresql_where=_IN_PUBLIC)
# Whoever boosts twice has boosted once.
_BOOSTS = text("reblog_of_id IS NOT NULL")
Index(
    "ix_posts_reblog_of_id",
    posts.c.reblog_of_id,
    posts.c.account_id,
    unique=True,
    sqlite_where=_BOOSTS,
    postgresql_where=_BOOSTS,
)

post_counts = Table(
    "post_counts",
    metadata,
    Column(
        "post_id",
        BigInteger,
        ForeignKey("posts.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("replies", BigInteger, nullable=False, server_default="0"),  # those that are for everybody
    Column("reblogs", BigInteger, nullable=False, server_default="0"),
    Column("favourites", BigInteger, nullable=False, server_default="0"),
)


def _kept(name: str) -> Table:
    """What somebody marked, in the order in which they did."""
    return Table(
        name,
        metadata,
        _id(),
        _account("account_id"),
        Column("post_id", BigInteger, ForeignKey("posts.id", ondelete="CASCADE"), nullable=False),
        Index(f"ix_{name}_account_id", "account_id", "id"),
        Index(f"ix_{name}_post_id", "post_id", "account_id", unique=True),
    )


favourites = _kept("favourites")
bookmarks = _kept("bookmarks")
pins = _kept("pins")

conversation_mutes = Table(
    "conversation_mutes",
    metadata,
    _account("account_id", primary_key=True),
    Column("conversation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("created_at_ms", BigInteger, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    _account("account_id", primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("post_id", BigInteger, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False, index=True),
)

media = Table(
    "media",
    metadata,
    _id(),
    _account("account_id"),
    Column("post_id", BigInteger, ForeignKey("posts.id", ondelete="SET NULL"), index=True),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("kind", String(16), nullable=False),  # audio (images and video come with issue E)
    Column("content_type", Text, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("details", Document, nullable=False),  # {"duration_ms": …, "waveform": […]}
    Column("clip_id", BigInteger, ForeignKey("clips.id", ondelete="SET NULL")),
    Column("created_at_ms", BigInteger, nullable=False),
)

# --- Spaces ---

spaces = Table(
    "spaces",
    metadata,
    _id(),
    _account("creator_id"),
    _account("host_id"),
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
    _account("account_id", primary_key=True),
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
    _account("account_id"),
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
    _id(),
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
    _id(),
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, index=True),
    _account("account_id"),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
)

# --- what moderators look at ---

reports = Table(
    "reports",
    metadata,
    _id(),
    Column("reporter_id", BigInteger, ForeignKey("accounts.id", ondelete="SET NULL")),
    _account("target_id"),
    Column("post_ids", Document, nullable=False),  # [id, …]
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="SET NULL")),
    Column("at_ms", BigInteger),  # a moment of the Space's timeline
    Column("clip_id", BigInteger, ForeignKey("clips.id", ondelete="SET NULL")),
    Column("category", String(16), nullable=False),  # spam, legal, violation, other
    Column("comment", Text, nullable=False),
    Column("assigned_to", BigInteger, ForeignKey("accounts.id", ondelete="SET NULL")),
    Column("resolution", String(16)),  # nothing, limited, suspended, …; NULL while it is open
    Column("resolved_by", BigInteger, ForeignKey("accounts.id", ondelete="SET NULL")),
    Column("resolved_at_ms", BigInteger),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("ix_reports_target_id", "target_id", "id"),
    Index("ix_reports_reporter_id", "reporter_id", "id"),
)
_OPEN = text("resolved_at_ms IS NULL")
Index("ix_reports_open", reports.c.id, sqlite_where=_OPEN, postgresql_where=_OPEN)

# --- how people come in ---

# A link by which others sign up. What opens is signed (surfaces/signed.py) and kept nowhere.
invites = Table(
    "invites",
    metadata,
    _id(),
    _account("account_id"),
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
    _account("account_id", primary_key=True),
    _account("inviter_id"),
    Column("invite_id", BigInteger, ForeignKey("invites.id", ondelete="CASCADE"), nullable=False),
    Column("joined_at_ms", BigInteger, nullable=False),
    Index("ix_invited_inviter_id", "inviter_id", "account_id"),
)

# Which browsers and addresses an account signed in from, as keyed hashes (accounts/marks.py), for a bounded time.
traces = Table(
    "traces",
    metadata,
    _account("account_id", primary_key=True),
    Column("kind", String(16), primary_key=True),  # browser, address
    Column("mark", LargeBinary, primary_key=True),
    Column("seen_at_ms", BigInteger, nullable=False),
    Index("ix_traces_mark", "kind", "mark"),
)

# Why a sign-up is looked at by a person: what it has in common with another account.
signup_hints = Table(
    "signup_hints",
    metadata,
    _account("account_id", primary_key=True),
    _account("other_id", primary_key=True),
    Column("kind", String(16), primary_key=True),  # mailbox, browser, address
    Column("seen_at_ms", BigInteger, nullable=False),  # when the other was last seen with it
    Column("made_at_ms", BigInteger, nullable=False, index=True),
)

# Hosts need not be told again that somebody uses a browser from which another was removed.
ignored_hints = Table(
    "ignored_hints",
    metadata,
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    _account("account_id", primary_key=True),
    Column("ignored_by", BigInteger, nullable=False),
    Column("ignored_at_ms", BigInteger, nullable=False),
)

# Mailboxes (keyed hashes) and domains of mail that nobody signs up with.
email_blocks = Table(
    "email_blocks",
    metadata,
    _id(),
    Column("mark", LargeBinary, nullable=False, unique=True),
    Column("decided_by", BigInteger),  # an account, or NULL for the operator
    Column("decided_at_ms", BigInteger, nullable=False),
)

email_domain_blocks = Table(
    "email_domain_blocks",
    metadata,
    _id(),
    Column("domain", String(253), nullable=False, unique=True),  # as DNS has it
    Column("allow_with_approval", Boolean, nullable=False, server_default=text("false")),
    Column("decided_by", BigInteger),
    Column("decided_at_ms", BigInteger, nullable=False),
)

# Ranges of addresses that are stopped; what is over or lifted stays for a while, so that moderators see it.
network_stops = Table(
    "network_stops",
    metadata,
    _id(),
    Column("network", String(50), nullable=False),
    Column("severity", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("until_ms", BigInteger),  # NULL: without end
    Column("decided_by", BigInteger),
    Column("decided_at_ms", BigInteger, nullable=False),
    Column("lifted_at_ms", BigInteger),
)

# --- the bus ---

events = Table(
    "events",
    metadata,
    Column("id", SerialKey, primary_key=True, autoincrement=True),
    Column("kind", String(64), nullable=False),
    Column("payload", Document, nullable=False),
    Column("at_ms", BigInteger, nullable=False, index=True),
    # PostgreSQL only: the writing transaction, so that a follower never passes one that is still open.
    Column("transaction_id", BigInteger, nullable=False, server_default="0"),
    Index("ix_events_position", "transaction_id", "id"),
    sqlite_autoincrement=True,
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", SerialKey, primary_key=True, autoincrement=True),
    Column("queue", String(128), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("payload", Document, nullable=False),
    Column("run_at_ms", BigInteger, nullable=False),  # while it is leased: when the lease ends
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("leased_until_ms", BigInteger),
    Column("last_error", Text),
    Column("failed_at_ms", BigInteger),
    sqlite_autoincrement=True,
)
_NOT_FAILED = text("failed_at_ms IS NULL")
# When the next is due; the first of each queue; what people have to look at.
Index("ix_jobs_run_at_ms", jobs.c.run_at_ms, sqlite_where=_NOT_FAILED, postgresql_where=_NOT_FAILED)
Index(
    "ix_jobs_queue",
    jobs.c.queue,
    jobs.c.run_at_ms,
    jobs.c.id,
    sqlite_where=_NOT_FAILED,
    postgresql_where=_NOT_FAILED,
)
Index(
    "ix_jobs_failed_at_ms",
    jobs.c.failed_at_ms,
    sqlite_where=text("failed_at_ms IS NOT NULL"),
    postgresql_where=text("failed_at_ms IS NOT NULL"),
)

server_facts = Table(
    "server_facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Document, nullable=False),
)
