"""A right that was lost ends in every process: by the event, and by the sweep when the event was lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import OperationalError
from tests.support.clock import FakeClock
from tests.support.people import People, raise_silently
from tests.support.waiting import eventually

from folkmoot.gate import LeaseBook, Refused, Stamp, Standing
from folkmoot.gate.actions import revoke
from folkmoot.gate.model import account_subject
from folkmoot.gate.watch import RevocationWatch
from folkmoot.gate.window import OVERLAP_MS, SLICE_SUBJECTS
from folkmoot.storage.database import Database, Read, Write
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.tables.bus import events

NEVER_S = 3600.0


@pytest.fixture
def book() -> LeaseBook:
    return LeaseBook()


@pytest.fixture
def doorbell(tmp_path: Path) -> Doorbell:
    return Doorbell(tmp_path / "doorbells")


@asynccontextmanager
async def running(watch: RevocationWatch) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run())
    try:
        yield
        assert not task.done(), "the watch ended by itself"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def lose_events(database: Database) -> None:
    """What was emitted is gone before anybody read it."""

    async def work(tx: Write) -> None:
        await tx.connection.execute(delete(events))

    await database.write(work)


async def test_the_event_ends_the_lease(
    people: People, database: Database, book: LeaseBook, doorbell: Doorbell
) -> None:
    account_id = await people.create("listener")
    viewer = await people.viewer(account_id)
    ended: list[str] = []
    lease = book.hold(viewer.stamps, ended.append)
    async with running(RevocationWatch(book, database, doorbell, sweep_every_s=NEVER_S)):
        await people.put(account_id, Standing.SUSPENDED)
        await eventually(lambda: not lease.is_open)
        with pytest.raises(Refused):
            book.hold(viewer.stamps, ended.append)
    assert ended == [account_subject(account_id)]


async def test_the_sweep_ends_it_when_the_event_was_lost(
    people: People, database: Database, book: LeaseBook, doorbell: Doorbell
) -> None:
    account_id = await people.create("listener")
    viewer = await people.viewer(account_id)
    watch = RevocationWatch(book, database, doorbell)
    await people.put(account_id, Standing.SUSPENDED)
    await lose_events(database)
    # Held with stamps that were read before: no event will tell.
    lease = book.hold(viewer.stamps, lambda subject: None)
    await watch.sweep()
    assert not lease.is_open


async def test_a_process_that_starts_late_compares_what_it_holds(
    people: People, database: Database, book: LeaseBook, doorbell: Doorbell
) -> None:
    account_id = await people.create("listener")
    viewer = await people.viewer(account_id)
    await people.put(account_id, Standing.SUSPENDED)
    lease = book.hold(viewer.stamps, lambda subject: None)
    async with running(RevocationWatch(book, database, doorbell, sweep_every_s=NEVER_S)):
        await eventually(lambda: not lease.is_open)


async def test_what_is_new_stays(people: People, database: Database, book: LeaseBook, doorbell: Doorbell) -> None:
    account_id = await people.create("listener")
    await people.put(account_id, Standing.SUSPENDED)
    await people.put(account_id, Standing.ACTIVE)
    lease = book.hold((await people.viewer(account_id)).stamps, lambda subject: None)
    watch = RevocationWatch(book, database, doorbell)
    await watch.sweep()
    await watch.compare_all()
    assert lease.is_open


async def test_a_database_that_fails_ends_neither_the_watch_nor_a_lease(
    people: People, database: Database, book: LeaseBook, doorbell: Doorbell, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = await people.create("listener")
    lease = book.hold((await people.viewer(account_id)).stamps, lambda subject: None)
    failures: list[str] = []

    def broken() -> AbstractAsyncContextManager[Read]:
        failures.append("read")
        raise OperationalError("SELECT", None, OSError("the disk is gone"))

    async with running(RevocationWatch(book, database, doorbell, sweep_every_s=0.005)):
        with monkeypatch.context() as patch:
            patch.setattr(database, "read", broken)
            await eventually(lambda: len(failures) > 5)
            assert lease.is_open
        await people.put(account_id, Standing.SUSPENDED)
        await eventually(lambda: not lease.is_open)


@pytest.mark.parametrize("lag_ms", [0, OVERLAP_MS - 1])
async def test_a_writer_whose_clock_lags_is_seen_within_the_window(
    database: Database, book: LeaseBook, doorbell: Doorbell, clock: FakeClock, lag_ms: int
) -> None:
    watch = RevocationWatch(book, database, doorbell)
    await watch.sweep()
    # Beyond the slice that is compared whole, so that only the window can find it.
    for number in range(SLICE_SUBJECTS * 2):
        book.hold([Stamp(f"space:{number}", 0)], lambda subject: None)
    lease = book.hold([Stamp("space:last", 0)], lambda subject: None)
    await raise_silently(database, "space:last", clock() - lag_ms)
    clock.advance_ms(1)
    await watch.sweep()
    assert not lease.is_open


async def test_whatever_the_clocks_say_everything_held_is_compared_in_turn(
    database: Database, book: LeaseBook, doorbell: Doorbell, clock: FakeClock
) -> None:
    watch = RevocationWatch(book, database, doorbell)
    leases = [
        book.hold([Stamp(f"space:{number}", 0)], lambda subject: None) for number in range(SLICE_SUBJECTS * 2 + 1)
    ]
    await raise_silently(database, f"space:{SLICE_SUBJECTS * 2}", changed_at_ms=0)
    for _ in range(3):
        assert leases[-1].is_open
        await watch.sweep()
    assert not leases[-1].is_open


async def test_a_revocation_of_any_subject_travels(
    people: People, database: Database, book: LeaseBook, doorbell: Doorbell
) -> None:
    ended: list[str] = []
    book.hold([Stamp("member:5:7", 0), Stamp("account:7", 0)], ended.append)
    async with running(RevocationWatch(book, database, doorbell, sweep_every_s=NEVER_S)):
        await people.system(lambda acting: revoke(acting, "member:5:7"))
        await eventually(lambda: ended == ["member:5:7"])
