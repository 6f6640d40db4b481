"""Events, jobs and what the server knows of itself."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, text

from folkmoot.storage.tables.base import Document, SerialKey, metadata

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
