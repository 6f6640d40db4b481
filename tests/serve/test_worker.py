"""The worker's start after hours in which nothing ran, and what its housekeeping may not end."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from tests.support.people import People
from tests.support.waiting import eventually

from folkmoot.gate import Acting, Action, Gate
from folkmoot.serve import worker
from folkmoot.serve.places import Places, places
from folkmoot.settings import Settings
from folkmoot.spaces import actions, queries
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import Draft, Space, SpaceState
from folkmoot.storage import events
from folkmoot.storage.database import Database, DatabaseFull, Read, Write
from folkmoot.storage.tables.spaces import recordings, spaces
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

HOURS_MS = 5 * 3_600_000


@pytest.fixture
def where(tmp_path: Path, sqlite_template: Path) -> Places:
    made = places(Settings(data=str(tmp_path)))
    made.make()
    (tmp_path / "folkmoot.db").write_bytes(sqlite_template.read_bytes())
    return made


async def live_space(database: Database) -> Space:
    people = People(Gate(database))
    host_id = await people.create("hana")

    async def work(acting: Acting) -> Space:
        space = await actions.create(acting, Draft(title="Held", recorded=True), page_url="https://moot.example/s")
        return await actions.command(acting, space.id, c.Start())

    return await people.act(host_id, Action.OPEN_SPACE, work)


async def run_until(where: Places, condition: Callable[[], bool]) -> None:
    running = asyncio.create_task(worker.WorkerProcess(where, "https://moot.example").run())
    try:
        await eventually(lambda: running.done() or condition())
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_hold_that_ran_out_while_nothing_ran_ends_the_space_and_wants_no_stage(
    where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[Sequence[int]] = []
    monkeypatch.setattr(worker, "want_stages", lambda _run, space_ids, _wedged: wanted.append(space_ids))
    database = Database(where.database_url)
    space = await live_space(database)
    began_ms = database.clock_ms() - HOURS_MS
    for at_ms in (began_ms, began_ms + 3_000):
        TapeWriter.open(where.tape(space.id), lambda at_ms=at_ms: at_ms).release()  # type: ignore[misc]
    await database.write(lambda tx: hold_is_over(tx, space.id))

    await run_until(where, lambda: len(wanted) > 1)
    assert not any(wanted)
    async with database.read() as read:
        after = await queries.by_id(read, space.id)
        lengths = (await read.connection.execute(select(recordings.c.duration_ms))).scalars().all()
    await database.close()
    assert after is not None
    assert after.state is SpaceState.ENDED
    assert len(lengths) == 1
    assert lengths[0] <= 3_000


async def test_a_full_disk_does_not_end_the_worker(where: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    async def prune(_database: Database, older_than_ms: int) -> int:
        tries.append(older_than_ms)
        raise DatabaseFull("The server's disk is full.")

    monkeypatch.setattr(events, "prune", prune)
    monkeypatch.setattr(worker, "PRUNE_EVERY_S", 0.01)
    await run_until(where, lambda: len(tries) > 2)


@pytest.mark.slow
async def test_a_database_that_is_away_does_not_end_the_worker(
    where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[Sequence[int]] = []
    monkeypatch.setattr(worker, "want_stages", lambda _run, space_ids, _wedged: wanted.append(space_ids))
    looks: list[int] = []
    look = queries.due_ids

    async def away(read: Read) -> list[int]:
        looks.append(1)
        if len(looks) == 1:
            raise OperationalError("SELECT", {}, Exception("server closed the connection"))
        return await look(read)

    monkeypatch.setattr(queries, "due_ids", away)
    await run_until(where, lambda: len(wanted) > 1)


@pytest.mark.slow
async def test_a_tape_beyond_reading_is_given_up(where: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[Sequence[int]] = []
    monkeypatch.setattr(worker, "want_stages", lambda _run, space_ids, _wedged: wanted.append(space_ids))
    monkeypatch.setattr(worker, "UNCLOSED_EVERY_S", 0.0)
    database = Database(where.database_url)
    space = await live_space(database)
    await database.write(lambda tx: hold_is_over(tx, space.id))
    where.tape(space.id).mkdir()
    (where.tape(space.id) / "tape.json").write_text("{")
    await run_until(where, lambda: len(wanted) > 2)
    await database.close()
    assert not any(wanted)
    assert where.tape(space.id).exists()


async def ended_because(where: Places, database: Database, space_id: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the worker ends a live Space for when it starts; it wants no stage for it."""
    wanted: list[Sequence[int]] = []
    monkeypatch.setattr(worker, "want_stages", lambda _run, space_ids, _wedged: wanted.append(space_ids))
    await run_until(where, lambda: len(wanted) > 1)
    assert not any(wanted)
    async with database.read() as read:
        after = await queries.by_id(read, space_id)
    await database.close()
    assert after is not None
    assert after.state is SpaceState.ENDED
    return str(after.ended_reason)


async def test_a_space_ends_where_the_whole_server_stood_still_for_hours(
    where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(where.database_url)
    space = await live_space(database)
    began_ms = database.clock_ms() - HOURS_MS
    for at_ms in (began_ms, began_ms + 3_000):
        TapeWriter.open(where.tape(space.id), lambda at_ms=at_ms: at_ms).release()  # type: ignore[misc]
    assert await ended_because(where, database, space.id, monkeypatch) == "stood_still"
    with TapeReader(where.tape(space.id)) as tape:
        assert tape.ended
        assert tape.end_ms <= 3_000


async def test_a_space_whose_tape_cannot_go_on_ends(where: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(where.database_url)
    space = await live_space(database)
    where.tape(space.id).mkdir()
    (where.tape(space.id) / "tape.json").write_text("{")
    assert await ended_because(where, database, space.id, monkeypatch) == "tape_lost"


async def hold_is_over(tx: Write, space_id: int) -> None:
    """The host left hours ago."""
    found = await tx.connection.execute(select(spaces.c.document).where(spaces.c.id == space_id))
    over_ms = tx.now_ms - HOURS_MS
    document = {**found.scalar_one(), "hold_until_ms": over_ms}
    await tx.connection.execute(
        update(spaces).where(spaces.c.id == space_id).values(document=document, deadline_ms=over_ms)
    )
