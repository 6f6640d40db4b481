"""What happens in Spaces, as programs are told of it: in lists, in groups, in streams."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.sockets import socket
from tests.surfaces.conftest import Person, person
from tests.surfaces.mastodon.conftest import Happened
from tests.surfaces.mastodon.test_streams import post, token

from folkmoot.notifications.model import SOON_MS
from folkmoot.notifications.telling import STARTING_SOON, Telling
from folkmoot.recordings.actions import close_recording
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.jobs import Worker
from folkmoot.surfaces.services import Services

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SPACES = "/api/folkmoot/v1/spaces"


async def told(client: httpx.AsyncClient, who: Person, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/notifications", params=asked, headers=who.headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_a_space_from_its_first_word_to_its_recording(
    app: Litestar, client: httpx.AsyncClient, services: Services, people: People, clock: FakeClock, alice: Person,
    bob: Person, happened: Happened, tmp_path: Path,
) -> None:  # fmt: skip
    """Bob wants to hear of everything that Alice announces; Carol asks to speak."""
    carol = await person(people, "carol")
    await post(client, bob, f"/api/v1/accounts/{alice.id}/follow", notify=True)
    async with (
        socket(app, f"access_token={token(bob)}&stream=user:notification") as bobs,
        socket(app, f"access_token={token(carol)}&stream=user") as carols,
    ):
        at = datetime.fromtimestamp((clock() + 2 * SOON_MS) / 1000, UTC).isoformat()
        made = await client.post(
            SPACES, json={"title": "The Moot", "scheduled_at": at, "recorded": True}, headers=alice.headers
        )
        space = made.json()
        await happened()
        clock.advance_ms(SOON_MS)
        soon = {STARTING_SOON: Telling(services.gate).run_starting_soon}
        assert await Worker(services.database, soon, doorbell=Doorbell(tmp_path)).step() == 1
        for who, order in (
            (alice, {"do": "start"}),
            (carol, {"do": "ask", "recording_consent": True}),
            (alice, {"do": "let_up", "account": str(carol.id)}),
            (alice, {"do": "end"}),
        ):
            await post(client, who, f"{SPACES}/{space['id']}/commands", **order)
            await happened()
        await people.system(lambda acting: close_recording(acting, int(space["id"]), 60_000))
        await happened()
        announced, *streamed = bobs.payloads("notification")
        assert "folkmoot" not in announced
        assert [one["folkmoot"]["event"] for one in streamed] == ["starting_soon", "live", "recorded"]
        streamed_to_carol = carols.payloads("notification")
        assert [one["folkmoot"]["event"] for one in streamed_to_carol] == ["let_up", "recorded"]
    for who, heard in ((bob, [announced, *streamed]), (carol, streamed_to_carol)):
        assert [without_card(one) for one in await told(client, who)] == [without_card(one) for one in heard[::-1]]
    for one in (*streamed, *streamed_to_carol):
        assert (one["type"], one["status"]["id"]) == ("status", space["announcement_id"])
        assert one["folkmoot"] == {"event": one["folkmoot"]["event"], "space_id": space["id"]}
        assert one["account"]["id"] == str(alice.id)
    await only_some(client, bob, streamed)
    await in_groups(client, bob, streamed)


def without_card(notification: dict[str, Any]) -> dict[str, Any]:
    """What doesn't change with the Space."""
    return {name: value for name, value in notification.items() if name != "status"}


async def only_some(client: httpx.AsyncClient, bob: Person, streamed: list[dict[str, Any]]) -> None:
    soon, live, recorded = [one["id"] for one in streamed]
    for asked, wanted in (
        ({"types[]": "space.live"}, [live]),
        ({"types[]": ["space.live", "space.starting_soon"]}, [live, soon]),
        ({"types[]": ["status"], "exclude_types[]": ["space.starting_soon"]}, [recorded, live]),
        ({"types[]": "space.let_up"}, []),
        ({"exclude_types[]": "status"}, []),
    ):
        found = await told(client, bob, **asked)
        ours = found if "status" not in str(asked) else [one for one in found if "folkmoot" in one]
        assert [one["id"] for one in ours] == wanted, asked


async def in_groups(client: httpx.AsyncClient, bob: Person, streamed: list[dict[str, Any]]) -> None:
    async def groups(**asked: str) -> Any:
        return (await client.get("/api/v2/notifications", params=asked, headers=bob.headers)).json()

    everything = await groups()
    assert [one.get("folkmoot") for one in everything["notification_groups"]] == [
        *(one["folkmoot"] for one in streamed[::-1]),
        None,
    ]
    only_live = await groups(**{"types[]": "space.live"})
    (group,) = only_live["notification_groups"]
    assert (group["type"], group["folkmoot"]) == ("status", streamed[1]["folkmoot"])
    assert (group["notifications_count"], group["status_id"]) == (1, streamed[1]["status"]["id"])
    assert [one["id"] for one in only_live["statuses"]] == [group["status_id"]]
    alone = await client.get(f"/api/v2/notifications/{group['group_key']}", headers=bob.headers)
    assert alone.json()["notification_groups"] == [group]
