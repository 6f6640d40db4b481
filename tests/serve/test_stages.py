"""The web process's connections to the stages: one that is wedged or gone takes nothing else with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.stage.fakes import FakeEngine, FakeLeases
from tests.stage.peers import until

from folkmoot.gate import Refused
from folkmoot.serve import stages
from folkmoot.serve.places import Places, places
from folkmoot.serve.stages import StagePool
from folkmoot.settings import Settings
from folkmoot.stage import client
from folkmoot.stage.process import StageServer

WEDGED = 1
WELL = 2


@pytest.fixture
def where(tmp_path: Path) -> Places:
    made = places(Settings(data=str(tmp_path)))
    made.make()
    return made


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANSWER_WITHIN_S", "OFFER_WITHIN_S"):
        monkeypatch.setattr(client, name, 0.3)
    monkeypatch.setattr(client.StageClient._call, "__defaults__", (0.3,))
    monkeypatch.setattr(stages, "COUNTS_EVERY_S", 0.02)
    monkeypatch.setattr(stages, "CONNECT_WITHIN_S", 0.2)


@asynccontextmanager
async def well(where: Places) -> AsyncIterator[StageServer]:
    server = StageServer(where.tape(WELL), FakeLeases(), FakeEngine)
    serving = asyncio.create_task(server.serve(where.stage_socket(WELL)))
    await until(where.stage_socket(WELL).exists)
    yield server
    server.stop()
    await serving


@asynccontextmanager
async def counting(pool: StagePool) -> AsyncIterator[None]:
    keeping = asyncio.create_task(pool.keep_counts())
    yield
    assert not keeping.done()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await pool.close()


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def test_a_stage_that_does_not_answer_holds_up_no_other(where: Places) -> None:
    pool = StagePool(where, lambda: {WEDGED: 3, WELL: 5}, dict, set, lambda *_: None)
    async with (
        await asyncio.start_unix_server(_say_nothing, where.stage_socket(WEDGED)),
        well(where) as server,
        counting(pool),
    ):
        await until(lambda: server._service._recorder.counts.listeners == 5)
        with pytest.raises(Refused) as refused:
            await pool.offer(WEDGED, 1, "offer", ())
        assert refused.value.status == 503
        await pool.react(WELL, "🔥")
        await until(lambda: server._service._recorder.counts.reactions == {"🔥": 1})


async def test_a_stage_that_died_is_noticed_and_its_next_is_told_again(where: Places) -> None:
    pool = StagePool(where, lambda: {WELL: 5}, lambda: {WELL: 70}, set, lambda *_: None)
    async with counting(pool):
        async with well(where) as first:
            await until(lambda: first._service._recorder.counts.listeners == 5)
        await until(lambda: WELL not in pool._clients)
        async with well(where) as second:
            await until(lambda: second._service._recorder.counts.listeners == 5)
            assert second._service._recorder.counts.listeners_estimated == 70


async def test_nothing_is_kept_of_a_space_that_ended(where: Places) -> None:
    pool = StagePool(where, dict, dict, set, lambda *_: None)
    async with well(where):
        await pool.offer(WELL, 1, "offer", ())
        await pool.react(WELL, "🔥")
        await pool.ended(WELL)
    assert not any((pool._clients, pool._hearing, pool._locks, pool._reactions, pool._told))


async def test_followers_are_told_of_each_stage_process_as_soon_as_it_answers(where: Places) -> None:
    told: list[tuple[int, str]] = []
    pool = StagePool(where, dict, dict, lambda: {WELL}, lambda *news: told.append(news))
    async with counting(pool):
        assert pool.generation(WELL) is None
        async with well(where):
            await until(lambda: told == [(WELL, "stage")])
            first = pool.generation(WELL)
        async with well(where):
            await until(lambda: told == [(WELL, "stage")] * 2)
            second = pool.generation(WELL)
            assert first is not None
            assert second is not None
            assert second > first
            # Another connection to the same process is no news.
            await pool._drop(WELL)
            await until(lambda: WELL in pool._clients)
            await pool._clients[WELL].status()
            assert len(told) == 2
        await pool.ended(WELL)
        assert pool.generation(WELL) is None


async def test_a_disk_that_was_full_before_anybody_asked_is_told_too(where: Places) -> None:
    told: list[str] = []
    pool = StagePool(where, dict, dict, lambda: {WELL}, lambda _space_id, word: told.append(word))
    async with well(where) as server:
        recorder = server._service._recorder
        recorder._now_full(full=True)
        async with counting(pool):
            await until(lambda: told == ["stage", "tape_full", "changed"])
            assert pool.tape_full(WELL)
            recorder._now_full(full=False)
            await until(lambda: told[3:] == ["tape_ok", "changed"])
            assert not pool.tape_full(WELL)
            recorder._now_full(full=True)
            await until(lambda: pool.tape_full(WELL))
            await pool.ended(WELL)
            assert not pool.tape_full(WELL)
