"""What every table is made of: one set of them, and the columns that many have."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, MetaData
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Document = JSON().with_variant(JSONB(), "postgresql")
# SQLite numbers rows by itself only where the key is declared INTEGER.
SerialKey = BigInteger().with_variant(Integer(), "sqlite")


def id_column(name: str = "id") -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def account_column(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    return Column(
        name,
        BigInteger,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=nullable,
        primary_key=primary_key,
        autoincrement=False,
    )
