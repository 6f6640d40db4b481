"""Passkeys that ask for a new password, too."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "passkeys", sa.Column("signs_in_alone", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
