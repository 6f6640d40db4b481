"""How somebody reads: lists, tags, filters, how far they came, conversations; what is put up for all."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from folkmoot.storage.tables.base import Document, account_column, id_column, metadata

_TAG = String(500)


def _of(table: str, *, primary_key: bool = False) -> Column[int]:
    """A row of another table, with which this one goes."""
    return Column(
        f"{table[:-1]}_id",
        BigInteger,
        ForeignKey(f"{table}.id", ondelete="CASCADE"),
        nullable=False,
        primary_key=primary_key,
        autoincrement=False,
    )


lists = Table(
    "lists",
    metadata,
    id_column(),
    account_column("account_id"),
    Column("title", Text, nullable=False),
    Column("replies_policy", String(16), nullable=False),  # list, followed, none: to whom replies are shown
    Column("exclusive", Boolean, nullable=False),  # its people are not shown in home
    Index("ix_lists_account_id", "account_id", "id"),
)

# Whose list it is stands here too, so that with a follow its rows are gone; NULL where one is in one's own.
list_members = Table(
    "list_members",
    metadata,
    _of("lists", primary_key=True),
    account_column("account_id", primary_key=True),
    Column("follower_id", BigInteger),
    ForeignKeyConstraint(
        ["follower_id", "account_id"],
        ["follows.follower_id", "follows.followee_id"],
        name="fk_list_members_follower_id_follows",
        ondelete="CASCADE",
    ),
    Index("ix_list_members_account_id", "account_id", "follower_id"),
)

# The tags of posts that everybody may see: what a tag's timeline reads.
post_tags = Table(
    "post_tags",
    metadata,
    Column("name", _TAG, primary_key=True),
    _of("posts", primary_key=True),
    account_column("account_id"),
    Column("listed", Boolean, nullable=False),  # public, rather than unlisted
    Index("ix_post_tags_post_id", "post_id"),
    Index("ix_post_tags_account_id", "account_id", "name", "post_id"),
)


def _tags_of_somebody(name: str) -> Table:
    return Table(
        name,
        metadata,
        id_column(),
        account_column("account_id"),
        Column("name", _TAG, nullable=False),
        UniqueConstraint("account_id", "name"),
        Index(f"ix_{name}_account_id", "account_id", "id"),
    )


followed_tags = _tags_of_somebody("followed_tags")
featured_tags = _tags_of_somebody("featured_tags")

filters = Table(
    "filters",
    metadata,
    id_column(),
    account_column("account_id"),
    Column("title", Text, nullable=False),
    Column("contexts", Document, nullable=False),  # ["home", "notifications", "public", "thread", "account"]
    Column("action", String(16), nullable=False),  # warn, hide, blur
    Column("expires_at_ms", BigInteger),
    Index("ix_filters_account_id", "account_id", "id"),
)

filter_keywords = Table(
    "filter_keywords",
    metadata,
    id_column(),
    _of("filters"),
    Column("keyword", Text, nullable=False),
    Column("whole_word", Boolean, nullable=False),
    Index("ix_filter_keywords_filter_id", "filter_id", "id"),
)

filter_statuses = Table(
    "filter_statuses",
    metadata,
    id_column(),
    _of("filters"),
    _of("posts"),
    UniqueConstraint("filter_id", "post_id"),
    Index("ix_filter_statuses_post_id", "post_id"),
)

# How far somebody has read.
markers = Table(
    "markers",
    metadata,
    account_column("account_id", primary_key=True),
    Column("timeline", String(16), primary_key=True),  # home, notifications
    Column("last_read_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
)

# Direct posts, as each who takes part sees them: their newest one stands for all.
conversations = Table(
    "conversations",
    metadata,
    id_column(),
    account_column("account_id"),
    Column("conversation_id", BigInteger, nullable=False),
    Column("last_post_id", BigInteger, nullable=False),
    Column("unread", Boolean, nullable=False),
    UniqueConstraint("account_id", "conversation_id"),
    Index("ix_conversations_account_id", "account_id", "last_post_id"),
    Index("ix_conversations_last_post_id", "last_post_id"),
)

announcements = Table(
    "announcements",
    metadata,
    id_column(),
    Column("text", Text, nullable=False),
    Column("starts_at_ms", BigInteger),
    Column("ends_at_ms", BigInteger),
    Column("all_day", Boolean, nullable=False, server_default=text("false")),
    Column("published_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
)

announcement_dismissals = Table(
    "announcement_dismissals",
    metadata,
    account_column("account_id", primary_key=True),
    _of("announcements", primary_key=True),
    Index("ix_announcement_dismissals_announcement_id", "announcement_id"),
)

announcement_reactions = Table(
    "announcement_reactions",
    metadata,
    _of("announcements", primary_key=True),
    account_column("account_id", primary_key=True),
    Column("name", String(64), primary_key=True),  # an emoji, or the shortcode of one of this server's
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_announcement_reactions_account_id", "account_id"),
)

# Pictures that stand for `:shortcode:`.
custom_emojis = Table(
    "custom_emojis",
    metadata,
    id_column(),
    Column("shortcode", String(64), nullable=False, unique=True),
    Column("category", Text),
    Column("visible_in_picker", Boolean, nullable=False, server_default=text("true")),
    Column("content_type", String(32), nullable=False),
    Column("object_key", Text, nullable=False),
    Column("static_key", Text, nullable=False),  # its first picture, where it moves; else the same
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
)
