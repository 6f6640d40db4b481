"""Requests that are under way when the account loses its rights: each is reset, whichever surface it is.

Generated from the register: every surface is opened by the account and held in the middle, a reading one by not
taking its answer, a writing one by not sending the rest of its body. A new surface is in it by being registered.
"""

import asyncio
from typing import Any, cast

import msgspec
import pytest
from litestar import Litestar
from tests.support.people import People
from tests.support.uploads import A_FILE
from tests.support.waiting import PATIENCE_S, eventually
from tests.surfaces.asking import scope_of
from tests.surfaces.staging import staged
from tests.surfaces.sweep import Scene
from tests.surfaces.swept import BODIES, OF_A_TOKEN, addresses_of

from folkmoot.audience.door import CONNECTION
from folkmoot.gate import Serves, Standing, Surface
from folkmoot.gate.watch import RevocationWatch
from folkmoot.moderation.networks.rules import NETWORKS
from folkmoot.storage.doorbell import Doorbell
from folkmoot.surfaces.services import Services

# On the default database alone: what both do with the same statements, `test_sweep.py` shows for every surface.
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]


FILES = frozenset({"POST /api/v1/media", "POST /api/v2/media"})
"""To these half of a file is sent, as a form."""


class HeldRequest:
    """A client that stops in the middle; also the connection, which the application may reset."""

    def __init__(self, surface: Surface, path: str, token: str) -> None:
        self.surface = surface
        self.path = path
        self.was_reset = False
        self.is_stuck = asyncio.Event()
        self.status = 0
        self._token = token
        self._body = _body(surface.name)
        self._gone = asyncio.Event()
        self.is_reading = surface.name.startswith("GET ")
        self.has_read = False

    def __repr__(self) -> str:
        return f"{self.surface.name} at {self.path} ({self.status})"

    async def run(self, app: Litestar, host: str) -> None:
        kind, content = self._body
        headers = {"host": host, "authorization": f"Bearer {self._token}", "content-type": kind}
        method = self.surface.name.partition(" ")[0]
        if method != "GET":
            headers["content-length"] = str(len(content))
        scope = {**scope_of(method, self.path, headers), "extensions": {CONNECTION: self}}
        await cast(Any, app)(scope, self._receive, self._send)

    def reset(self) -> None:
        self.was_reset = True
        self._gone.set()

    async def drained(self) -> None:
        pass

    async def _receive(self) -> dict[str, Any]:
        if not self.has_read:
            self.has_read = True
            half = self._body[1][: max(1, len(self._body[1]) // 2)]
            return {"type": "http.request", "body": half, "more_body": not self.is_reading}
        if not self.is_reading:
            self.is_stuck.set()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self.status < 400 and message.get("body"):
            self.is_stuck.set()
            await self._gone.wait()


def _body(name: str) -> tuple[str, bytes]:
    if name in FILES:
        return A_FILE
    given = BODIES.get(name, {})
    return given if isinstance(given, tuple) else ("application/json", msgspec.json.encode(given))


@pytest.fixture
async def scene(app: Litestar, services: Services, people: People) -> Scene:
    return await staged(app, services, people)


def whose(scene: Scene, surface: Surface, path: str) -> int:
    """Who is in the middle of it: the scene's lists and filters are the follower's."""
    if "{followers_list}" in path or "{filter" in path:
        return scene.follower
    return scene.moderator if surface.serves is Serves.MODERATOR else scene.account


async def test_whatever_is_under_way_ends_by_reset(
    scene: Scene, services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("folkmoot.surfaces.under_way.LAST_WORD_S", 0.01)
    held = [
        HeldRequest(
            surface,
            address.path.format_map(scene.made),
            await scene.people.token(whose(scene, surface, address.path)),
        )
        for surface in services.register
        if surface.kind == "route" and surface.serves not in (Serves.NOBODY, Serves.ALIKE)
        if surface.name not in OF_A_TOKEN
        for address in addresses_of(surface)[:1]
    ]
    tasks: dict[HeldRequest, asyncio.Task[None]] = {}
    # Those that write come second: what needs no body is done at once, and a deleted post is read by nobody.
    for those in ([one for one in held if one.is_reading], [one for one in held if not one.is_reading]):
        tasks.update({one: asyncio.create_task(one.run(scene.app, "moot.test")) for one in those})
        await eventually(lambda: all(one.is_stuck.is_set() or tasks[one].done() for one in tasks))
    stuck = [one for one, task in tasks.items() if not task.done()]
    # Only what needs no body may have been answered: nothing of it can be under way.
    assert [one for one in held if one not in stuck and (one.is_reading or one.has_read)] == []
    assert not any(one.was_reset for one in held)

    for account_id in (scene.account, scene.follower, scene.moderator):
        await scene.people.put(account_id, Standing.SUSPENDED)
    await RevocationWatch(services.leases, services.database, Doorbell(tmp_path)).sweep()
    await eventually(lambda: all(one.was_reset for one in stuck))
    await asyncio.wait_for(asyncio.gather(*tasks.values(), return_exceptions=True), PATIENCE_S)
    assert services.leases.subjects() == [NETWORKS], "who is gone holds nothing"


async def test_a_request_that_is_over_is_left_alone(scene: Scene, services: Services) -> None:
    token = await scene.people.token(scene.account)
    for surface in services.register:
        if surface.kind == "route" and "GET" in surface.name:
            address = addresses_of(surface)[0].path.format_map(scene.made)
            await scene.open(surface.name, address, token)
    assert services.leases.subjects() == [NETWORKS]
