"""Jobs: enqueued with what they follow from, done at least once, no queue in another's way."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.support.clock import FakeClock
from tests.support.waiting import eventually

from folkmoot.storage.database import Database, Write
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.jobs import (
    FailedJob,
    GiveUp,
    Handler,
    Job,
    RetryPolicy,
    Worker,
    enqueue,
    failed_jobs,
    run_again,
)
from folkmoot.storage.tables.bus import jobs

LEASE_MS = 30_000
RETRY = RetryPolicy(attempts_max=3, first_delay_ms=1000)


class Hands:
    """A handler that keeps what it did, fails for some, and waits for others."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.begun: list[Any] = []
        self.failing: set[Any] = set()
        self.waiting: set[Any] = set()
        self.may_end = asyncio.Event()

    async def __call__(self, job: Job) -> None:
        self.begun.append(job.payload)
        if job.payload in self.waiting:
            await self.may_end.wait()
        if job.payload in self.failing:
            raise ValueError("no luck")
        self.done.append(job.payload)


@pytest.fixture
def hands() -> Hands:
    return Hands()


def worker(database: Database, handler: Handler, **options: Any) -> Worker:
    doorbell = Doorbell(Path("/nonexistent"))
    return Worker(
        database, {"do": handler}, doorbell=doorbell, lease_ms=LEASE_MS, retry=RETRY, chance=lambda: 0.5, **options
    )


async def put(database: Database, *payloads: Any, queue: str = "default", run_at_ms: int | None = None) -> None:
    async def work(tx: Write) -> None:
        for payload in payloads:
            await enqueue(tx, "do", payload, queue=queue, run_at_ms=run_at_ms)

    await database.write(work)


async def count(database: Database) -> int:
    async with database.read() as tx:
        return int((await tx.connection.execute(select(func.count()).select_from(jobs))).scalar_one())


async def failures(database: Database) -> list[FailedJob]:
    async with database.read() as tx:
        return await failed_jobs(tx)


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(worker.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_jobs_of_a_queue_run_in_their_order_and_are_gone(database: Database, hands: Hands) -> None:
    await put(database, 1, 2, 3)
    steps = worker(database, hands)
    assert [await steps.step() for _ in range(4)] == [1, 1, 1, 0]
    assert hands.done == [1, 2, 3]
    assert await count(database) == 0


async def test_a_job_of_a_failed_transaction_never_was(database: Database, hands: Hands) -> None:
    async def work(tx: Write) -> None:
        await enqueue(tx, "do", 1)
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(work)
    assert await worker(database, hands).step() == 0


async def test_a_job_waits_for_its_time(database: Database, hands: Hands, clock: FakeClock) -> None:
    await put(database, 1, run_at_ms=clock.now_ms + 1000)
    steps = worker(database, hands)
    clock.advance_ms(999)
    assert await steps.step() == 0
    clock.advance_ms(1)
    assert await steps.step() == 1


async def test_a_failing_job_pauses_longer_each_time_and_is_kept_in_the_end(
    database: Database, hands: Hands, clock: FakeClock
) -> None:
    hands.failing = {1}
    await put(database, 1)
    steps = worker(database, hands)
    for pause_ms in (1000, 2000):
        assert await steps.step() == 1
        clock.advance_ms(pause_ms - 1)
        assert await steps.step() == 0
        clock.advance_ms(1)
    assert await steps.step() == 1
    (failed,) = await failures(database)
    assert (failed.attempts, failed.last_error, failed.failed_at_ms) == (3, "ValueError: no luck", clock.now_ms)
    clock.advance_ms(10**9)
    assert await steps.step() == 0


async def test_a_promise_is_never_given_up(database: Database, clock: FakeClock) -> None:
    async def fails(_job: Job) -> None:
        raise OSError("the bucket is away")

    await put(database, 1)
    promising = worker(database, fails, retries={"do": RetryPolicy(attempts_max=sys.maxsize)})
    for _ in range(100):
        assert await promising.step() == 1
        clock.advance_ms(RETRY.delay_ms_max * 2)
    assert await failures(database) == []
    assert await count(database) == 1


async def test_a_failed_job_can_be_run_again(database: Database, hands: Hands) -> None:
    async def handler(job: Job) -> None:
        if not hands.begun:
            hands.begun.append(job.payload)
            raise GiveUp("gone for good")
        await hands(job)

    await put(database, 1)
    steps = worker(database, handler)
    await steps.step()
    (failed,) = await failures(database)
    assert (failed.attempts, failed.last_error) == (1, "gone for good")
    assert await database.write(lambda tx: run_again(tx, failed.id))
    assert not await database.write(lambda tx: run_again(tx, failed.id))
    await steps.step()
    assert hands.done == [1]


async def test_a_kind_without_a_handler_is_a_failure_like_others(database: Database) -> None:
    await put(database, 1)
    doorbell = Doorbell(Path("/nonexistent"))
    await Worker(database, {}, doorbell=doorbell, retry=RetryPolicy(attempts_max=1)).step()
    (failed,) = await failures(database)
    assert "No handler" in failed.last_error


async def test_a_job_whose_process_died_is_run_by_another(
    database: Database, hands: Hands, clock: FakeClock
) -> None:
    await put(database, 1)
    dead, living = worker(database, hands), worker(database, hands)
    assert len(await dead.lease()) == 1
    clock.advance_ms(LEASE_MS - 1)
    assert await living.step() == 0
    clock.advance_ms(1)
    assert await living.step() == 1
    assert hands.done == [1]


async def test_a_job_that_takes_processes_down_is_given_up(
    database: Database, hands: Hands, clock: FakeClock
) -> None:
    await put(database, 1)
    for _ in range(RETRY.attempts_max):
        assert len(await worker(database, hands).lease()) == 1
        clock.advance_ms(LEASE_MS)
    assert await worker(database, hands).step() == 0
    (failed,) = await failures(database)
    assert "ended before" in failed.last_error


async def test_a_lease_is_renewed_and_one_who_lost_it_changes_nothing(
    database: Database, hands: Hands, clock: FakeClock
) -> None:
    hands.waiting = {1}
    await put(database, 1)
    slow, other = worker(database, hands), worker(database, hands)
    step = asyncio.create_task(slow.step())
    await eventually(lambda: hands.begun == [1])
    clock.advance_ms(LEASE_MS - 1)
    await slow.renew()
    clock.advance_ms(LEASE_MS - 1)
    assert await other.lease() == []
    clock.advance_ms(1)
    (taken,) = await other.lease()
    assert taken.attempt == 2
    hands.may_end.set()
    await step
    assert await count(database) == 1


async def test_a_stuck_queue_does_not_delay_another(database: Database, hands: Hands) -> None:
    hands.waiting = {"stuck"}
    hands.failing = {"bad"}
    await put(database, *["stuck"] * 5, queue="stuck.test")
    await put(database, *["bad"] * 5, queue="bad.test")
    await put(database, 1, 2, 3, queue="good.test")
    async with running(worker(database, hands)):
        await eventually(lambda: hands.done == [1, 2, 3])
        assert hands.begun.count("stuck") == 1


async def test_a_queue_may_have_several_places(database: Database, hands: Hands) -> None:
    hands.waiting = {1, 2, 3}
    await put(database, 1, 2, 3, queue="media")
    async with running(worker(database, hands, places=lambda queue: 2 if queue == "media" else 1)):
        await eventually(lambda: hands.begun == [1, 2])
        hands.may_end.set()
        await eventually(lambda: sorted(hands.done) == [1, 2, 3])


async def test_there_is_a_bound_to_all_queues_together(database: Database, hands: Hands) -> None:
    hands.waiting = set(range(6))
    for number in range(6):
        await put(database, number, queue=f"{number}.test")
    async with running(worker(database, hands, jobs_at_once_max=4)):
        await eventually(lambda: len(hands.begun) == 4)
        hands.may_end.set()
        await eventually(lambda: len(hands.done) == 6)


async def test_a_worker_that_is_stopped_hands_back_what_it_held(database: Database, hands: Hands) -> None:
    hands.waiting = {1}
    await put(database, 1)
    async with running(worker(database, hands)):
        await eventually(lambda: hands.begun == [1])
    (job,) = await worker(database, hands).lease()
    assert job.attempt == 1


async def test_workers_never_lease_the_same_job_twice(database: Database, hands: Hands) -> None:
    for number in range(40):
        await put(database, number, queue=f"{number % 8}.test")
    taken: list[int] = []

    async def take() -> None:
        mine = worker(database, hands, places=lambda _queue: 100)
        empty = 0
        while empty < 3:  # another worker may just hold the locks of all that is due
            leased = await mine.lease()
            taken.extend(job.payload for job in leased)
            empty = 0 if leased else empty + 1

    await asyncio.gather(*(take() for _ in range(6)))
    assert len(taken) == len(set(taken))
    await take()
    assert sorted(taken) == list(range(40))


async def test_the_doorbell_wakes_a_worker(
    database_url: str, clock: FakeClock, hands: Hands, tmp_path: Path
) -> None:
    doorbell = Doorbell(tmp_path)
    database = Database(database_url, clock_ms=clock, ring=doorbell.ring)
    waking = Worker(database, {"do": hands}, doorbell=doorbell)
    async with running(waking), asyncio.timeout(10):
        for number in range(20):  # 20 s if it were found by looking
            await put(database, number)
            await eventually(lambda: len(hands.done) == number + 1)  # noqa: B023
    await database.close()
