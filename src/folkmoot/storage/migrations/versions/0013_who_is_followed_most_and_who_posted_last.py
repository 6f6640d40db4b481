"""Who is followed most and who posted last."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_account_counts_followers", "account_counts", ["followers"])
    op.create_index("ix_account_counts_last_post_id", "account_counts", ["last_post_id"])
