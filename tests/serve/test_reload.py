"""SIGHUP while people speak, listen, ask and follow: afterwards all is new, and nobody has noticed."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.serve.moot import SPACES, Moot, Talk
from tests.stage.peers import until
from tests.support.server import Server, running_server
from tests.support.waiting import PATIENCE_S

from folkmoot.serve import start
from folkmoot.serve.places import Places, places
from folkmoot.serve.reload import Handed, Rehearsal, require_the_same_place
from folkmoot.serve.start import _listening, bind
from folkmoot.settings import Settings, SettingsError
from folkmoot.tape.model import Codec
from folkmoot.tape.reader import TapeReader

LISTENERS = 30
RELOADS_WITHIN_S = 3 * PATIENCE_S  # it starts every process anew, and one more before


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "folkmoot.toml"
    path.write_text('title = "Before"\naudience_workers = 1\n')
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, config: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("reloaded") / "data", config=str(config)) as running:
        yield running


async def asked_to_reload(server: Server) -> tuple[int, str]:
    """Exit code of `folkmoot reload`, and what it said."""
    command = [sys.executable, "-m", "folkmoot", "reload", "--data", str(server.data)]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=RELOADS_WITHIN_S, check=False
    )
    return done.returncode, (done.stdout + done.stderr).strip()


class Listener:
    """A connection that keeps every byte of sound that it gets."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.sound = bytearray()
        self.cut_off = False

    async def listen(self, server: Server, space_id: str, address: str) -> None:
        path = f"{SPACES}/{space_id}/listen?codec={self.codec}"
        transport = httpx.AsyncHTTPTransport(local_address=address)
        async with (
            httpx.AsyncClient(base_url=server.base_url, transport=transport, timeout=PATIENCE_S) as client,
            client.stream("GET", path) as answer,
        ):
            assert answer.status_code == 200, await answer.aread()
            with contextlib.suppress(httpx.TransportError):
                async for piece in answer.aiter_raw():
                    self.sound += piece
            self.cut_off = True


@asynccontextmanager
async def listening(server: Server, space_id: str, count: int) -> AsyncIterator[list[Listener]]:
    listeners = [Listener(Codec.OPUS if number % 2 else Codec.AAC) for number in range(count)]
    tasks = [
        asyncio.create_task(each.listen(server, space_id, f"127.0.7.{1 + number // 50}"))
        for number, each in enumerate(listeners)
    ]
    try:
        hear = asyncio.create_task(until(lambda: all(len(each.sound) > 3_000 for each in listeners)))
        done, _ = await asyncio.wait([hear, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        yield listeners
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def require_whole(listeners: list[Listener], tape: Path) -> None:
    """What each heard is one stretch of the tape: not a byte is missing, none came twice."""
    with TapeReader(tape) as reader:
        for codec in (Codec.OPUS, Codec.AAC):
            init, on_tape = reader.init(codec), reader.read(reader.numbered(codec, 0, 10**6))
            for each in listeners:
                if each.codec is codec:
                    assert each.sound.startswith(init)
                    assert bytes(each.sound[len(init) :]) in on_tape


@asynccontextmanager
async def asking(server: Server) -> AsyncIterator[list[int]]:
    """Requests on a connection that is kept, and on new ones, without a second try."""
    statuses: list[int] = []

    async def ask(address: str, keeps: bool) -> None:
        limits = httpx.Limits(max_keepalive_connections=1 if keeps else 0)
        transport = httpx.AsyncHTTPTransport(local_address=address, limits=limits)
        async with httpx.AsyncClient(base_url=server.base_url, transport=transport, timeout=PATIENCE_S) as client:
            while True:
                statuses.append((await client.get("/about")).status_code)
                await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(ask(f"127.0.6.{number}", number % 2 == 0)) for number in range(1, 3)]
    try:
        yield statuses
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended


def pids(server: Server) -> dict[str, int]:
    return {name: child.pid for name, child in server.children().items()}


async def settled(server: Server, names: int) -> None:
    """Until what was replaced is gone."""
    await until(lambda: len(server.children()) == names and len(all_children(server)) == names)


def all_children(server: Server) -> list[int]:
    path = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
async def test_a_reload_interrupts_nobody(talk: Talk, moot: Moot, server: Server, config: Path) -> None:
    before = pids(server)
    config.write_text('title = "After"\naudience_workers = 2\n')
    async with following(talk) as lines, listening(server, talk.space["id"], LISTENERS) as listeners:
        async with asking(server) as statuses, talk.undisturbed():
            assert await asked_to_reload(server) == (0, "The server has reloaded.")
            await settled(server, len(before) + 1)
        heard = [len(each.sound) for each in listeners]
        await until(lambda: all(len(each.sound) > so_far for each, so_far in zip(listeners, heard, strict=True)))
        assert not any(each.cut_off for each in listeners)
        require_whole(listeners, server.data / "tapes" / talk.space["id"])
        await talk.host.tell(talk.space, "lock")
        await until(lambda: any('"locked":true' in line.replace(" ", "") for line in lines))
        await talk.host.tell(talk.space, "unlock")
    assert "event: end" not in lines, "who follows is to come back"
    assert set(statuses) == {200}
    assert len(statuses) > 10
    after = pids(server)
    stage = next(name for name in before if name.startswith("stage-"))
    assert after.pop(stage) == before.pop(stage)
    assert set(after) == {"web", "worker", "audience-0", "audience-1"}
    assert not set(after.values()) & set(before.values())
    async with httpx.AsyncClient(base_url=server.base_url, timeout=PATIENCE_S) as client:
        assert (await client.get("/api/v2/instance")).json()["title"] == "After"


@asynccontextmanager
async def following(talk: Talk) -> AsyncIterator[list[str]]:
    """The stream of events, opened again when it ends, as a page does."""
    lines: list[str] = []

    async def follow() -> None:
        while True:
            async with talk.guest.http.stream(
                "GET", f"{SPACES}/{talk.space['id']}/events", timeout=PATIENCE_S
            ) as answer:
                async for line in answer.aiter_lines():
                    lines.append(line)  # noqa: PERF401 - the test reads it meanwhile

    task = asyncio.create_task(follow())
    try:
        yield lines
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
async def test_settings_that_are_wrong_change_nothing(talk: Talk, server: Server, config: Path) -> None:
    before, good = pids(server), config.read_text()
    config.write_text('audience_workers = "many"\n')
    async with asking(server) as statuses:
        code, said = await asked_to_reload(server)
    config.write_text(good)
    assert code == 2
    assert said.startswith("The server goes on as it was. The setting audience_workers can't be “many”")
    assert pids(server) == before
    assert set(statuses) == {200}
    assert '"event": "reload.refused"' in server.log.read_text()
    await until(talk.both_hear)


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
async def test_an_old_worker_that_hangs_in_a_reload_takes_nobody_with_it(
    talk: Talk, server: Server, config: Path
) -> None:
    config.write_text("audience_workers = 1\n")
    before = server.children()
    async with listening(server, talk.space["id"], 20) as listeners:
        before["audience-0"].send_signal(signal.SIGSTOP)
        assert (await asked_to_reload(server))[0] == 0
        # Until then it may still bring somebody to the worker that hangs.
        await until(lambda: not before["web"].is_running())
        async with listening(server, talk.space["id"], 20) as late:
            # Ended for its silence.
            await until(lambda: sum(each.cut_off for each in listeners) > 0)
            require_whole(late, server.data / "tapes" / talk.space["id"])
            assert not any(each.cut_off for each in late)
        require_whole(listeners, server.data / "tapes" / talk.space["id"])
    await settled(server, 4)


def test_a_version_that_does_not_start_is_told_by_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "lock").open("w") as lock:  # not 0, which children would lack from then on
        handed = Handed(data="", database_url="", lock=lock.fileno(), listening={})
        monkeypatch.setattr(sys, "orig_argv", ["python", "-c", "import no_such_module"])
        rehearsal = Rehearsal(handed)
        assert rehearsal.why_not(wait_for(rehearsal)) == "ModuleNotFoundError: No module named 'no_such_module'"
        monkeypatch.setattr(sys, "orig_argv", ["python", "-c", "pass"])
        rehearsal = Rehearsal(handed)
        assert rehearsal.why_not(wait_for(rehearsal)) is None
    assert os.get_inheritable(0)


def wait_for(rehearsal: Rehearsal) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(rehearsal.pid, 0)[1])


def test_where_the_data_is_cannot_change(tmp_path: Path) -> None:
    handed = Handed(data=str(tmp_path), database_url="sqlite", lock=0, listening={})
    require_the_same_place(handed, tmp_path, "sqlite")
    with pytest.raises(SettingsError, match="setting data"):
        require_the_same_place(handed, tmp_path / "other", "sqlite")
    with pytest.raises(SettingsError, match="setting database"):
        require_the_same_place(handed, tmp_path, "postgresql")


def test_a_rehearsal_that_fails_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data=str(tmp_path), port=0)
    migrated: list[Places] = []
    handed = Handed(
        data=str(tmp_path), database_url=places(settings).database_url, lock=0, listening={}, is_rehearsal=True
    )
    monkeypatch.setattr(start, "bring_up_to_date", migrated.append)
    where = start._prepare_in_place(settings, handed)
    assert (where.data, migrated) == (tmp_path, [])
    monkeypatch.setattr("folkmoot.serve.web.rehearse", broken)
    with pytest.raises(ImportError):
        start._rehearse(settings, where, "http://moot.test")
    assert migrated == []
    monkeypatch.setattr("folkmoot.serve.web.rehearse", lambda *_: None)
    start._rehearse(settings, where, "http://moot.test")
    assert migrated == [where]


def broken(*_: object) -> None:
    raise ImportError


def test_an_address_that_is_given_up_is_closed() -> None:
    before = bind("127.0.0.1", 0)
    address = before.getsockname()
    handed = Handed(data="", database_url="", lock=0, listening={"127.0.0.1": before.detach()})
    with _listening(Settings(host="127.0.0.2", port=0), handed) as after, socket.socket() as client:
        assert after.getsockname()[0] == "127.0.0.2"
        with pytest.raises(ConnectionRefusedError):
            client.connect(address)
