"""Mastodon's numbers for moderators: true ones, day by day, and none without a bound."""

from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from litestar import Litestar
from sqlalchemy import update
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import Person

from folkmoot.gate import Refused, Role
from folkmoot.moderation.figures.model import DAYS_MAX, MONTHS_MAX, buckets, days_of
from folkmoot.storage.database import Write
from folkmoot.storage.tables.people import accounts
from folkmoot.surfaces.mastodon.present import timestamp

ADMIN = "/api/v1/admin"
DAY_MS = 86_400_000


@pytest.fixture
async def keeper(people: People) -> dict[str, str]:
    account_id = await people.create("keeper", Role.MODERATOR)
    return {"Authorization": f"Bearer {await people.token(account_id)}"}


async def post_by(client: httpx.AsyncClient, person: Person, text: str, **fields: Any) -> str:
    answer = await client.post("/api/v1/statuses", json={"status": text, **fields}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def day(clock: FakeClock, ago: int = 0) -> str:
    from_ms = clock() - ago * DAY_MS
    return timestamp(from_ms - from_ms % DAY_MS)


async def two_days(client: httpx.AsyncClient, clock: FakeClock, alice: Person, bob: Person) -> None:
    """Alice and bob come and post on one day; on the next bob answers, marks and reports, and that is closed."""
    first = await post_by(client, alice, "Look at the #Birds", language="en")
    await post_by(client, alice, "#birds again", language="en")
    await post_by(client, bob, "#birds auch hier", language="de")
    clock.advance_ms(DAY_MS)
    await post_by(client, bob, "I did", in_reply_to_id=first, language="en")
    for verb in ("favourite", "reblog"):
        await client.post(f"/api/v1/statuses/{first}/{verb}", headers=bob.headers)
    made = await client.post("/api/v1/reports", json={"account_id": alice.id}, headers=bob.headers)
    assert made.status_code == 200


async def test_measures_count_what_there_is(
    client: httpx.AsyncClient, keeper: dict[str, str], clock: FakeClock, alice: Person, bob: Person
) -> None:
    await two_days(client, clock, alice, bob)
    (report,) = (await client.get(f"{ADMIN}/reports", headers=keeper)).json()
    await client.post(f"{ADMIN}/reports/{report['id']}/resolve", headers=keeper)
    tags = ("tag_accounts", "tag_uses", "tag_servers")
    hosts = [f"instance_{what}" for what in _OF_HOSTS]
    server = ["active_users", "new_users", "interactions", "opened_reports", "resolved_reports"]
    body = {
        "keys": [*server, *tags, *hosts, "active_users", "nonsense"],
        "start_at": day(clock, 1),
        "end_at": day(clock),
        **{key: {"id": "Birds"} for key in tags},
        **{key: {"domain": "there.example"} for key in hosts},
    }
    answer = await client.post(f"{ADMIN}/measures", json=body, headers=keeper)
    assert answer.status_code == 200, answer.text
    found = {one["key"]: [int(on_day["value"]) for on_day in one["data"]] for one in answer.json()}
    assert found == {
        "active_users": [3, 1],
        "new_users": [3, 0],
        "interactions": [0, 3],
        "opened_reports": [0, 1],
        "resolved_reports": [0, 1],
        "tag_accounts": [2, 0],
        "tag_uses": [3, 0],
        "tag_servers": [0, 0],
        **{key: [0, 0] for key in hosts},
    }
    one = answer.json()[0]
    assert (one["total"], one["previous_total"], one["unit"]) == ("3", "0", None), "each once in all"
    assert [on_day["date"] for on_day in one["data"]] == [day(clock, 1), day(clock)]
    stored = next(one for one in answer.json() if one["key"] == "instance_media_attachments")
    assert (stored["unit"], stored["human_value"], "previous_total" in stored) == ("bytes", "0 Bytes", False)


async def test_who_posts_elsewhere_is_no_active_user_of_this_server(
    client: httpx.AsyncClient,
    app: Litestar,
    keeper: dict[str, str],
    clock: FakeClock,
    alice: Person,
    bob: Person,
) -> None:
    clock.advance_ms(DAY_MS)
    for person in (alice, bob):
        await post_by(client, person, "hello")

    async def moves(tx: Write) -> None:
        await tx.connection.execute(update(accounts).where(accounts.c.id == bob.id).values(host="there.example"))

    await app.state.equipment.services.database.write(moves)
    body = {"keys": ["active_users"], "start_at": day(clock), "end_at": day(clock)}
    (found,) = (await client.post(f"{ADMIN}/measures", json=body, headers=keeper)).json()
    assert (found["total"], [on_day["value"] for on_day in found["data"]]) == ("1", ["1"])


_OF_HOSTS = ("accounts", "media_attachments", "reports", "statuses", "follows", "followers")


async def test_as_many_days_before_are_told_beside_it(
    client: httpx.AsyncClient, keeper: dict[str, str], clock: FakeClock, alice: Person, bob: Person
) -> None:
    await two_days(client, clock, alice, bob)
    form = {"keys[]": ["tag_uses", "new_users", "tag_accounts"], "start_at": day(clock), "end_at": day(clock)}
    answer = await client.post(f"{ADMIN}/measures", data={**form, "tag_uses[id]": "birds"}, headers=keeper)
    found = {one["key"]: (one["total"], one["previous_total"]) for one in answer.json()}
    assert found == {"tag_uses": ("0", "3"), "new_users": ("0", "3")}, "tag_accounts: of which tag wasn't said"


async def test_dimensions_and_what_the_server_is_made_of(
    client: httpx.AsyncClient, keeper: dict[str, str], clock: FakeClock, alice: Person, bob: Person
) -> None:
    await two_days(client, clock, alice, bob)
    keys = ["languages", "sources", "servers", "tag_languages", "tag_servers", "space_usage", "software_versions"]
    keys += ["instance_accounts", "instance_languages"]
    body = {
        "keys": keys,
        "limit": 1,
        "tag_languages": {"id": "birds"},
        "instance_accounts": {"domain": "x.example"},
    }
    answer = await client.post(f"{ADMIN}/dimensions", json=body, headers=keeper)
    assert answer.status_code == 200, answer.text
    found = {one["key"]: one["data"] for one in answer.json()}
    assert list(found) == [key for key in keys if key not in ("tag_servers", "instance_languages")]
    assert found["languages"] == [{"key": "en", "human_key": "English", "value": "3"}]
    assert [one["value"] for one in found["sources"]] == ["4"]
    assert found["tag_languages"] == [{"key": "en", "human_key": "English", "value": "2"}]
    assert found["servers"] == found["instance_accounts"] == []
    assert all(one["unit"] == "bytes" for one in found["space_usage"])
    assert int(found["space_usage"][0]["value"]) > 0
    assert [one["key"] for one in found["software_versions"]][:2] == ["folkmoot", "python"]


async def test_retention_says_who_came_again(
    client: httpx.AsyncClient, keeper: dict[str, str], clock: FakeClock, alice: Person, bob: Person
) -> None:
    await two_days(client, clock, alice, bob)
    body = {"start_at": day(clock, 1), "end_at": day(clock), "frequency": "day"}
    first, second = (await client.post(f"{ADMIN}/retention", json=body, headers=keeper)).json()
    assert (first["period"], first["frequency"]) == (day(clock, 1), "day")
    assert [one["value"] for one in first["data"]] == ["3", "1"]
    assert [round(one["rate"], 2) for one in first["data"]] == [1.0, 0.33]
    assert second["data"] == [{"date": day(clock), "rate": 0.0, "value": "0"}]
    monthly = await client.post(f"{ADMIN}/retention", json={**body, "frequency": "month"}, headers=keeper)
    assert monthly.json()[0]["data"][0]["value"] == "3"
    nothing = await client.post(f"{ADMIN}/retention", json={"frequency": "day"}, headers=keeper)
    assert (nothing.status_code, nothing.json()) == (200, [])


@pytest.mark.parametrize("what", ["measures", "dimensions", "retention"])
async def test_what_is_asked_is_bounded_and_for_moderators(
    client: httpx.AsyncClient, keeper: dict[str, str], alice: Person, what: str
) -> None:
    body = {"keys": ["new_users", "languages"], "start_at": "2020-01-01", "end_at": "2026-01-01"}
    for wrong in (body, {**body, "start_at": "2026-02-01"}, {**body, "start_at": "yesterday"}):
        answer = await client.post(f"{ADMIN}/{what}", json=wrong, headers=keeper)
        assert answer.status_code == 422, wrong
        assert set(answer.json()) >= {"error"}
    assert (await client.post(f"{ADMIN}/{what}", json=body, headers=alice.headers)).status_code == 403
    assert (await client.post(f"{ADMIN}/{what}", json=body)).status_code == 401


@given(st.integers(-(10**14), 253_402_300_799_999), st.integers(-(10**12), 10**12), st.booleans())
@example(253_400_000_000_000, 0, True)
@example(-62_135_596_800_000, 0, True)
def test_buckets_follow_one_another_without_a_gap(start_ms: int, span_ms: int, monthly: bool) -> None:
    try:
        among = buckets(start_ms, start_ms + span_ms, monthly=monthly)
    except Refused:
        return
    assert 1 <= len(among) <= (MONTHS_MAX if monthly else DAYS_MAX)
    assert among[0].first <= start_ms // DAY_MS < among[0].end
    assert among[-1].first <= (start_ms + span_ms) // DAY_MS < among[-1].end
    assert all(one.end == following.first for one, following in pairwise(among))


def test_a_year_that_there_is_not_is_refused() -> None:
    with pytest.raises(Refused):
        days_of(0, 0)


async def test_trends_are_those_that_everybody_sees(
    client: httpx.AsyncClient, keeper: dict[str, str], alice: Person, bob: Person
) -> None:
    for who in (alice, bob):
        await post_by(client, who, "#sunrise https://news.example/a")
    trends = f"{ADMIN}/trends"
    for what in ("statuses", "links"):
        public = await client.get(f"/api/v1/trends/{what}", headers=keeper)
        assert (await client.get(f"{trends}/{what}", headers=keeper)).json() == public.json()
    (tag,) = (await client.get(f"{trends}/tags", headers=keeper)).json()
    known = (tag["id"], tag["name"], tag["trendable"], tag["usable"], tag["requires_review"])
    assert known == ("sunrise", "sunrise", True, True, False)
    for what in ("tags", "statuses", "links"):
        assert (await client.get(f"{trends}/{what}", headers=alice.headers)).status_code == 403
