"""A Space whose sound can't be written says so to whoever looks, and is counted for who watches the server."""

from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.people import People
from tests.surfaces.conftest import FakeStages
from tests.surfaces.spaces.conftest import SPACES, Hall

from folkmoot.gate import Role


@pytest.mark.parametrize(
    ("recorded", "full", "state"),
    [(True, False, "recording"), (True, True, "disk_full"), (False, False, "off"), (False, True, "disk_full")],
)
async def test_a_live_space_says_what_becomes_of_its_sound(
    client: httpx.AsyncClient, hall: Hall, alice: Any, stages: FakeStages, recorded: bool, full: bool, state: str
) -> None:
    space_id = await hall.live(alice, recorded=recorded)
    stages.full = {int(space_id)} if full else set()
    assert (await client.get(f"{SPACES}/{space_id}")).json()["recording_state"] == state
    await hall.end(alice, space_id)
    assert (await client.get(f"{SPACES}/{space_id}")).json()["recording_state"] == "off"


async def test_a_monitoring_program_is_told(
    client: httpx.AsyncClient, hall: Hall, alice: Any, people: People, stages: FakeStages
) -> None:
    stages.full = {int(await hall.live(alice))}
    token = await people.token(await people.create("mia", Role.MODERATOR))
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    families = text_string_to_metric_families(answer.text)
    found = {family.name: family.samples[0].value for family in families if family.samples}
    assert (found["folkmoot_live_spaces"], found["folkmoot_unwritable_tapes"]) == (1, 1)
    assert found["folkmoot_tapes_free_bytes"] > 0
