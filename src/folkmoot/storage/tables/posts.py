"""The square: posts, and what hangs on them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from folkmoot.storage.tables.base import Document, account_column, id_column, metadata

posts = Table(
    "posts",
    metadata,
    id_column(),
    account_column("account_id"),
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
    Column("quoted_id", BigInteger),  # the post that this one quotes
    Column("quote_state", String(16)),  # accepted; revoked by the quoted author
    Column("quote_policy", String(16), nullable=False, server_default="public"),  # who may quote it
    Column("created_at_ms", BigInteger, nullable=False),
    Column("edited_at_ms", BigInteger),
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

_QUOTES = text("quoted_id IS NOT NULL")
Index("ix_posts_quoted_id", posts.c.quoted_id, posts.c.id, sqlite_where=_QUOTES, postgresql_where=_QUOTES)

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
    Column("quotes", BigInteger, nullable=False, server_default="0"),
)

# What a post said before each edit.
post_edits = Table(
    "post_edits",
    metadata,
    id_column(),
    Column("post_id", BigInteger, ForeignKey("posts.id", ondelete="CASCADE"), nullable=False),
    Column("source", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("spoiler_text", Text, nullable=False),
    Column("sensitive", Boolean, nullable=False),
    Column("language", String(16)),
    Column("media", Document, nullable=False),  # [{"id": …, "description": …}, …]
    Column("options", Document, nullable=False),  # of its poll: [title, …]
    Column("written_at_ms", BigInteger, nullable=False),
    Index("ix_post_edits_post_id", "post_id", "id"),
)

polls = Table(
    "polls",
    metadata,
    id_column(),
    Column("post_id", BigInteger, ForeignKey("posts.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("options", Document, nullable=False),  # [title, …]
    Column("multiple", Boolean, nullable=False),
    Column("hide_totals", Boolean, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("closed_at_ms", BigInteger),  # when people were told that it is over
    Column("tallies", Document, nullable=False),  # votes for each option
    Column("voters", BigInteger, nullable=False, server_default="0"),
)

poll_votes = Table(
    "poll_votes",
    metadata,
    id_column(),
    account_column("account_id"),
    Column("poll_id", BigInteger, ForeignKey("polls.id", ondelete="CASCADE"), nullable=False),
    Column("option", Integer, nullable=False),
    Index("ix_poll_votes_account_id", "account_id", "id"),
    Index("ix_poll_votes_poll_id", "poll_id", "account_id", "option", unique=True),
)

scheduled_posts = Table(
    "scheduled_posts",
    metadata,
    id_column(),
    account_column("account_id"),
    Column("scheduled_at_ms", BigInteger, nullable=False),
    Column("draft", Document, nullable=False),
    Column("refused", Text),  # why it couldn't be posted when its time came: it waits for its author
    Index("ix_scheduled_posts_account_id", "account_id", "id"),
)


def _kept(name: str) -> Table:
    """What somebody marked, in the order in which they did."""
    return Table(
        name,
        metadata,
        id_column(),
        account_column("account_id"),
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
    account_column("account_id", primary_key=True),
    Column("conversation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("created_at_ms", BigInteger, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    account_column("account_id", primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("post_id", BigInteger, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False, index=True),
)

media = Table(
    "media",
    metadata,
    id_column(),
    account_column("account_id"),
    Column("post_id", BigInteger, ForeignKey("posts.id", ondelete="SET NULL"), index=True),
    Column("scheduled_id", BigInteger),  # the scheduled post that will have it
    Column("position", Integer, nullable=False, server_default="0"),  # below 0: taken out by an edit
    Column("kind", String(16), nullable=False),  # audio (images and video come with issue E)
    Column("content_type", Text, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("details", Document, nullable=False),  # {"duration_ms": …, "waveform": […]}
    Column("clip_id", BigInteger, ForeignKey("clips.id", ondelete="SET NULL")),
    Column("created_at_ms", BigInteger, nullable=False),
)
