"""Run by Alembic for each command, over the connection that `migrations/__init__.py` or `new.py` hands it."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from folkmoot.storage.tables.base import Document, metadata
from folkmoot.storage.tables.search import is_described


def _rendered(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """How a new migration writes a type: Alembic's own text for a JSON document names what it doesn't import."""
    if kind != "type" or item is not Document:
        return False
    autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
    return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a column by copying the table.
    render_as_batch=True,
    render_item=_rendered,
    include_object=is_described,
)
context.run_migrations()
