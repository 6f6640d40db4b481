"""The doorbell between processes, here between two objects that know nothing of each other."""

import asyncio
import socket
from pathlib import Path

import pytest
from tests.support.files import no_file_left
from tests.support.waiting import PATIENCE_S, eventually

from folkmoot.storage.database import Database, Write
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.events import emit

SQLITE = "sqlite:///unused.db"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Longer than the 107 bytes that the path of a unix socket may have."""
    return tmp_path / ("long" * 30) / "doorbells"


async def test_a_ring_is_heard_by_every_peer(directory: Path) -> None:
    heard = [asyncio.Event(), asyncio.Event()]
    first, second = Doorbell(directory), Doorbell(directory)
    async with first.listening(SQLITE), second.listening(SQLITE):
        with first.heard_by(heard[0]), second.heard_by(heard[1]):
            Doorbell(directory).ring()
            await asyncio.wait_for(asyncio.gather(*(event.wait() for event in heard)), PATIENCE_S)
    assert list(directory.iterdir()) == []


async def test_the_files_of_dead_peers_are_removed(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory.mkdir(parents=True)
    monkeypatch.chdir(directory)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind("1-dead.sock")
    (directory / "other.txt").touch()
    Doorbell(directory).ring()
    assert [path.name for path in directory.iterdir()] == ["other.txt"]


async def test_a_peer_that_does_not_listen_does_not_block(directory: Path) -> None:
    deaf, ringer = Doorbell(directory), Doorbell(directory)
    heard = asyncio.Event()
    async with deaf.listening(SQLITE):
        for _ in range(2000):  # more than a socket's queue holds; the loop never gets to read it
            ringer.ring()
        with deaf.heard_by(heard):
            await asyncio.wait_for(heard.wait(), PATIENCE_S)


async def test_a_ring_without_a_directory_is_no_error(directory: Path) -> None:
    Doorbell(directory).ring()


async def test_a_ring_without_a_free_file_is_no_error(directory: Path) -> None:
    """What it tells of is committed: whoever asked for it must not hear that it failed."""
    wake = asyncio.Event()
    bell = Doorbell(directory)
    async with bell.listening("sqlite://"):
        with bell.heard_by(wake), no_file_left():
            bell.ring()
        assert wake.is_set(), "who is in the same process hears it all the same"


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_postgresql_rings_other_machines(database: Database, directory: Path) -> None:
    async def work(tx: Write) -> None:
        await emit(tx, "said", {})

    doorbell, heard = Doorbell(directory), asyncio.Event()
    with doorbell.heard_by(heard):
        async with doorbell.listening(database.url):
            await eventually(heard.is_set)  # LISTEN has taken effect
            for _ in range(3):
                heard.clear()
                await database.write(work)  # this database has no local doorbell
                await eventually(heard.is_set)
