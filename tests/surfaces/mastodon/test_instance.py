"""What the server says of itself to clients that ask before anything else."""

import asyncio
from functools import partial
from itertools import pairwise

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import Person

from folkmoot.accounts import queries
from folkmoot.accounts.model import Counts
from folkmoot.gate import Standing
from folkmoot.moderation.hosts.actions import decide
from folkmoot.storage.database import Database, Read
from folkmoot.surfaces.mastodon.counts import GOOD_FOR_MS
from folkmoot.surfaces.services import Services


async def test_nodeinfo_says_which_software_this_is(client: httpx.AsyncClient) -> None:
    links = (await client.get("/.well-known/nodeinfo")).json()["links"]
    assert [link["rel"] for link in links] == ["http://nodeinfo.diaspora.software/ns/schema/2.1"]
    shown = (await client.get(links[0]["href"])).json()
    assert (shown["version"], shown["software"]["name"]) == ("2.1", "folkmoot")
    assert shown["usage"]["localPosts"] == 0
    assert shown["openRegistrations"] in (True, False)
    older = (await client.get("/nodeinfo/2.0")).json()
    del shown["software"]["repository"]  # which 2.0 doesn't have
    assert older == {**shown, "version": "2.0"}


async def test_who_may_read_which_timelines(client: httpx.AsyncClient) -> None:
    """Programs since Mastodon 4.5 show their pages by it."""
    shown = (await client.get("/api/v2/instance")).json()["configuration"]["timelines_access"]
    for_all = {"local": "public", "remote": "public"}
    assert shown == {"live_feeds": for_all, "hashtag_feeds": for_all, "trending_link_feeds": for_all}


async def test_activity_is_counted_by_weeks(
    client: httpx.AsyncClient, people: People, alice: Person, clock: FakeClock
) -> None:
    for status in ("one", "two"):
        await client.post("/api/v1/statuses", json={"status": status}, headers=alice.headers)
    said = (await client.get("/api/v1/instance/activity")).json()
    assert len(said) == 12
    weeks = [int(week.pop("week")) for week in said]
    assert said[0] == {"statuses": "2", "logins": "1", "registrations": "1"}
    assert said[1:] == [{"statuses": "0", "logins": "0", "registrations": "0"}] * 11
    # 2027-01-11 was a Monday.
    assert weeks[0] == 1799625600
    assert {newer - older for newer, older in pairwise(weeks)} == {7 * 86_400}
    clock.advance_ms(7 * 86_400_000)
    later = (await client.get("/api/v1/instance/activity")).json()
    assert [week["statuses"] for week in later[:3]] == ["0", "2", "0"]


async def test_which_servers_are_stopped_is_no_secret(client: httpx.AsyncClient, people: People) -> None:
    for host, standing in (("loud.example", Standing.LIMITED), ("bad.example", Standing.SUSPENDED)):
        decision = partial(
            decide, host=host, standing=standing, own_host="moot.test", reason="rule 3", private_note="canary"
        )
        await people.system(decision)
    answer = await client.get("/api/v1/instance/domain_blocks")
    assert [(one["domain"], one["severity"], one["comment"]) for one in answer.json()] == [
        ("bad.example", "suspend", "rule 3"),
        ("loud.example", "silence", "rule 3"),
    ]
    assert "canary" not in answer.text


async def test_what_is_said_of_the_server_elsewhere(client: httpx.AsyncClient) -> None:
    languages = (await client.get("/api/v1/instance/languages")).json()
    assert {"code": "en", "name": "English"} in languages
    assert len({one["code"] for one in languages}) == len(languages) > 60
    assert "docs/data.md" in (await client.get("/api/v1/instance/privacy_policy")).json()["content"]
    assert (await client.get("/api/v1/instance/terms_of_service")).status_code == 404
    answer = await client.get("/health")
    assert answer.json() == {"status": "UP"}
    assert "x-ratelimit-remaining" in answer.headers, "it asks the database"


async def test_one_counts_and_who_asks_meanwhile_has_what_was_known(
    services: Services, database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = asyncio.Event()
    began = 0

    async def slowly(_read: Read) -> Counts:
        nonlocal began
        began += 1
        await counted.wait()
        return found

    async with database.read() as read:
        found = await services.counts.get(read)
    monkeypatch.setattr(queries, "counts", slowly)
    clock.advance_ms(GOOD_FOR_MS)
    async with database.read() as read:
        counting = asyncio.create_task(services.counts.get(read))
        await asyncio.sleep(0)
        assert await services.counts.get(read) is found
        counted.set()
        await counting
    assert began == 1
