"""A program for tests to kill (support/killing.py): it publishes what is due, and says a line for each."""

import asyncio
import sys
from pathlib import Path

from folkmoot.gate import Gate
from folkmoot.posts import scheduled
from folkmoot.spaces import threads
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.jobs import Job, Worker

LEASE_MS = 400


def run(url: str, doorbells: Path) -> None:
    asyncio.run(_main(url, doorbells))


async def _main(url: str, doorbells: Path) -> None:
    doorbell = Doorbell(doorbells)
    database = Database(url, slot=9, ring=doorbell.ring)
    publish = scheduled.publisher(Gate(database), threads.admit)

    async def handler(job: Job) -> None:
        await publish(job)
        sys.stdout.write(f"{job.payload['scheduled']}\n")
        sys.stdout.flush()
        await asyncio.sleep(0.005)  # killed here, the job comes again

    async with doorbell.listening(url):
        await Worker(database, {scheduled.PUBLISH: handler}, doorbell=doorbell, lease_ms=LEASE_MS).run()
