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
    assert {"folkmoot_uploads", "folkmoot_remote_media_bytes"} <= set(found)


async def test_a_moderator_reads_how_sound_leaves(client: httpx.AsyncClient, people: People) -> None:
    """All workers together: what was written and what was not, how old it was, how long it took and how late."""
    token = await people.token(await people.create("mia", Role.MODERATOR))
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    value = {
        (sample.name.removeprefix("folkmoot_audience_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name.startswith("folkmoot_audience_")
    }
    totals = {
        name: value[f"{name}_total",] for name in ("received", "parts", "writes", "bytes", "skipped", "moved")
    }
    assert totals == {"received": 6, "parts": 140, "writes": 14, "bytes": 18_000, "skipped": 8, "moved": 2}
    assert value["left_total", "slow"] == 4
    assert (value["workers",], value["room",]) == (2, 150)
    older = [value["part_age_seconds_bucket", bound] for bound in ("0.05", "0.1", "0.5", "1.0", "+Inf")]
    assert older == [0, 120, 138, 140, 140]
    longer = [value["tick_seconds_bucket", bound] for bound in ("0.001", "0.002", "0.01", "1.0", "+Inf")]
    assert longer == [0, 8, 12, 12, 14]
    assert [value["tick_late_seconds_bucket", bound] for bound in ("0.001", "0.002", "+Inf")] == [2, 4, 4]


async def test_others_do_not(client: httpx.AsyncClient, people: People) -> None:
    assert (await client.get("/metrics")).status_code == 401
    token = await people.token(await people.create("nora"))
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "not_a_moderator"
