"""A program for tests to run in processes of their own, and to kill (support/killing.py).

It acknowledges on standard output, a line for each: `write` what it has committed, `work` what its jobs have done.
"""

import asyncio
import itertools
import sys
from pathlib import Path

from sqlalchemy import insert, select, update

from folkmoot.storage.database import Database, Write
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.events import emit
from folkmoot.storage.facts import write_fact
from folkmoot.storage.jobs import Job, Worker, enqueue
from folkmoot.storage.tables.bus import server_facts

TASKS = 3
LEASE_MS = 400


def acknowledge(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


async def write_forever(database: Database, first: int) -> None:
    """Commit a fact, an event and a job together, over and over; every third time roll all of them back."""
    numbers = itertools.count(first)

    async def one_by_one() -> None:
        for number in numbers:

            async def work(tx: Write, number: int = number) -> None:
                await emit(tx, "said", {"number": number})
                await enqueue(tx, "do", number, queue=f"{number % 3}.test")
                await write_fact(tx, str(number), number)
                if number % 3 == 0:
                    raise LookupError

            try:
                await database.write(work)
            except LookupError:
                continue
            acknowledge(number)

    await asyncio.gather(*(one_by_one() for _ in range(TASKS)))


async def work_forever(database: Database, doorbell: Doorbell) -> None:
    async def handler(job: Job) -> None:
        await asyncio.sleep(0.002)
        acknowledge(job.payload)

    async with doorbell.listening(database.url):
        await Worker(database, {"do": handler}, doorbell=doorbell, lease_ms=LEASE_MS).run()


async def count_up(database: Database, times: int) -> None:
    """Add one to a counter that others add to as well, each time having read it first."""

    async def work(tx: Write) -> None:
        found = select(server_facts.c.value).where(server_facts.c.name == "counter")
        count = (await tx.connection.execute(found)).scalar_one()
        changed = update(server_facts).where(server_facts.c.name == "counter").values(value=count + 1)
        await tx.connection.execute(changed)
        await tx.connection.execute(insert(server_facts).values(name=str(tx.new_id()), value=None))

    for _ in range(times):
        await database.write(work)


def run(verb: str, url: str, doorbells: Path, argument: int) -> None:
    asyncio.run(_main(verb, url, doorbells, argument))


async def _main(verb: str, url: str, doorbells: Path, argument: int) -> None:
    doorbell = Doorbell(doorbells)
    database = Database(url, slot=argument % 64, ring=doorbell.ring)
    if verb == "write":
        await write_forever(database, argument)
    elif verb == "work":
        await work_forever(database, doorbell)
    else:
        await asyncio.gather(*(count_up(database, 25) for _ in range(TASKS)))
    await database.close()
