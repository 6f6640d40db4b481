"""A whole server over HTTP, with real WebRTC speakers: a Space from its opening to a clip in a post."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import av
import httpx
import psutil
import pytest
from tests.serve.moot import answered
from tests.stage.peers import Client
from tests.support.server import Server, running_server
from tests.support.waiting import PATIENCE_S, eventually, wait_until

from folkmoot.settings import Settings, audience_workers

pytestmark = pytest.mark.slow
SPACES = "/api/folkmoot/v1/spaces"


class Person:
    """An account with a token; `at` is where the server is."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.http = httpx.AsyncClient(
            base_url=server.base_url,
            headers={"Authorization": f"Bearer {server.token(name)}"},
            timeout=PATIENCE_S,
        )
        self.voice: Client | None = None

    async def id(self) -> str:
        return str((await self.http.get("/api/v1/accounts/verify_credentials")).json()["id"])

    async def open_space(self, title: str, **fields: Any) -> dict[str, Any]:
        answer = await self.http.post(SPACES, json={"title": title, "start": True, **fields})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def tell(self, space: dict[str, Any], do: str, **fields: Any) -> dict[str, Any]:
        answer = await self.http.post(f"{SPACES}/{space['id']}/commands", json={"do": do, **fields})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def speak(self, space: dict[str, Any], frequency: float) -> Client:
        self.voice = Client(frequency)
        await self.voice.join(lambda offer: answered(self.http, space, offer))
        return self.voice

    async def close(self) -> None:
        if self.voice is not None:
            await self.voice.close()
        await self.http.aclose()


@pytest.fixture
async def people(server: Server) -> AsyncIterator[tuple[Person, Person]]:
    pair = (Person(server, "hana"), Person(server, "rosa"))
    yield pair
    for person in pair:
        await person.close()


async def on_stage(host: Person, guest: Person, space: dict[str, Any]) -> tuple[Client, Client]:
    """Both on stage, hearing each other."""
    host_voice = await host.speak(space, 440)
    await guest.tell(space, "ask", recording_consent=True)
    await host.tell(space, "let_up", account=await guest.id())
    guest_voice = await guest.speak(space, 880)
    await eventually(lambda: guest_voice.hears(440) and host_voice.hears(880))
    return host_voice, guest_voice


async def listened(base_url: str, space: dict[str, Any], codec: str, at_least: int) -> bytes:
    """The first bytes that a listener without an account gets, who comes back when told to."""
    address = f"{base_url}{SPACES}/{space['id']}/listen"
    heard = b""
    async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient(timeout=PATIENCE_S) as client:
        while not heard:
            async with client.stream("GET", address, params={"codec": codec}) as answer:
                assert answer.status_code in (200, 503)
                async for piece in answer.aiter_raw():
                    heard += piece if answer.status_code == 200 else b""
                    if len(heard) >= at_least:
                        break
    return heard


async def test_an_evening(server: Server, people: tuple[Person, Person], tmp_path: Path) -> None:
    host, guest = people
    space = await host.open_space("An evening", topics=["sound"])
    host_voice, guest_voice = await on_stage(host, guest, space)
    assert not guest_voice.hears(880), "nobody hears themselves"

    heard = await listened(server.base_url, space, "aac", 20_000)
    assert b"ftyp" in heard[:64]
    assert b"moof" in heard

    await host.tell(space, "mute", account=await guest.id())
    await eventually(lambda: not host_voice.hears(880))
    host_voice.forget()
    await eventually(lambda: len(host_voice.heard) > 40)
    assert not host_voice.hears(880, 0.8), "and stays so"

    over = await host.tell(space, "end")
    assert over["state"] == "ended"
    replay = await replay_of(host, space)
    assert replay["duration_ms"] > 1000

    downloaded = await host.http.get(f"{SPACES}/{space['id']}/download")
    file = tmp_path / "replay.m4a"
    file.write_bytes(downloaded.content)
    with av.open(str(file)) as container:
        assert container.duration is not None
        assert container.duration / 1000 == pytest.approx(replay["duration_ms"], abs=150)

    clip = await host.http.post(
        "/api/folkmoot/v1/clips", json={"space": space["id"], "start_ms": 200, "end_ms": 1400}
    )
    assert clip.status_code == 201, clip.text
    post = await host.http.post(
        "/api/v1/statuses", json={"status": "Listen to this", "media_ids": [clip.json()["media_id"]]}
    )
    attachment = post.json()["media_attachments"][0]
    assert attachment["type"] == "audio"
    async with httpx.AsyncClient(timeout=PATIENCE_S) as anybody:
        sound = await anybody.get(attachment["url"])
    assert sound.headers["content-type"] == "audio/mp4"
    assert len(sound.content) > 5_000


async def replay_of(person: Person, space: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = (await person.http.get(f"{SPACES}/{space['id']}")).json()
            if found["replay"] is not None:
                return dict(found["replay"])
            await asyncio.sleep(0.05)


async def test_suspended_is_out_of_everything(server: Server, people: tuple[Person, Person]) -> None:
    host, guest = people
    space = await host.open_space("Suspended means suspended")
    host_voice, _ = await on_stage(host, guest, space)
    async with guest.http.stream("GET", f"{SPACES}/{space['id']}/events") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == "event: space"
        await asyncio.to_thread(server.admin, "suspend", "rosa", "--reason", "a test")
        async with asyncio.timeout(PATIENCE_S):
            said = [line async for line in lines]
        assert "event: end" in said
    await eventually(lambda: not host_voice.hears(880))
    host_voice.forget()
    await eventually(lambda: len(host_voice.heard) > 30)
    assert not host_voice.hears(880, 0.6), "and stays so"
    assert (await guest.http.get("/api/v1/accounts/verify_credentials")).status_code == 401
    async with asyncio.timeout(PATIENCE_S):
        while (now := (await host.http.get(f"{SPACES}/{space['id']}")).json())["stage"][1:]:
            await asyncio.sleep(0.05)
    assert [person["account"]["username"] for person in now["stage"]] == ["hana"]

    await asyncio.to_thread(server.admin, "reinstate", "rosa")
    assert (await guest.http.get("/api/v1/accounts/verify_credentials")).status_code == 401, "back by a new sign-in"
    await guest.close()
    again = Person(server, "rosa")
    await again.tell(space, "ask", recording_consent=True)
    await host.tell(space, "end")
    await again.close()


async def test_a_stage_that_is_killed_comes_back_and_the_tape_goes_on(
    server: Server, people: tuple[Person, Person]
) -> None:
    host, _ = people
    space = await host.open_space("Killed")
    await host.speak(space, 440)
    server.child(f"stage-{space['id']}"[:9]).kill()
    assert host.voice is not None
    await host.voice.close()
    voice = await host.speak(space, 660)
    await eventually(lambda: voice.connection.connectionState == "connected")
    heard = await listened(server.base_url, space, "opus", 3_000)
    assert b"moof" in heard
    await host.tell(space, "end")
    assert (await replay_of(host, space))["duration_ms"] > 0


def is_another(server: Server, name: str, before: psutil.Process) -> bool:
    now = server.children().get(name)
    return now is not None and now.pid != before.pid


async def test_processes_that_are_killed_are_back(server: Server, people: tuple[Person, Person]) -> None:
    """What goes on meanwhile is shown by test_crashes.py."""
    host, _ = people
    before = {name: server.child(name) for name in ("web", "worker", "audience-0")}
    for child in before.values():
        child.kill()
    for name, child in before.items():
        await eventually(partial(is_another, server, name, child))
    space = await host.open_space("Afterwards")
    await host.speak(space, 440)
    assert b"moof" in await listened(server.base_url, space, "opus", 3_000)
    await host.tell(space, "end")
    assert (await replay_of(host, space))["duration_ms"] > 0


async def test_a_second_live_space_by_the_same_host_is_refused(people: tuple[Person, Person]) -> None:
    host, _ = people
    space = await host.open_space("The first")
    second = await host.http.post(SPACES, json={"title": "The second", "start": True})
    assert second.status_code == 409
    assert second.json()["code"] == "already_live"
    await host.tell(space, "end")


PROCESSES = {"web", "worker", *(f"audience-{number}" for number in range(audience_workers(Settings())))}


def test_sigterm_stops_everything_in_time(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", from_nothing=True) as server:
        wait_until(lambda: set(server.children()) == PROCESSES)
        children = server.children()
        assert server.stop() == 0
        assert not any(child.is_running() for child in children.values())


def test_two_servers_do_not_share_a_data_directory(server: Server) -> None:
    command = [sys.executable, "-m", "folkmoot", "serve", "--data", str(server.data), "--port", "0"]
    second = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert second.returncode == 2
    assert "Another Folkmoot runs with the data directory" in second.stderr
