"""Nothing rendered is cached around the gate: what an answer was made of is gone with the answer.

tests/lints/test_gate_construction.py says which functions of surfaces remember something, and why they may.
"""

import gc
from collections.abc import Iterator

import httpx
import msgspec
import pytest
from litestar import Litestar
from tests.surfaces.conftest import Person
from tests.surfaces.mastodon.test_bad_requests import ENDLESS, asked_often

from folkmoot.surfaces.mastodon import (
    admin_entities,
    edit_entities,
    entities,
    filter_entities,
    notification_entities,
    poll_entities,
    scheduled_entities,
    status_entities,
)
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import schema

MODULES = (
    admin_entities, edit_entities, entities, filter_entities, notification_entities, poll_entities,
    scheduled_entities, schema, status_entities,
)  # fmt: skip
RENDERED = frozenset(
    kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__
)


def held() -> list[object]:
    """What lives of all that was ever rendered."""
    gc.collect()
    return [one for one in gc.get_objects() if type(one) in RENDERED]


@pytest.fixture
def earlier() -> list[object]:
    """What tests before this one left, which is none of its answers; it lives until the test is over."""
    return held()


@pytest.fixture
async def said(client: httpx.AsyncClient, alice: Person, bob: Person) -> str:
    """The id of a post of Alice's that Bob marked and answered, and a Space."""
    made = await client.post("/api/v1/statuses", json={"status": "hear #moot"}, headers=alice.headers)
    id_: str = made.json()["id"]
    await client.post(f"/api/v1/accounts/{alice.id}/follow", headers=bob.headers)
    for verb in ("favourite", "bookmark", "reblog"):
        await client.post(f"/api/v1/statuses/{id_}/{verb}", headers=bob.headers)
    answer = {"status": "@alice hear, hear", "in_reply_to_id": id_}
    await client.post("/api/v1/statuses", json=answer, headers=bob.headers)
    space = {"title": "The Moot", "start": True}
    await client.post("/api/folkmoot/v1/spaces", json=space, headers=alice.headers)
    return id_


def reading(app: Litestar, services: Services, who: Person, said: str) -> Iterator[str]:
    """Every address at which something is read, of a person and a post."""
    for surface in services.register:
        method, _, path = surface.name.partition(" ")
        if method == "GET" and path.startswith("/api/") and not any(one in path for one in ENDLESS):
            asked_often(app)
            parts = {"{account_id}": str(who.id), "{status_id}": said, "{tag}": "moot", "{name}": "moot"}
            yield "/".join(parts.get(part, "1" if part.startswith("{") else part) for part in path.split("/"))


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_was_rendered_is_gone_with_its_answer(
    earlier: list[object], app: Litestar, client: httpx.AsyncClient, services: Services, alice: Person, bob: Person,
    said: str,
) -> None:  # fmt: skip
    opened = set()
    for path in reading(app, services, alice, said):
        for headers in (bob.headers, {}):
            answer = await client.get(path, headers=headers)
            opened |= {path} if answer.is_success else set()
    assert len(opened) > 60
    known = set(map(id, earlier))
    assert [one for one in held() if id(one) not in known] == []
    kept = msgspec.json.decode((await client.get(f"/api/v1/statuses/{said}")).content, type=Status)
    assert any(one is kept for one in held())
