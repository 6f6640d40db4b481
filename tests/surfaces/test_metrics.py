"""`/metrics`: in Prometheus' format, and for moderators only."""

import httpx
from prometheus_client.parser import text_string_to_metric_families
from tests.support.people import People
from tests.surfaces.conftest import FakeListening

from folkmoot.gate import Role


async def test_a_moderator_reads_the_numbers(
    client: httpx.AsyncClient, people: People, listening: FakeListening
) -> None:
    listening.by_space = {1: 2, 2: 3}
    listening.estimates = {1: 40}
    token = await people.token(await people.create("mia", Role.MODERATOR))
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert found["folkmoot_listeners"].samples[0].value == 5
    assert found["folkmoot_listeners_estimated"].samples[0].value == 40
    assert found["folkmoot_audience_parts"].samples[0].value == 7
    assert {"folkmoot_audience_tick_late_seconds", "folkmoot_uploads", "folkmoot_remote_media_bytes"} <= set(found)


async def test_others_do_not(client: httpx.AsyncClient, people: People) -> None:
    assert (await client.get("/metrics")).status_code == 401
    token = await people.token(await people.create("nora"))
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "not_a_moderator"
