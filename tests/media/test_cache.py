"""A folder of what can be had again: filled once, bounded, and nobody's who went away."""

import asyncio
from pathlib import Path

import pytest
from tests.support.clock import FakeClock

from folkmoot.media.cache import MISSING_LASTS_MS, Cache, Fill, files, shrink
from folkmoot.media.remote import Unfetchable


class Source:
    """Gives ten bytes for everything."""

    def __init__(self) -> None:
        self.filled = 0
        self.gives = asyncio.Event()
        self.gives.set()
        self.is_there = True

    async def fill(self, to: Path) -> None:
        self.filled += 1
        await self.gives.wait()
        if not self.is_there:
            raise Unfetchable("gone")
        to.write_bytes(b"0123456789")


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def cache(tmp_path: Path, clock: FakeClock) -> Cache:
    return Cache(tmp_path / "cache", 35, clock)


async def test_it_is_filled_once(cache: Cache, source: Source) -> None:
    source.gives.clear()
    asking = [asyncio.create_task(cache.get("a", source.fill)) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()
    source.gives.set()
    paths = await asyncio.gather(*asking[1:])
    assert {path.read_bytes() for path in paths} == {b"0123456789"}
    assert await cache.get("a", source.fill) == paths[0]
    assert (source.filled, cache.hits) == (1, 1)


async def test_what_was_asked_for_longest_ago_goes_first(
    cache: Cache, source: Source, tmp_path: Path, clock: FakeClock
) -> None:
    kept = {name: await cache.get(name, source.fill) for name in "abc"}
    await cache.get("a", source.fill)
    kept["d"] = await cache.get("d", source.fill)
    assert {name for name, path in kept.items() if path.exists()} == {"a", "c", "d"}
    assert cache.size_bytes == 30
    again = Cache(tmp_path / "cache", 35, clock)
    assert await again.get("c", source.fill) == kept["c"]
    assert (again.size_bytes, again.hits) == (30, 1)


async def test_what_is_not_there_is_not_asked_for_again_at_once(
    cache: Cache, source: Source, clock: FakeClock
) -> None:
    source.is_there = False
    for _ in range(3):
        with pytest.raises(Unfetchable):
            await cache.get("a", source.fill)
    assert source.filled == 1
    clock.advance_ms(MISSING_LASTS_MS)
    source.is_there = True
    assert (await cache.get("a", source.fill)).exists()


async def test_nothing_half_is_left(cache: Cache, source: Source, tmp_path: Path) -> None:
    source.is_there = False
    with pytest.raises(Unfetchable):
        await cache.get("a", source.fill)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


async def test_what_somebody_deleted_is_fetched_again(cache: Cache, source: Source, tmp_path: Path) -> None:
    for name in "ab":
        await cache.get(name, source.fill)
    assert shrink(tmp_path / "cache", 10) == (1, 10)
    assert len(files(tmp_path / "cache")) == 1
    for name in "ab":
        assert (await cache.get(name, source.fill)).exists()


async def test_what_is_evicted_before_it_is_opened_is_fetched_again(
    cache: Cache, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others fetch meanwhile, and the folder is bounded."""
    get = cache.get

    async def evicted_once(name: str, fill: Fill) -> Path:
        path = await get(name, fill)
        if source.filled == 1:
            path.unlink()
        return path

    monkeypatch.setattr(cache, "get", evicted_once)
    with await cache.open("a", source.fill) as opened:
        assert opened.read() == b"0123456789"
    assert source.filled == 2


async def test_what_has_no_room_is_not_to_be_had(source: Source, tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(Unfetchable):
        await Cache(tmp_path / "cache", 5, clock).open("a", source.fill)
