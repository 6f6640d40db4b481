"""How far one has read, over HTTP."""

from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.surfaces.conftest import Person

from folkmoot.storage.database import Read
from folkmoot.timelines.markers import queries
from folkmoot.timelines.markers.model import Marker, Timeline

MARKERS = "/api/v1/markers"


async def test_moved_and_asked(client: httpx.AsyncClient, clock: FakeClock, alice: Person, bob: Person) -> None:
    assert (await client.get(MARKERS, params={"timeline[]": "home"}, headers=alice.headers)).json() == {}
    form = {"home[last_read_id]": "103194548672408537"}
    home = {"last_read_id": "103194548672408537", "version": 1, "updated_at": "2027-01-15T08:00:00.000Z"}
    assert (await client.post(MARKERS, data=form, headers=alice.headers)).json() == {"home": home}
    clock.advance_ms(1)
    body = {"home": {"last_read_id": "9"}, "notifications": {"last_read_id": 7}}
    moved = (await client.post(MARKERS, json=body, headers=alice.headers)).json()
    assert (moved["home"]["version"], moved["notifications"]["last_read_id"]) == (2, "7")
    both = {"timeline[]": ["home", "notifications"]}
    assert (await client.get(MARKERS, params=both, headers=alice.headers)).json() == moved
    one = await client.get(MARKERS, params={"timeline[]": "home"}, headers=alice.headers)
    assert one.json() == {"home": moved["home"]}
    assert (await client.get(MARKERS, params=both, headers=bob.headers)).json() == {}
    wrongs: list[Any] = [{"last_read_id": "x"}, {"last_read_id": "9" * 30}, {}, "1"]
    for wrong in wrongs:
        answer = await client.post(MARKERS, json={"home": wrong}, headers=alice.headers)
        assert answer.status_code == 422, wrong


@pytest.mark.parametrize("stale", [{}, {Timeline.HOME: Marker(5, 1, 0)}])
async def test_who_is_overtaken_is_told(
    client: httpx.AsyncClient, alice: Person, monkeypatch: pytest.MonkeyPatch, stale: dict[Timeline, Marker]
) -> None:
    for last_read_id in ("5", "6"):
        body = {"home": {"last_read_id": last_read_id}}
        await client.post(MARKERS, json=body, headers=alice.headers)

    async def before_the_other(_read: Read, _account_id: int) -> dict[Timeline, Marker]:
        return stale

    with monkeypatch.context() as patch:
        patch.setattr(queries, "of_account", before_the_other)
        answer = await client.post(MARKERS, json={"home": {"last_read_id": "7"}}, headers=alice.headers)
    assert (answer.status_code, set(answer.json())) == (409, {"error", "code"})
    held = (await client.get(MARKERS, params={"timeline": "home"}, headers=alice.headers)).json()["home"]
    assert (held["last_read_id"], held["version"]) == ("6", 2)
