"""What people are told of, and where it is pushed to."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, String, Table, Text, text

from folkmoot.storage.tables.base import Document, account_column, id_column, metadata

notifications = Table(
    "notifications",
    metadata,
    id_column(),
    account_column("account_id"),  # who is told
    Column("kind", String(32), nullable=False),
    account_column("from_id"),  # whose doing it is
    Column("post_id", BigInteger, ForeignKey("posts.id", ondelete="CASCADE")),
    Column("about_id", BigInteger),  # the report, the sanction, the Space, …: by the kind
    Column("key", String(128), nullable=False),  # what happened: nobody is told of one thing twice
    Column("group_key", String(64), nullable=False),
    Column("filtered", Boolean, nullable=False, server_default=text("false")),  # waits as a request
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_notifications_account_id", "account_id", "id"),
    Index("ix_notifications_key", "account_id", "key", unique=True),
    Index("ix_notifications_group_key", "account_id", "group_key", "id"),
    Index("ix_notifications_from_id", "from_id"),
    Index("ix_notifications_post_id", "post_id"),
    Index("ix_notifications_created_at_ms", "created_at_ms"),
)

# From whom somebody wants to be told; who has no row, from everybody but strangers in private.
notification_policies = Table(
    "notification_policies",
    metadata,
    account_column("account_id", primary_key=True),
    Column("policy", Document, nullable=False),  # {"for_not_following": "accept" | "filter" | "drop", …}
)

# Whose request was accepted: the policy filters them no more.
notification_permissions = Table(
    "notification_permissions",
    metadata,
    account_column("account_id", primary_key=True),
    account_column("from_id", primary_key=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_notification_permissions_from_id", "from_id"),
)

# One a token: it goes with it.
push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    id_column(),
    Column("token_id", BigInteger, ForeignKey("tokens.id", ondelete="CASCADE"), nullable=False, unique=True),
    account_column("account_id"),
    Column("endpoint", Text, nullable=False),
    Column("p256dh", Text, nullable=False),  # the browser's public key, base64url
    Column("auth", Text, nullable=False),  # and the secret that it shares with us
    Column("standard", Boolean, nullable=False, server_default=text("true")),  # RFC 8291, not its draft
    Column("policy", String(16), nullable=False, server_default="all"),  # all, followed, follower, none
    Column("alerts", Document, nullable=False),  # {"mention": true, …}
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_push_subscriptions_account_id", "account_id"),
)
