"""Who is named and listed, and why a post did not come."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_AFTER_RELOAD_MS = 120_000


def upgrade() -> None:
    op.add_column("scheduled_posts", sa.Column("refused", sa.Text(), nullable=True))
    for flag in ("discoverable", "indexable"):
        op.create_index(
            f"ix_accounts_{flag}",
            "accounts",
            ["id"],
            sqlite_where=sa.text(f"{flag} = 1"),
            postgresql_where=sa.text(flag),
        )
    op.create_index(
        "ix_tokens_of_programs",
        "tokens",
        ["application_id", "id"],
        sqlite_where=sa.text("account_id IS NULL"),
        postgresql_where=sa.text("account_id IS NULL"),
    )
    # What was written until now gets labels of whom it names by jobs (`posts/labelling.py`): here it would keep
    # everybody from writing for as long as it takes. After the version before, which goes on until a minute after a
    # reload, writes no more.
    op.execute(
        sa.text(
            "INSERT INTO jobs (queue, kind, payload, run_at_ms)"
            " SELECT 'search.label_named', 'search.label_named', '{}', :run_at_ms"
            " WHERE EXISTS (SELECT 1 FROM post_words)"
        ).bindparams(run_at_ms=time.time_ns() // 1_000_000 + _AFTER_RELOAD_MS)
    )
