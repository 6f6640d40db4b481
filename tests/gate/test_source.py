"""The audience worker's source: raised counters from a thread of its own, whatever else is dead."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, text
from tests.support.clock import FakeClock
from tests.support.people import People, raise_silently
from tests.support.waiting import wait_until

from folkmoot.gate import Standing
from folkmoot.gate.actions import revoke
from folkmoot.gate.model import account_subject
from folkmoot.gate.source import RevocationSource
from folkmoot.gate.window import OVERLAP_MS
from folkmoot.storage.database import Database
from folkmoot.storage.tables.people import revocations


@pytest.fixture
def source(database_url: str, clock: FakeClock) -> Iterator[RevocationSource]:
    source = RevocationSource(database_url, clock_ms=clock, ask_every_s=0.005)
    yield source
    source.close()


def gathered(source: RevocationSource, wanted: dict[str, int]) -> bool:
    """Poll until everything wanted has come; what comes is taken away from it."""
    for subject, counter in source.poll().items():
        if wanted.get(subject) == counter:
            del wanted[subject]
    return not wanted


async def test_what_rises_is_told_once_and_wakes_the_loop(people: People, source: RevocationSource) -> None:
    account_id = await people.create("listener")
    await people.put(account_id, Standing.SUSPENDED)
    assert select.select([source.fileno()], [], [], 10)[0]
    assert source.poll() == {account_subject(account_id): 1}
    await people.system(lambda acting: revoke(acting, "space:1"))
    wait_until(lambda: gathered(source, {"space:1": 1}))
    assert source.poll() == {}
    assert not select.select([source.fileno()], [], [], 0.05)[0]


async def test_a_late_start_hears_of_the_last_minute(people: People, database_url: str, clock: FakeClock) -> None:
    await people.system(lambda acting: revoke(acting, "space:old"))
    clock.advance_ms(OVERLAP_MS)
    await people.system(lambda acting: revoke(acting, "space:recent"))
    clock.advance_ms(OVERLAP_MS)
    source = RevocationSource(database_url, clock_ms=clock, ask_every_s=0.005)
    try:
        wait_until(lambda: gathered(source, {"space:recent": 1}))
        source.compare(["space:old", "space:never"])
        wait_until(lambda: gathered(source, {"space:old": 1}))
    finally:
        source.close()


async def test_a_late_commit_under_an_earlier_time_is_not_missed(
    database: Database, source: RevocationSource, clock: FakeClock
) -> None:
    wanted = {f"space:{number}": 1 for number in range(20)}
    for number in range(20):
        clock.advance_ms(1_000)
        await raise_silently(database, f"space:{number}", clock() - (number % 5) * OVERLAP_MS // 6)
    wait_until(lambda: gathered(source, wanted))


@pytest.mark.slow
async def test_a_database_that_comes_later_is_waited_for(
    tmp_path: Path, sqlite_template: Path, clock: FakeClock
) -> None:
    path = tmp_path / "with space" / "folkmoot.db"
    source = RevocationSource(f"sqlite+aiosqlite:///{path}", clock_ms=clock, ask_every_s=0.005)
    try:
        assert source.poll() == {}
        path.parent.mkdir()
        path.write_bytes(sqlite_template.read_bytes())
        engine = create_engine(f"sqlite:///{path}")
        with engine.begin() as connection:
            connection.execute(insert(revocations).values(subject="space:1", counter=3, changed_at_ms=clock()))
        engine.dispose()
        wait_until(lambda: gathered(source, {"space:1": 3}))
    finally:
        source.close()


@pytest.mark.slow
def test_no_database_is_made_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "folkmoot.db"
    source = RevocationSource(f"sqlite+aiosqlite:///{path}", ask_every_s=0.005)
    wait_until(lambda: source._is_failing)
    source.close()
    assert not path.exists()


async def test_nothing_that_goes_wrong_ends_the_thread(
    people: People, source: RevocationSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> dict[str, int]:
        raise RuntimeError("nobody thought of this")

    with monkeypatch.context() as patch:
        patch.setattr(source, "_ask", fail)
        wait_until(lambda: source._is_failing)
    await people.system(lambda acting: revoke(acting, "space:1"))
    wait_until(lambda: gathered(source, {"space:1": 1}))


async def test_a_lost_connection_is_made_anew(people: People, database: Database, source: RevocationSource) -> None:
    await people.system(lambda acting: revoke(acting, "space:1"))
    wait_until(lambda: gathered(source, {"space:1": 1}))
    if not database.is_sqlite:
        async with database.read() as read:
            await read.connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid != pg_backend_pid()"
                )
            )
    await people.system(lambda acting: revoke(acting, "space:2"))
    wait_until(lambda: gathered(source, {"space:2": 1}))


_CHILD = """
import select, sys
from folkmoot.gate.source import RevocationSource
source = RevocationSource(sys.argv[1], clock_ms=lambda: int(sys.argv[2]))
while True:
    select.select([source.fileno()], [], [])
    for subject in source.poll():
        print(subject, flush=True)
"""


@pytest.mark.slow
async def test_what_was_lost_while_the_worker_was_killed_is_told_to_the_next(
    people: People, database_url: str, clock: FakeClock
) -> None:
    def start() -> subprocess.Popen[str]:
        arguments = [sys.executable, "-c", _CHILD, database_url, str(clock())]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)

    account_id = await people.create("listener")
    first = start()
    await people.system(lambda acting: revoke(acting, "space:1"))
    assert first.stdout is not None
    assert first.stdout.readline() == "space:1\n"
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    first.stdout.close()
    await people.put(account_id, Standing.SUSPENDED)
    second = start()
    try:
        assert second.stdout is not None
        told = {second.stdout.readline().strip() for _ in range(2)}
        assert told == {"space:1", account_subject(account_id)}
    finally:
        second.kill()
        second.wait()
        assert second.stdout is not None
        second.stdout.close()
