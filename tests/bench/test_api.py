"""The square that `bench api` writes is one that the server reads, and what the figures say."""

from pathlib import Path

import pytest

from folkmoot.accounts.model import Page
from folkmoot.bench import api_data
from folkmoot.bench.api import Measured, _results, shown_or_held
from folkmoot.bench.api_load import Answered
from folkmoot.gate import Gate
from folkmoot.search import queries as search
from folkmoot.search.parsing import parsed
from folkmoot.storage.database import Database
from folkmoot.timelines import merged


async def test_the_square_is_read_like_any(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/square.db"
    square = api_data.begin(url, 20, 1_800_000_000_000)
    api_data.write_posts(url, square, 150)
    api_data.write_posts(url, square, 300)
    api_data.settle(url)
    database = Database(url, clock_ms=lambda: 1_800_000_000_000)
    reader = api_data.account_id(1)
    viewer = await Gate(database).identify(api_data.token_of(1))
    assert viewer.id == reader
    async with database.read() as read:
        home = await merged.home(read, reader, Page(40))
        assert len(home) == 40
        assert {post.reblog_of_id is None for post in home} == {True, False}
        found = await search.statuses(read, reader, parsed("has:poll"), Page(40))
        assert found
        assert all(post.poll for post in found)
    await database.close()
    with pytest.raises(api_data.NotEmpty):
        api_data.begin(url, 20, 1_800_000_000_000)


def answered(per_s: int) -> Answered:
    return Answered(per_s * 2, 0, 1, 2.0, 1.0, 3.0, 0.22)


def test_figures_stand_beside_the_floor() -> None:
    found = {one.name: one for one in _results("home", Measured(answered(100), 0.9, answered(20_000)))}
    assert found["home_per_s"].value == 100
    assert (found["home_per_s"].peer, found["home_per_s"].ratio) == ("home_floor_per_s", 0.005)
    assert found["home_generator_cores"].value == pytest.approx(0.1)


def test_the_growth_that_has_a_reach_is_the_one_to_a_million() -> None:
    assert shown_or_held(1_000_000, 1.3).holds is False
    assert shown_or_held(1_000_000, 1.2).name == "home_p50_growth_1m"
    assert shown_or_held(30_000, 9.0).reach is None
