"""A worker that kills itself (SIGKILL) in its n-th transaction of a deletion (support/killing.py)."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from tests.support.square import Square

from folkmoot.accounts import deletion
from folkmoot.gate import Acting, Action, Gate
from folkmoot.leaving.job import Leaving
from folkmoot.mail.outbox import Outbox
from folkmoot.storage.database import Database, Write
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.jobs import Worker
from folkmoot.storage.tables.bus import jobs
from folkmoot.storage.tables.people import deletions
from folkmoot.storage.tables.posts import posts


class DeadlyGate(Gate):
    def __init__(self, database: Database, transactions: int) -> None:
        super().__init__(database)
        self.transactions = transactions

    async def act(self, permit: Any, work: Callable[[Acting], Awaitable[Any]]) -> Any:
        async def deadly(acting: Acting) -> Any:
            done = await work(acting)
            self.transactions -= 1
            if self.transactions == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        return await super().act(permit, deadly)


async def prepare(database: Database) -> None:
    square = Square(database)
    carol = await square.person("carol")
    for number in range(9):
        await square.say(carol, f"post {number}")
    permit = square.gate.permit_system(Action.LEAVE, "test")
    await square.gate.act(permit, lambda acting: deletion.ask(acting, carol, Outbox(is_open=False), grace_ms=0))


async def work(database: Database, transactions: int) -> None:
    # The lease of the one that was killed is over, as if half a minute had gone by.
    async def due(tx: Write) -> None:
        await tx.connection.execute(update(jobs).values(run_at_ms=0, leased_until_ms=None))

    await database.write(due)
    kinds = {deletion.DELETE_ACCOUNT: Leaving(DeadlyGate(database, transactions), batch=2).run}
    while await Worker(database, kinds, doorbell=Doorbell(Path("/nonexistent"))).step():
        pass


async def look(database: Database) -> None:
    async with database.read() as read:
        assert (await read.connection.execute(select(posts.c.id))).all() == []
        of_it = select(jobs.c.id).where(jobs.c.kind == deletion.DELETE_ACCOUNT)
        assert (await read.connection.execute(of_it)).all() == []
        assert (await read.connection.execute(select(deletions.c.done_at_ms))).scalar_one() is not None


def run(url: str, what: str, transactions: int = 0) -> None:
    asyncio.run(_main(url, what, transactions))


async def _main(url: str, what: str, transactions: int) -> None:
    database = Database(url, slot=1, clock_ms=lambda: time.time_ns() // 1_000_000)
    try:
        if what == "prepare":
            await prepare(database)
        elif what == "work":
            await work(database, transactions)
        else:
            await look(database)
    finally:
        await database.close()
