"""The two ways to the database."""

from sqlalchemy import insert, select

from folkmoot.storage.database import Database, Write
from folkmoot.storage.tables import server_facts


async def test_what_was_written_is_read(database: Database) -> None:
    async def work(tx: Write) -> None:
        await tx.connection.execute(insert(server_facts).values(name="a", value={"b": [1, None]}))

    await database.write(work)
    async with database.read() as tx:
        row = (await tx.connection.execute(select(server_facts))).one()
    assert row.value == {"b": [1, None]}
