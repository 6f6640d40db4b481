"""What moderators look at."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text, text

from folkmoot.storage.tables.base import Document, account_column, id_column, metadata

reports = Table(
    "reports",
    metadata,
    id_column(),
    Column("reporter_id", BigInteger, ForeignKey("accounts.id", ondelete="SET NULL")),
    account_column("target_id"),
    Column("post_ids", Document, nullable=False),  # [id, …]
    Column("space_id", BigInteger, ForeignKey("spaces.id", ondelete="SET NULL")),
    Column("at_ms", BigInteger),  # a moment of the Space's timeline
    Column("clip_id", BigInteger, ForeignKey("clips.id", ondelete="SET NULL")),
    Column("category", String(16), nullable=False),  # spam, legal, violation, other
    Column("comment", Text, nullable=False),
    Column("evidence", Document),  # moderation/reports/model.py's Evidence: all of it as it was then
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
_CLOSED = text("resolved_at_ms IS NOT NULL")
Index("ix_reports_closed", reports.c.resolved_at_ms, sqlite_where=_CLOSED, postgresql_where=_CLOSED)

# What is kept of posts for as long as a report about them is: all that they said, and their files.
reported_posts = Table(
    "reported_posts",
    metadata,
    Column("report_id", BigInteger, ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True),
    Column("post_id", BigInteger, primary_key=True, autoincrement=False, index=True),
)

reported_files = Table(
    "reported_files",
    metadata,
    Column("report_id", BigInteger, ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True),
    Column("media_id", BigInteger, primary_key=True, autoincrement=False, index=True),
    Column("object_key", Text, index=True),  # NULL: it goes when its owner deletes it
)
