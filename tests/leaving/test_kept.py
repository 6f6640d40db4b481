"""Of a deleted account nothing is left but what docs/data.md names: asked of every table there is, and will be."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Integer, LargeBinary, Table, func, insert, select
from tests.support.square import Square

from folkmoot.accounts import deletion
from folkmoot.gate import Action, Gate
from folkmoot.leaving import kept
from folkmoot.leaving.job import Leaving
from folkmoot.mail.outbox import Outbox
from folkmoot.storage.database import Database, Write
from folkmoot.storage.jobs import Job
from folkmoot.storage.tables.base import metadata
from folkmoot.storage.tables.people import accounts, deletions, sanctions
from folkmoot.storage.tables.posts import posts
from folkmoot.storage.tables.spaces import spaces

DATA = Path(__file__).parents[2] / "docs" / "data.md"
COLUMNS = [column for table in metadata.sorted_tables for column in table.columns]
NAMING = [column for column in COLUMNS if kept.names_account(column)]
# Made by the product's own actions: made up, they would be no posts, Spaces or decisions.
REAL = {"accounts", "deletions", "posts", "sanctions", "spaces"}


def name_of(column: Column[Any]) -> str:
    return f"{column.table.name}.{column.name}"


class Filling:
    """A row in every table, for every column that names an account."""

    def __init__(self, tx: Write, account_id: int, other_id: int, post_id: int, space_id: int) -> None:
        self.tx = tx
        self.account_id = account_id
        self.other_id = other_id
        self.keys = {"posts.id": post_id, "spaces.id": space_id}

    async def fill(self, column: Column[int]) -> None:
        values: dict[str, Any] = {column.name: self.account_id}
        if column.table.name == "space_members":
            values |= {"role": "listener", "document": {"account_id": self.account_id}}
        await self._insert(metadata.tables[column.table.name], values)

    async def _insert(self, table: Table, values: dict[str, Any]) -> dict[str, Any]:
        for column in table.columns:
            if column.name not in values:
                values[column.name] = await self._value(column)
        await self.tx.connection.execute(insert(table).values(**values))
        return values

    async def _value(self, column: Column[Any]) -> Any:
        targets = [key.target_fullname for key in column.foreign_keys]
        if "accounts.id" in targets:
            return self.other_id
        if column.nullable:
            return None
        if targets:
            return await self._key(targets[0])
        number = self.tx.new_id()
        empty: Any = {} if column.name == "details" else []
        for kind, made in (
            (Boolean, False), (JSON, empty), (LargeBinary, number.to_bytes(8, "big")), (BigInteger, number),
            (Integer, number % 1000), (Float, 0.0),
        ):  # fmt: skip
            if isinstance(column.type, kind):
                return made
        return str(number)[-16:]

    async def _key(self, target: str) -> Any:
        if target not in self.keys:
            table_name, _, column = target.partition(".")
            table = metadata.tables[table_name]
            own = {one.name: self.other_id for one in table.columns if kept.names_account(one)}
            self.keys[target] = (await self._insert(table, own))[column]
        return self.keys[target]


async def left(database: Database, account_id: int) -> dict[str, int]:
    """How many rows name the account, by column."""
    found = {}
    async with database.read() as read:
        for column in NAMING:
            counted = select(func.count()).select_from(column.table).where(column == account_id)
            found[name_of(column)] = int((await read.connection.execute(counted)).scalar_one())
    return {name: count for name, count in found.items() if count}


async def fill_all(square: Square, account_id: int, other_id: int) -> None:
    post = await square.say(account_id, "something to answer")
    await square.say(other_id, "an answer", answering=post)
    await square.say(account_id, "something that nobody answers")

    there = await left(square.database, account_id)

    async def fill(tx: Write) -> None:
        space_id = tx.new_id()
        await tx.connection.execute(insert(spaces).values(**_a_space(space_id, account_id, tx.now_ms)))
        filling = Filling(tx, account_id, other_id, post.id, space_id)
        for column in NAMING:
            if column.table.name not in REAL and name_of(column) not in there:
                await filling.fill(column)
        await tx.connection.execute(
            insert(sanctions).values(
                id=tx.new_id(), account_id=account_id, standing="limited", decided_at_ms=0, lifted_at_ms=1
            )
        )

    await square.database.write(fill)


def _a_space(space_id: int, account_id: int, now_ms: int) -> dict[str, Any]:
    columns = {"creator_id": account_id, "host_id": account_id, "title": "A room", "topics": [], "language": "en"}
    state = {"state": "ended", "audience": "public", "speak_policy": "everyone", "recorded": True}
    document = {**columns, **state, "id": space_id, "created_at_ms": now_ms, "members": {}}
    return {**columns, **state, "id": space_id, "created_at_ms": now_ms, "document": document}


async def delete_account(square: Square, account_id: int) -> None:
    asking = square.gate.permit_system(Action.LEAVE, "test")
    await square.gate.act(
        asking, lambda acting: deletion.ask(acting, account_id, Outbox(is_open=False), grace_ms=0)
    )
    job = Job(1, "default", deletion.DELETE_ACCOUNT, {"account": str(account_id)}, 1)
    await Leaving(Gate(square.database), batch=2).run(job)


async def test_nothing_is_left_but_what_the_docs_name(database: Database) -> None:
    square = Square(database)
    carol, dave = await square.person("carol"), await square.person("dave")
    await fill_all(square, carol, dave)
    before = await left(database, carol)
    assert {name_of(column) for column in NAMING} - {"deletions.account_id"} <= before.keys()
    of_dave = await left(database, dave)
    await delete_account(square, carol)
    assert (await left(database, carol)).keys() == kept.KEPT | kept.PASSED_ON  # the Space is empty
    after_dave = await left(database, dave)
    assert after_dave["posts.account_id"] == of_dave["posts.account_id"]
    async with database.read() as read:
        row = (await read.connection.execute(select(accounts).where(accounts.c.id == carol))).one()
        tombstone = (await read.connection.execute(select(posts).where(posts.c.account_id == carol))).one()
        done = (await read.connection.execute(select(deletions.c.done_at_ms))).scalar_one()
    assert "carol" not in str(row)
    assert (tombstone.source, tombstone.html, tombstone.mentions, tombstone.tags) == ("", "", [], [])
    assert done is not None


def test_what_stays_is_named_in_the_docs() -> None:
    named = set(re.findall(r"`(\w+\.\w+)`", DATA.read_text()))
    assert named >= kept.KEPT | kept.PASSED_ON | kept.NUMBERS


def test_every_number_of_an_account_is_known() -> None:
    """A column without a foreign key that may hold one says so in leaving/kept.py."""
    by = re.compile(r"(_by|account_id)$")
    found = {name_of(column) for column in COLUMNS if by.search(column.name) and not kept.names_account(column)}
    assert found == kept.NUMBERS
    assert {name_of(column) for column in NAMING} >= kept.KEPT | kept.PASSED_ON


@pytest.mark.parametrize("column", kept.erased(), ids=name_of)
def test_what_is_erased_names_an_account(column: Column[int]) -> None:
    assert kept.names_account(column)
