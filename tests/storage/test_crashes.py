"""Processes that are killed at any moment, and several that write at once: what was acknowledged holds."""

import random
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.storage.crash_program import run
from tests.support.clock import FakeClock
from tests.support.killing import start
from tests.support.waiting import PATIENCE_S, wait_until

from folkmoot.storage.database import Database, Write
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.events import Event, Follower, Position
from folkmoot.storage.facts import read_fact, write_fact
from folkmoot.storage.jobs import Job, Worker, enqueue
from folkmoot.storage.tables.bus import jobs, server_facts

ROUNDS = 5


class Processes:
    """Starts the program, whose acknowledgements go to files, and kills it."""

    def __init__(self, url: str, directory: Path) -> None:
        self.doorbells = directory / "doorbells"
        self._url = url
        self._directory = directory
        self._started = 0

    def start(self, verb: str, argument: int = 0) -> tuple[BaseProcess, Path]:
        self._started += 1
        said = self._directory / f"said-{self._started}"
        return start(run, verb, self._url, self.doorbells, argument, said=said), said

    def kill_after(self, verb: str, argument: int, acknowledgements: int, delay_s: float) -> list[int]:
        """Start, wait for so many acknowledgements and a moment more, kill -9; return all it acknowledged."""
        process, said = self.start(verb, argument)
        wait_until(lambda: len(heard(said)) >= acknowledgements or not process.is_alive())
        time.sleep(delay_s)
        process.kill()
        process.join()
        assert process.exitcode == -9
        return heard(said)


def heard(said: Path) -> list[int]:
    return [int(line) for line in said.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


@pytest.fixture
def processes(database_url: str, tmp_path: Path) -> Processes:
    return Processes(database_url, tmp_path)


@pytest.mark.slow
async def test_what_a_killed_writer_acknowledged_is_delivered_and_done(
    database: Database, processes: Processes, clock: FakeClock
) -> None:
    chance = random.Random(7)
    acknowledged: set[int] = set()
    for number in range(1, ROUNDS + 1):
        delay_s = chance.random() * 0.05
        acknowledged |= set(processes.kill_after("write", number * 100_000, chance.randrange(60), delay_s))
    assert acknowledged

    delivered: list[int] = []
    done: list[int] = []

    async def on_event(event: Event) -> None:
        delivered.append(event.payload["number"])

    async def on_job(job: Job) -> None:
        done.append(job.payload)

    clock.now_ms = time.time_ns() // 1_000_000
    doorbell = Doorbell(processes.doorbells)
    follower = Follower(database, "test", on_event, doorbell=doorbell, start=Position(0, 0))
    while await follower.step():
        pass
    worker = Worker(database, {"do": on_job}, doorbell=doorbell)
    while await worker.step():
        pass
    async with database.read() as tx:
        rows = await tx.connection.execute(select(server_facts.c.name))
        written = {int(name) for (name,) in rows if name.isdigit()}
    assert acknowledged <= written
    assert sorted(delivered) == sorted(written) == sorted(done)
    assert not any(number % 3 == 0 for number in delivered), "rolled back, and yet announced"


@pytest.mark.slow
async def test_a_killed_worker_loses_no_job(database: Database, processes: Processes, clock: FakeClock) -> None:
    expected = set(range(300))

    async def fill(tx: Write) -> None:
        for number in expected:
            await enqueue(tx, "do", number, queue=f"{number % 7}.test")

    clock.now_ms = time.time_ns() // 1_000_000
    await database.write(fill)
    chance = random.Random(7)
    ran: set[int] = set()
    for _ in range(ROUNDS):
        ran |= set(processes.kill_after("work", 0, chance.randrange(40), chance.random() * 0.02))
    last, said = processes.start("work")
    wait_until(lambda: ran | set(heard(said)) == expected)
    last.terminate()
    last.join()
    async with database.read() as tx:
        left = select(func.count()).select_from(jobs).where(jobs.c.failed_at_ms.is_not(None))
        assert (await tx.connection.execute(left)).scalar_one() == 0


@pytest.mark.slow
async def test_processes_that_write_at_once_get_their_turn(database: Database, processes: Processes) -> None:
    await database.write(lambda tx: write_fact(tx, "counter", 0))
    started = [processes.start("count", slot)[0] for slot in range(4)]
    for process in started:
        process.join(timeout=PATIENCE_S)
    assert [process.exitcode for process in started] == [0, 0, 0, 0]
    async with database.read() as tx:
        assert await read_fact(tx, "counter") == 4 * 3 * 25
