"""Programs that others wrote play what this server sends, and the sound is found again in what they play."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.serve.moot import SDP, SPACES, Moot, Person
from tests.story import players
from tests.support.server import Server, running_server
from tests.support.waiting import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.asyncio(loop_scope="module")]

PLAYED_S = 4


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("players") / "data") as running:
        yield running


async def sing(host: Person, space: dict[str, Any]) -> None:
    host.voice = players.singer()

    async def answer(offer: str) -> str:
        answered = await host.http.post(f"{SPACES}/{space['id']}/whip", content=offer, headers=SDP)
        assert answered.status_code == 201, answered.text
        return answered.text

    await host.voice.join(answer)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def space(server: Server) -> AsyncIterator[str]:
    """The address of a live Space with somebody singing in it, for some seconds already."""
    moot = Moot(server)
    host = await moot.person("singer")
    made = await host.open_space("A scale")
    await sing(host, made)
    base = f"{server.base_url}{SPACES}/{made['id']}"
    async with asyncio.timeout(PATIENCE_S):
        while (await host.http.get(f"{base}/hls/aac/live.m3u8")).text.count("#EXTINF") < 2:
            await asyncio.sleep(0.2)
    yield base
    await moot.close()


async def test_radios_and_players(space: str, tmp_path: Path) -> None:
    names = ("hls/index.m3u8", "hls/opus/live.m3u8", "live.ogg", "live.aac")
    playing = [asyncio.to_thread(players.by_ffmpeg, f"{space}/{name}", PLAYED_S) for name in names]
    for name in names:
        folder = tmp_path / name.replace("/", "-")
        folder.mkdir()
        playing.append(asyncio.to_thread(players.by_mpv, f"{space}/{name}", PLAYED_S, folder))
    for program, pcm in zip([*names, *names], await asyncio.gather(*playing), strict=True):
        steps = players.steps_heard(pcm)
        assert len(pcm) / players.RATE > PLAYED_S - 0.5, program
        assert len(steps) >= 2 * PLAYED_S - 3, (program, steps)
        assert players.climbs(steps[1:-1]), (program, steps)


async def test_browsers(space: str, tmp_path: Path) -> None:
    ways = {"firefox-esr": ("mse", "hls"), "chromium": ("hls", "native")}
    playing = []
    for browser, hows in ways.items():
        (tmp_path / browser).mkdir()
        playing.append(asyncio.to_thread(players.by_browser, browser, space, hows, PLAYED_S, tmp_path / browser))
    for (browser, hows), found in zip(ways.items(), await asyncio.gather(*playing), strict=True):
        for how, pcm in zip(hows, found, strict=True):
            steps = players.steps_heard(pcm)
            assert len(steps) >= 2 * PLAYED_S - 3, (browser, how, steps)
            assert players.climbs(steps[1:-1]), (browser, how, steps)
