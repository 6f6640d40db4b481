"""What reported posts said and showed is kept as long as the report, and who listens signed out after a removal."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reported_files",
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("media_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("object_key", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name=op.f("fk_reported_files_report_id_reports"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("report_id", "media_id", name=op.f("pk_reported_files")),
    )
    op.create_index("ix_reported_files_media_id", "reported_files", ["media_id"])
    op.create_index("ix_reported_files_object_key", "reported_files", ["object_key"])
    op.create_table(
        "reported_posts",
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name=op.f("fk_reported_posts_report_id_reports"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("report_id", "post_id", name=op.f("pk_reported_posts")),
    )
    op.create_index("ix_reported_posts_post_id", "reported_posts", ["post_id"])
    op.add_column("space_visits", sa.Column("without_account_at_ms", sa.BigInteger(), nullable=True))
    _hold_what_was_reported()


def _hold_what_was_reported() -> None:
    """What posts say from now on. Files of reports from before are not known by their keys."""
    kept = sa.table("reported_posts", sa.column("report_id"), sa.column("post_id"))
    for report_id, post_ids in op.get_bind().execute(sa.text("SELECT id, post_ids FROM reports")).all():
        ids = json.loads(post_ids) if isinstance(post_ids, str) else post_ids
        op.bulk_insert(kept, [{"report_id": report_id, "post_id": post_id} for post_id in dict.fromkeys(ids)])
