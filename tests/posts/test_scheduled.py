"""A worker that is killed again and again publishes what is due: each once."""

import random
import time
from collections import Counter
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.posts.publishing_program import run
from tests.support.clock import FakeClock
from tests.support.killing import start
from tests.support.square import Square
from tests.support.waiting import PATIENCE_S, wait_until

from folkmoot.gate import Action
from folkmoot.posts import scheduled
from folkmoot.posts.model import Draft
from folkmoot.storage.database import Database
from folkmoot.storage.tables.posts import posts, scheduled_posts

ROUNDS = 2


@pytest.mark.slow
async def test_over_kill_9_each_is_published_once(
    square: Square, database: Database, database_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    now_ms = time.time_ns() // 1_000_000
    clock.now_ms = now_ms - 2 * scheduled.LEAD_MS_MIN
    expected = []
    for name in ("alice", "bob"):
        account_id = await square.person(name)
        for number in range(20):
            draft = Draft(source=f"{name} {number}")
            expected.append(draft.source)
            work = partial(scheduled.schedule, draft=draft, at_ms=clock.now_ms + scheduled.LEAD_MS_MIN)
            await square.act(account_id, Action.POST, work)
    clock.now_ms = now_ms
    chance = random.Random(7)

    def begin(round_: int) -> tuple[BaseProcess, Path]:
        said = tmp_path / f"said-{round_}"
        return start(run, database_url, tmp_path / "doorbells", said=said), said

    for round_ in range(ROUNDS):
        process, said = begin(round_)
        wanted = chance.randrange(1, 8)

        def enough(said: Path = said, wanted: int = wanted) -> bool:
            return len(said.read_bytes().splitlines()) >= wanted

        wait_until(enough)
        time.sleep(chance.random() * 0.02)
        process.kill()
        process.join()
        assert process.exitcode == -9
    last, _ = begin(ROUNDS)

    async def left() -> int:
        async with database.read() as read:
            return int(
                (await read.connection.execute(select(func.count()).select_from(scheduled_posts))).scalar_one()
            )

    deadline = time.monotonic() + PATIENCE_S
    while await left() and time.monotonic() < deadline:
        time.sleep(0.05)
    last.terminate()
    last.join()
    async with database.read() as read:
        published = Counter((await read.connection.execute(select(posts.c.source))).scalars())
    assert published == Counter(expected)
