"""Applications that moderators have stopped."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stopped_at_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("stopped_reason", sa.Text(), server_default="", nullable=False))
