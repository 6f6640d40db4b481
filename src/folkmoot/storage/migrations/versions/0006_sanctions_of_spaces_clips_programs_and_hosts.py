"""Sanctions of Spaces, clips, programs and hosts of other networks, beside those of accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ABOUT = ("account_id", "space_id", "clip_id", "application_id", "host")
_OPEN = sa.text("lifted_at_ms IS NULL")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("host", sa.String(length=253), nullable=True))
    # SQLite changes `sanctions` by copying it, and takes along what hangs on the table that it drops.
    op.execute("CREATE TEMPORARY TABLE kept_appeals AS SELECT * FROM appeals")
    _sanctions()
    op.execute("INSERT INTO appeals SELECT * FROM kept_appeals WHERE id NOT IN (SELECT id FROM appeals)")
    op.execute("DROP TABLE kept_appeals")
    _stopped_programs()


def _sanctions() -> None:
    op.drop_index("ix_sanctions_open", "sanctions")
    with op.batch_alter_table("sanctions", schema=None) as batch_op:
        for column, table in (("space_id", "spaces"), ("clip_id", "clips"), ("application_id", "applications")):
            batch_op.add_column(sa.Column(column, sa.BigInteger(), nullable=True))
            name = op.f(f"fk_sanctions_{column}_{table}")
            batch_op.create_foreign_key(name, table, [column], ["id"], ondelete="CASCADE")
        batch_op.add_column(sa.Column("host", sa.String(length=253), nullable=True))
        batch_op.add_column(sa.Column("private_note", sa.Text(), server_default="", nullable=False))
        batch_op.alter_column("account_id", existing_type=sa.BigInteger(), nullable=True)
        counted = " + ".join(f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END" for column in _ABOUT)
        batch_op.create_check_constraint("ck_sanctions_about_one", f"{counted} = 1")
    op.create_index("ix_sanctions_open", "sanctions", ["account_id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    for column in _ABOUT[1:]:
        some = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_sanctions_{column}", "sanctions", [column], sqlite_where=some, postgresql_where=some)


def _stopped_programs() -> None:
    # One row a program: its id serves as the sanction's, which no other id equals.
    op.execute(
        "INSERT INTO sanctions (id, application_id, standing, reason, decided_at_ms)"
        " SELECT id, id, 'stopped', stopped_reason, stopped_at_ms FROM applications WHERE stopped_at_ms IS NOT NULL"
    )
    for column in ("stopped_at_ms", "stopped_reason"):
        op.execute(f"ALTER TABLE applications DROP COLUMN {column}")
