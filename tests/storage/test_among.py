"""Lists as one parameter."""

from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.dialects import sqlite

from folkmoot.storage.among import among, among_given
from folkmoot.storage.database import Database, Read
from folkmoot.storage.facts import write_fact
from folkmoot.storage.tables.bus import server_facts
from folkmoot.storage.tables.posts import posts

NAMES = [f'{n}, it\'s "{n}"' for n in range(2_000)]  # more than SQLite takes as parameters of their own


async def _named(read: Read, condition: ColumnElement[bool], asked: dict[str, Any] | None = None) -> set[str]:
    return set((await read.connection.execute(select(server_facts.c.name).where(condition), asked)).scalars())


async def test_what_is_in_a_list_is_found(database: Database) -> None:
    for name in (NAMES[0], NAMES[-1], "another"):
        await database.write(partial(write_fact, name=name, value=None))
    async with database.read() as read:
        given = among_given(server_facts.c.name, "names")
        assert await _named(read, given, {"names": NAMES}) == {NAMES[0], NAMES[-1]}
        assert await _named(read, given, {"names": []}) == set(), "a statement is one for lists of any length"
        assert await _named(read, ~given, {"names": NAMES}) == {"another"}
        assert await _named(read, among(read, server_facts.c.name, {"another"})) == {"another"}


async def test_an_index_is_used_on_sqlite(database: Database) -> None:
    wanted = select(posts.c.id).where(among_given(posts.c.id, "ids"))
    async with database.read() as read:
        if read.is_sqlite:
            statement = str(wanted.compile(dialect=sqlite.dialect(paramstyle="named")))
            plan = await read.connection.execute(text(f"EXPLAIN QUERY PLAN {statement}"), {"ids": "[]"})
            assert any("SEARCH posts" in step.detail for step in plan)
