"""What strict clients read (decoders/): every answer that they ask for in a day is one that they can read whole."""

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.support import uploads
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.push_service import Browser
from tests.support.telling import tell
from tests.surfaces.conftest import Person, person
from tests.surfaces.mastodon.decoders import ice_cubes, moshidon, tusky, web

from folkmoot.storage.database import Database

CLIENTS = {"ice_cubes": ice_cubes, "tusky": tusky, "moshidon": moshidon, "web": web}
# Nothing of these is made here: their shapes are in their own tests.
EMPTY = {"/api/v1/custom_emojis", "/api/v1/announcements", "/api/v1/trends/tags", "/api/v2/suggestions"}


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_clients_ask_for_in_a_day_they_can_read(
    client: httpx.AsyncClient,
    clock: FakeClock,
    database: Database,
    people: People,
    alice: Person,
    bob: Person,
    tmp_path: Path,
) -> None:
    made = await a_day(client, clock, people, alice, bob)
    await tell(database, tmp_path)
    unread: list[str] = []
    for name, decoder in CLIENTS.items():
        for path, kind in decoder.ANSWERS.items():
            answer = await client.get(path.format_map(made), headers=alice.headers)
            assert answer.status_code == 200, (path, answer.text)
            assert path in EMPTY or answer.json(), path
            try:
                msgspec.json.decode(answer.content, type=kind)
            except msgspec.ValidationError as error:
                unread.append(f"{name}: {path}: {error}")
    assert unread == []


async def a_day(
    client: httpx.AsyncClient, clock: FakeClock, people: People, alice: Person, bob: Person
) -> dict[str, str]:
    """One of everything that those answers can hold."""

    async def send(who: Person, path: str, **body: Any) -> dict[str, Any]:
        clock.advance_ms(1_000)
        answer = await client.post(f"/api/{path}", json=body, headers=who.headers)
        assert answer.status_code == 200, (path, answer.text)
        said: dict[str, Any] = answer.json()
        return said

    for one, other in ((alice, bob), (bob, alice)):
        await people.follow(one.id, other.id)
    said = await send(alice, "v1/statuses", status="heard @bob #moot https://news.test/1", spoiler_text="birds")
    picture = {"file": ("x.png", uploads.photograph(60, 40), "image/png")}
    uploaded = (await client.post("/api/v2/media", files=picture, headers=bob.headers)).json()
    answer = {"in_reply_to_id": said["id"], "media_ids": [uploaded["id"]]}
    await send(bob, "v1/statuses", status="@alice heard too", **answer)
    await send(bob, "v1/statuses", status="look", quoted_status_id=said["id"])
    poll = {"options": ["tea", "coffee"], "expires_in": 600}
    asked = await send(bob, "v1/statuses", status="Which?", poll=poll)
    await send(alice, f"v1/polls/{asked['poll']['id']}/votes", choices=[1])
    for what in ("favourite", "reblog", "bookmark"):
        await send(bob, f"v1/statuses/{said['id']}/{what}")
    await send(alice, f"v1/statuses/{said['id']}/bookmark")
    await client.put(f"/api/v1/statuses/{said['id']}", json={"status": "heard #moot"}, headers=alice.headers)
    await send(alice, "v1/statuses", status="@bob psst", visibility="direct")
    await send(alice, "v1/statuses", status="later", scheduled_at="2027-02-01T00:00:00Z")
    await send(alice, "v1/lists", title="Friends")
    await send(alice, "v2/filters", title="Look", context=["home"], keywords_attributes=[{"keyword": "look"}])
    await send(alice, "v1/markers", home={"last_read_id": said["id"]})
    await send(alice, "v1/tags/moot/follow")
    opened = await client.post("/api/folkmoot/v1/spaces", json={"title": "The Moot"}, headers=alice.headers)
    assert opened.is_success, opened.text
    carol = await person(people, "carol")
    await send(carol, "v1/statuses", status="@alice psst", visibility="direct")  # waits as a request
    subscription = {"endpoint": "https://push.example/1", "keys": Browser().keys}
    await send(alice, "v1/push/subscription", subscription=subscription, data={"alerts": {"mention": True}})
    return {"alice": str(alice.id), "bob": str(bob.id), "thread": said["id"]}
