"""Jobs: work to be done after a transaction, enqueued in it, done at least once.

Two states of a row matter to the machinery: due (`run_at_ms` has come) and failed for good (`failed_at_ms`). A
lease is a `run_at_ms` in the near future: a process that dies with a job makes it due again by doing nothing.
Whoever finishes a job names the attempt it had, so that one who lost its lease changes nothing.

Queues are names, made by using them (one for each remote host). Each runs at most so many jobs at a time, one if
nothing else is said, and a job is picked by queue first: a long or failing queue can fill its own places only.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
import structlog
from sqlalchemy import ColumnElement, Text, bindparam, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from folkmoot.storage.database import Database, DatabaseBusy, Read, Write
from folkmoot.storage.doorbell import CHANNEL, Doorbell, heard
from folkmoot.storage.tables.bus import jobs
from folkmoot.storage.upserts import batches

log = structlog.get_logger(__name__)
POLL_EVERY_S = 1.0
JOBS_AT_ONCE_MAX = 32
_ERROR_CHARACTERS_MAX = 2000


class Job(msgspec.Struct, frozen=True):
    """One job as a handler gets it. `attempt` counts from 1; `payload` is the JSON that was enqueued."""

    id: int
    queue: str
    kind: str
    payload: Any
    attempt: int


class FailedJob(msgspec.Struct, frozen=True):
    """One job that was given up, kept for people to look at."""

    id: int
    queue: str
    kind: str
    payload: Any
    attempts: int
    last_error: str
    failed_at_ms: int


class GiveUp(Exception):
    """Raised by a handler: trying again is of no use. Its message is kept with the job."""


class RetryPolicy(msgspec.Struct, frozen=True):
    """How often and after which pauses: 5 s, 10 s, 20 s … (each ± 25%), eleven hours in all."""

    attempts_max: int = 14
    first_delay_ms: int = 5_000
    delay_ms_max: int = 6 * 3600 * 1000

    def delay_ms(self, attempt: int, chance: float) -> int:
        """The pause after a failed attempt (from 1); `chance` in [0, 1) spreads those that failed together."""
        return int(min(self.first_delay_ms * 2 ** (attempt - 1), self.delay_ms_max) * (0.75 + chance / 2))


RETRY = RetryPolicy()
Handler = Callable[[Job], Awaitable[None]]


async def enqueue(
    tx: Write, kind: str, payload: Any, *, queue: str = "default", run_at_ms: int | None = None
) -> int:
    """Have `kind`'s handler run with `payload`, at once or from a Unix time on, if this transaction commits."""
    due_ms = tx.now_ms if run_at_ms is None else run_at_ms
    row = {"queue": queue, "kind": kind, "payload": payload, "run_at_ms": due_ms}
    return (await _insert(tx, row))[0]


async def enqueue_all(tx: Write, kind: str, wanted: Sequence[tuple[str, Any]]) -> None:
    """The same for many, each a queue and a payload, to be run at once. A statement for each few hundred."""
    rows = [{"queue": queue, "kind": kind, "payload": payload, "run_at_ms": tx.now_ms} for queue, payload in wanted]
    for some in batches(rows):
        await _insert(tx, list(some))


async def recall(tx: Write, kind: str, payload: Mapping[str, str], *, queue: str, run_at_ms: int) -> None:
    """Have a job that was enqueued for then not run, unless it is under way, or was tried already: what is put off
    again and again leaves no job for each time."""
    waits = (jobs.c.queue == queue) & (jobs.c.run_at_ms == run_at_ms) & jobs.c.leased_until_ms.is_(None)
    await tx.connection.execute(
        delete(jobs).where(waits, jobs.c.kind == kind, jobs.c.failed_at_ms.is_(None), *_says(payload))
    )


async def next_run_ms(tx: Read, kind: str, payload: Mapping[str, str], *, queue: str) -> int | None:
    """When such a job runs next (Unix ms; while it is under way: when its lease ends). None: there is none any
    more, or it was given up."""
    its = (jobs.c.queue == queue) & (jobs.c.kind == kind) & jobs.c.failed_at_ms.is_(None)
    due = select(func.min(jobs.c.run_at_ms)).where(its, *_says(payload))
    found: int | None = (await tx.connection.execute(due)).scalar_one()
    return found


def _says(payload: Mapping[str, str]) -> list[ColumnElement[bool]]:
    return [jobs.c.payload[name].as_string() == value for name, value in payload.items()]


async def _insert(tx: Write, values: dict[str, Any] | list[dict[str, Any]]) -> list[int]:
    tx.has_news = True
    # PostgreSQL delivers the notification at the commit, once.
    wake = () if tx.is_sqlite else (func.pg_notify(CHANNEL, ""),)
    made = await tx.connection.execute(insert(jobs).values(values).returning(jobs.c.id, *wake))
    return [int(row.id) for row in made]


async def failed_jobs(tx: Read, limit: int = 100) -> list[FailedJob]:
    """The jobs that were given up, the latest first."""
    statement = (
        select(*(jobs.c[name] for name in FailedJob.__struct_fields__))
        .where(jobs.c.failed_at_ms.is_not(None))
        .order_by(jobs.c.failed_at_ms.desc(), jobs.c.id.desc())
        .limit(limit)
    )
    return [FailedJob(*row) for row in await tx.connection.execute(statement)]


async def waiting_jobs(tx: Read) -> dict[str, tuple[int, int]]:
    """Of each kind of job that is due or under way: how many, and for how many ms the oldest has been due."""
    statement = (
        select(jobs.c.kind, func.count(), func.min(jobs.c.run_at_ms))
        .where(jobs.c.failed_at_ms.is_(None), (jobs.c.run_at_ms <= tx.now_ms) | jobs.c.leased_until_ms.is_not(None))
        .group_by(jobs.c.kind)
    )
    rows = await tx.connection.execute(statement)
    return {kind: (count, max(0, tx.now_ms - first_ms)) for kind, count, first_ms in rows}


async def finish(tx: Write, job: Job) -> bool:
    """Have done a job. In a handler's own transaction, what the handler writes there is written once, whenever its
    process dies. False: it was done before, or is another attempt's by now, and there is nothing to write."""
    own = (jobs.c.id == job.id) & (jobs.c.attempts == job.attempt)
    return (await tx.connection.execute(delete(jobs).where(own))).rowcount == 1


async def run_again(tx: Write, job_id: int) -> bool:
    """Give a failed job all its attempts anew; False if there is no such failed job."""
    tx.has_news = True
    statement = (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.failed_at_ms.is_not(None))
        .values(failed_at_ms=None, attempts=0, run_at_ms=tx.now_ms)
    )
    return (await tx.connection.execute(statement)).rowcount == 1


class Worker:
    """Runs jobs in the event loop of its process; several processes or machines may have one each.

    `places` says how many jobs of a queue this worker runs at a time, `jobs_at_once_max` how many in all. `retries`
    are for kinds of jobs that need another policy than `retry`.
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        *,
        doorbell: Doorbell,
        places: Callable[[str], int] = lambda _queue: 1,
        jobs_at_once_max: int = JOBS_AT_ONCE_MAX,
        lease_ms: int = 30_000,
        retry: RetryPolicy = RETRY,
        retries: Mapping[str, RetryPolicy] = MappingProxyType({}),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._doorbell = doorbell
        self._places = places
        self._jobs_at_once_max = jobs_at_once_max
        self._lease_ms = lease_ms
        self._retry = retry
        self._retries = retries
        self._chance = chance
        self._running: dict[asyncio.Task[None], Job] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; what then runs is cancelled and handed back at once."""
        renewing = asyncio.create_task(self._keep_renewing())
        try:
            with self._doorbell.heard_by(self._wake):
                while True:
                    self._wake.clear()
                    await heard(self._wake, await self._start_due())
        finally:
            renewing.cancel()
            await self._hand_back()

    async def step(self) -> int:
        """Run what is due now, at most one job of each queue, to its end; return how many that was."""
        leased = await self.lease()
        await asyncio.gather(*(self._start(job) for job in leased))
        return len(leased)

    async def lease(self) -> list[Job]:
        """Take the jobs that are due and for which there is a place, at most one of each queue."""
        free = self._jobs_at_once_max - len(self._running)
        if free <= 0:
            return []
        in_queue = Counter(job.queue for job in self._running.values())
        full = [queue for queue, count in in_queue.items() if count >= self._places(queue)]

        async def work(tx: Write) -> list[Job]:
            return await _lease(tx, full, free, tx.now_ms + self._lease_ms)

        taken = await self._database.write(work, locks_rows=True)
        return [job for job in taken if not await self._died_too_often(job)]

    async def renew(self) -> None:
        """Prolong the leases of all that runs."""
        held = list(self._running.values())
        if held:
            until_ms = self._database.clock_ms() + self._lease_ms
            await self._change(held, {"run_at_ms": until_ms, "leased_until_ms": until_ms})

    async def _start_due(self) -> float:
        """Start what is due; return how many seconds to wait for the next."""
        try:
            async with self._database.read() as tx:
                next_ms: int | None = (await tx.connection.execute(_NEXT_DUE)).scalar_one()
            if next_ms is None:
                return POLL_EVERY_S
            wait_ms = next_ms - tx.now_ms
            if wait_ms > 0:
                return min(wait_ms / 1000, POLL_EVERY_S)
            leased = await self.lease()
        except (DBAPIError, DatabaseBusy, OSError):
            log.exception("jobs.database_failed")
            return POLL_EVERY_S
        for job in leased:
            self._start(job)
        # Nothing leased though something is due: its queue is full, or another worker was faster.
        return 0 if leased else POLL_EVERY_S

    def _start(self, job: Job) -> asyncio.Task[None]:
        task = asyncio.create_task(self._run(job))
        self._running[task] = job
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            # Its outcome could not be written: the lease will end, and it will run again.
            log.error("jobs.outcome_lost", exc_info=task.exception())

    async def _run(self, job: Job) -> None:
        try:
            handler = self._handlers.get(job.kind)
            if handler is None:
                raise LookupError(f"No handler for jobs of the kind {job.kind!r}.")
            await handler(job)
        except GiveUp as error:
            await self._give_up(job, str(error))
        except Exception as error:
            await self._failed(job, f"{type(error).__name__}: {error}")
        else:
            await self._database.write(lambda tx: finish(tx, job), locks_rows=True)

    async def _failed(self, job: Job, error: str) -> None:
        policy = self._policy(job)
        if job.attempt >= policy.attempts_max:
            return await self._give_up(job, error)
        log.warning("jobs.failed", job=job.id, kind=job.kind, queue=job.queue, attempt=job.attempt, error=error)
        run_at_ms = self._database.clock_ms() + policy.delay_ms(job.attempt, self._chance())
        return await self._change(
            [job], {"run_at_ms": run_at_ms, "leased_until_ms": None, "last_error": error[:_ERROR_CHARACTERS_MAX]}
        )

    async def _give_up(self, job: Job, error: str) -> None:
        log.error("jobs.given_up", job=job.id, kind=job.kind, queue=job.queue, error=error)
        now_ms = self._database.clock_ms()
        await self._change(
            [job], {"failed_at_ms": now_ms, "leased_until_ms": None, "last_error": error[:_ERROR_CHARACTERS_MAX]}
        )

    async def _died_too_often(self, job: Job) -> bool:
        """A job that takes its process down writes no error: its attempts are all that tells."""
        if job.attempt <= self._policy(job).attempts_max:
            return False
        await self._give_up(job, "Every process that ran it ended before it did.")
        return True

    def _policy(self, job: Job) -> RetryPolicy:
        return self._retries.get(job.kind, self._retry)

    async def _change(self, held: list[Job], values: dict[str, Any]) -> None:
        statement = update(jobs).where(jobs.c.id == bindparam("job_id"), jobs.c.attempts == bindparam("attempt"))

        async def work(tx: Write) -> None:
            await tx.connection.execute(
                statement.values(**values), [{"job_id": job.id, "attempt": job.attempt} for job in held]
            )

        await self._database.write(work, locks_rows=True)

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(self._lease_ms / 3000)
            try:
                await self.renew()
            except (DBAPIError, DatabaseBusy, OSError):
                log.exception("jobs.renewal_failed")

    async def _hand_back(self) -> None:
        held = dict(self._running)
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        cancelled = [job for task, job in held.items() if task.cancelled()]
        if not cancelled:
            return
        values = {"run_at_ms": self._database.clock_ms(), "leased_until_ms": None, "attempts": jobs.c.attempts - 1}
        try:
            await self._change(cancelled, values)
        except (DBAPIError, DatabaseBusy, OSError):
            log.warning("jobs.not_handed_back", jobs=len(cancelled))  # Their leases will end.


_NEXT_DUE = select(func.min(jobs.c.run_at_ms)).where(jobs.c.failed_at_ms.is_(None))

# The first due job of every queue that has a place. The recursion hops from one queue's name to the next in the
# index, so the cost goes with the number of queues, not with the length of one.
_FIRST_OF_EACH_QUEUE = text("""
    WITH RECURSIVE queues(queue) AS (
        SELECT min(queue) FROM jobs WHERE failed_at_ms IS NULL
        UNION ALL
        SELECT (SELECT min(jobs.queue) FROM jobs WHERE jobs.failed_at_ms IS NULL AND jobs.queue > queues.queue)
        FROM queues WHERE queues.queue IS NOT NULL
    ), firsts(id) AS (
        SELECT (
            SELECT jobs.id FROM jobs
            WHERE jobs.queue = queues.queue AND jobs.failed_at_ms IS NULL AND jobs.run_at_ms <= :now_ms
            ORDER BY jobs.run_at_ms, jobs.id LIMIT 1
        )
        FROM queues WHERE queues.queue NOT IN :full
    )
    SELECT jobs.id FROM firsts JOIN jobs ON jobs.id = firsts.id ORDER BY jobs.run_at_ms, jobs.id LIMIT :limit
""").bindparams(bindparam("full", type_=Text, expanding=True))


async def _lease(tx: Write, full: list[str], limit: int, until_ms: int) -> list[Job]:
    bound = {"now_ms": tx.now_ms, "full": full, "limit": limit}
    ids = list((await tx.connection.execute(_FIRST_OF_EACH_QUEUE, bound)).scalars())
    # Between the two statements another worker may have taken some: locked (passed over) or no longer due.
    due = select(jobs.c.id).where(jobs.c.id.in_(ids), jobs.c.failed_at_ms.is_(None), jobs.c.run_at_ms <= tx.now_ms)
    statement = (
        update(jobs)
        .where(jobs.c.id.in_(due.with_for_update(skip_locked=True)))
        .values(run_at_ms=until_ms, leased_until_ms=until_ms, attempts=jobs.c.attempts + 1)
        .returning(jobs.c.id, jobs.c.queue, jobs.c.kind, jobs.c.payload, jobs.c.attempts)
    )
    return [Job(*row) for row in await tx.connection.execute(statement)] if ids else []
