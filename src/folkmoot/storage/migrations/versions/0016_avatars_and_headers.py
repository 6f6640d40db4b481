"""Avatars and headers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("avatar", "header"):
        op.add_column(
            "accounts",
            sa.Column(name, sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        )
