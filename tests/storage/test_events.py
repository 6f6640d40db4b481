"""Events: true together with what was written, delivered in order, none skipped."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.clock import FakeClock
from tests.support.waiting import eventually

from folkmoot.storage.database import Database, DatabaseBusy, Write
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.events import (
    HANDLER_ATTEMPTS_MAX,
    Event,
    Follower,
    FollowerTooLate,
    Position,
    emit,
    newest_position,
    prune,
)

OLDEST = Position(0, 0)


class Ledger:
    """A handler that keeps what it got."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def numbers(self) -> list[int]:
        return [event.payload["number"] for event in self.events]


@pytest.fixture
def doorbell(tmp_path: Path) -> Doorbell:
    return Doorbell(tmp_path / "doorbells")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


async def say(database: Database, number: int) -> None:
    async def work(tx: Write) -> None:
        await emit(tx, "said", {"number": number})

    await database.write(work)


async def delivered(follower: Follower) -> None:
    while await follower.step():
        pass


async def test_events_arrive_in_order_with_their_time(
    database: Database, doorbell: Doorbell, ledger: Ledger, clock: FakeClock
) -> None:
    follower = Follower(database, "test", ledger, doorbell=doorbell, start=OLDEST)
    for number in range(3):
        clock.advance_ms(5)
        await say(database, number)
    await delivered(follower)
    assert ledger.numbers == [0, 1, 2]
    assert ledger.events[-1].at_ms == clock.now_ms
    assert ledger.events[-1].kind == "said"
    assert await follower.step() == 0


async def test_an_event_of_a_failed_transaction_never_was(
    database: Database, doorbell: Doorbell, ledger: Ledger
) -> None:
    async def work(tx: Write) -> None:
        await emit(tx, "said", {"number": 1})
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(work)
    await say(database, 2)
    await delivered(Follower(database, "test", ledger, doorbell=doorbell, start=OLDEST))
    assert ledger.numbers == [2]


async def test_now_means_after_the_reload(database: Database, doorbell: Doorbell, ledger: Ledger) -> None:
    await say(database, 1)

    async def reload() -> None:
        await say(database, 2)  # happens while the state is loaded: delivered again rather than lost

    follower = Follower(database, "test", ledger, doorbell=doorbell, start="now", reload=reload)
    await delivered(follower)
    assert ledger.numbers == [2]


class SteppedTransaction:
    """A transaction that emits one event and goes on only when it is told to."""

    def __init__(self, database: Database, number: int) -> None:
        self._database = database
        self._number = number
        self._may_go_on = asyncio.Semaphore(0)
        self._went_on = asyncio.Semaphore(0)

    async def begin(self) -> None:
        """Take a transaction id."""
        self._task = asyncio.create_task(self._database.write(self._work))
        await self._went_on.acquire()

    async def emit(self) -> None:
        """Take an event id."""
        self._may_go_on.release()
        await self._went_on.acquire()

    async def commit(self) -> None:
        self._may_go_on.release()
        await self._task

    async def _work(self, tx: Write) -> None:
        await tx.connection.exec_driver_sql("SELECT pg_current_xact_id()")
        self._went_on.release()
        await self._may_go_on.acquire()
        await emit(tx, "said", {"number": self._number})
        self._went_on.release()
        await self._may_go_on.acquire()


@pytest.mark.parametrize("begun_first", [1, 2])
@pytest.mark.parametrize("committed_first", [1, 2])
@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_an_event_that_commits_late_is_not_skipped(
    database: Database, doorbell: Doorbell, ledger: Ledger, begun_first: int, committed_first: int
) -> None:
    """Transaction ids, event ids and commits in every order of two overlapping transactions."""
    transactions = {number: SteppedTransaction(database, number) for number in (1, 2)}
    follower = Follower(database, "test", ledger, doorbell=doorbell, start=OLDEST)
    await transactions[begun_first].begin()
    await transactions[3 - begun_first].begin()
    await transactions[1].emit()
    await transactions[2].emit()
    await transactions[committed_first].commit()
    await delivered(follower)
    await transactions[3 - committed_first].commit()
    await delivered(follower)
    await say(database, 3)
    await delivered(follower)
    assert sorted(ledger.numbers[:2]) == [1, 2]
    assert ledger.numbers[2:] == [3]


async def test_a_stored_position_survives_the_follower(
    database: Database, doorbell: Doorbell, ledger: Ledger
) -> None:
    await say(database, 1)
    await delivered(Follower(database, "test", ledger, doorbell=doorbell, start="stored"))
    await say(database, 2)
    await delivered(Follower(database, "test", ledger, doorbell=doorbell, start="stored"))
    assert ledger.numbers == [1, 2]


async def test_a_new_name_begins_with_what_is_still_kept(
    database: Database, doorbell: Doorbell, ledger: Ledger, clock: FakeClock
) -> None:
    await say(database, 1)
    clock.advance_ms(1000)
    await say(database, 2)
    await prune(database, clock.now_ms)
    await delivered(Follower(database, "test", ledger, doorbell=doorbell, start="stored"))
    assert ledger.numbers == [2]


async def test_a_follower_that_comes_too_late_is_told(
    database: Database, doorbell: Doorbell, ledger: Ledger, clock: FakeClock
) -> None:
    follower = Follower(database, "test", ledger, doorbell=doorbell, start=OLDEST)
    await say(database, 1)
    clock.advance_ms(1000)
    await say(database, 2)
    assert await prune(database, clock.now_ms) == 1
    with pytest.raises(FollowerTooLate):
        await follower.step()


async def test_a_follower_that_comes_too_late_reloads_and_follows(
    database: Database, doorbell: Doorbell, ledger: Ledger, clock: FakeClock
) -> None:
    reloads = 0

    async def reload() -> None:
        nonlocal reloads
        reloads += 1

    follower = Follower(database, "test", ledger, doorbell=doorbell, start=OLDEST, reload=reload)
    await say(database, 1)
    clock.advance_ms(1000)
    assert await prune(database, clock.now_ms) == 1
    assert await prune(database, clock.now_ms) == 0
    await delivered(follower)
    await say(database, 2)
    await delivered(follower)
    assert (reloads, ledger.numbers) == (1, [2])


async def test_pruning_does_not_disturb_who_has_read_everything(
    database: Database, doorbell: Doorbell, ledger: Ledger, clock: FakeClock
) -> None:
    follower = Follower(database, "test", ledger, doorbell=doorbell, start=OLDEST)
    await say(database, 1)
    await delivered(follower)
    clock.advance_ms(1000)
    await prune(database, clock.now_ms)
    await say(database, 2)
    await delivered(follower)
    assert ledger.numbers == [1, 2]
    async with database.read() as tx:
        assert await newest_position(tx) >= ledger.events[-1].position


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_position_of_another_cluster_is_too_late(
    database: Database, doorbell: Doorbell, ledger: Ledger
) -> None:
    follower = Follower(database, "test", ledger, doorbell=doorbell, start=Position(2**40, 1))
    with pytest.raises(FollowerTooLate):
        await follower.step()


async def test_an_event_whose_handler_fails_is_tried_again_and_does_not_block(
    database: Database, doorbell: Doorbell, ledger: Ledger
) -> None:
    attempts: list[int] = []

    async def handler(event: Event) -> None:
        number = event.payload["number"]
        attempts.append(number)
        if number == 1 or (number == 2 and attempts.count(2) < 2):
            raise ValueError

    await say(database, 1)
    await say(database, 2)
    await delivered(Follower(database, "test", handler, doorbell=doorbell, start=OLDEST))
    assert attempts == [1] * HANDLER_ATTEMPTS_MAX + [2, 2]


@pytest.mark.slow
async def test_a_handler_that_finds_the_database_busy_gets_the_event_again(
    database: Database, doorbell: Doorbell, ledger: Ledger
) -> None:
    busy = HANDLER_ATTEMPTS_MAX + 1

    async def handler(event: Event) -> None:
        nonlocal busy
        busy -= 1
        if busy >= 0:
            raise DatabaseBusy
        await ledger(event)

    await say(database, 1)
    follower = Follower(database, "test", handler, doorbell=doorbell, start=OLDEST)
    running = asyncio.create_task(follower.run())
    await eventually(lambda: ledger.numbers == [1])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def ringing(database_url: str, clock: FakeClock, doorbell: Doorbell) -> AsyncIterator[Database]:
    database = Database(database_url, clock_ms=clock, ring=doorbell.ring)
    yield database
    await database.close()


@pytest.mark.parametrize("lost", [False, True])
async def test_run_delivers_at_the_ring_and_also_when_it_is_lost(
    ringing: Database, database: Database, doorbell: Doorbell, ledger: Ledger, lost: bool
) -> None:
    running = asyncio.create_task(Follower(database, "test", ledger, doorbell=doorbell, start=OLDEST).run())
    for number in range(5):
        await say(database if lost else ringing, number)
        await eventually(lambda: len(ledger.events) == number + 1)  # noqa: B023
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert ledger.numbers == list(range(5))
