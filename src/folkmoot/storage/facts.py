"""Small facts of the whole server, by name: positions of followers, what was pruned."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.storage.database import Read, Write
from folkmoot.storage.tables.bus import server_facts


async def read_fact(tx: Read, name: str) -> Any:
    """The value stored under `name`, or None."""
    statement = select(server_facts.c.value).where(server_facts.c.name == name)
    return (await tx.connection.execute(statement)).scalar_one_or_none()


async def write_fact(tx: Write, name: str, value: Any) -> None:
    """Store a JSON value under `name` in place of the former one."""
    insert = (sqlite if tx.is_sqlite else postgresql).insert(server_facts).values(name=name, value=value)
    await tx.connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
