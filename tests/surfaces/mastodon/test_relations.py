"""What people decide about each other, as Mastodon clients ask for it."""

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.statements import statements
from tests.surfaces.conftest import Person, person

from folkmoot.gate import Standing
from folkmoot.storage.database import Database

ACCOUNTS = "/api/v1/accounts"
# https://docs.joinmastodon.org/entities/Relationship/
NOTHING = {
    "following": False, "showing_reblogs": False, "notifying": False, "languages": None, "followed_by": False,
    "blocking": False, "blocked_by": False, "muting": False, "muting_notifications": False,
    "muting_expires_at": None, "requested": False, "requested_by": False, "domain_blocking": False,
    "endorsed": False, "note": "",
}  # fmt: skip


class Talking:
    """Somebody's program."""

    def __init__(self, client: httpx.AsyncClient, who: Person) -> None:
        self.client = client
        self.who = who

    async def do(self, other: "Talking", verb: str, **body: object) -> dict[str, object]:
        answer = await self.post(f"{ACCOUNTS}/{other.who.id}/{verb}", **body)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        assert found.pop("id") == str(other.who.id)
        return found

    async def post(self, path: str, **body: object) -> httpx.Response:
        return await self.client.post(path, headers=self.who.headers, json=body)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path, headers=self.who.headers)

    async def names(self, path: str) -> list[str]:
        return [one["username"] for one in (await self.get(path)).json()]

    async def set_profile(self, **changes: object) -> None:
        answer = await self.client.patch(f"{ACCOUNTS}/update_credentials", headers=self.who.headers, json=changes)
        assert answer.status_code == 200

    async def asking(self) -> int:
        own = (await self.get(f"{ACCOUNTS}/verify_credentials")).json()
        return int(own["source"]["follow_requests_count"])


@pytest.fixture
def a(client: httpx.AsyncClient, alice: Person) -> Talking:
    return Talking(client, alice)


@pytest.fixture
def b(client: httpx.AsyncClient, bob: Person) -> Talking:
    return Talking(client, bob)


async def test_following_with_choices(a: Talking, b: Talking) -> None:
    follows = NOTHING | {"following": True, "showing_reblogs": True}
    assert await a.do(b, "follow") == follows
    chosen = follows | {"showing_reblogs": False, "notifying": True, "languages": ["de", "en"]}
    assert await a.do(b, "follow", reblogs=False, notify=True, languages=["en", "de"]) == chosen
    assert await a.do(b, "follow") == chosen
    assert await a.do(b, "follow", languages=[]) == chosen | {"languages": None}
    assert (await b.do(a, "follow"))["followed_by"] is True
    assert await a.do(b, "unfollow") == NOTHING | {"followed_by": True}
    assert await b.do(a, "unfollow") == NOTHING


async def test_languages_that_are_none(a: Talking, b: Talking) -> None:
    answer = await a.post(f"{ACCOUNTS}/{b.who.id}/follow", languages=["en,de"])
    assert answer.status_code == 422


async def test_a_locked_account_is_asked(a: Talking, b: Talking) -> None:
    await b.set_profile(locked=True)
    asks = NOTHING | {"requested": True, "showing_reblogs": False}
    assert await a.do(b, "follow", reblogs=False) == asks
    assert await a.do(b, "follow") == asks
    assert (await b.names("/api/v1/follow_requests"), await b.asking()) == (["alice"], 1)
    answer = await b.post(f"/api/v1/follow_requests/{a.who.id}/authorize")
    assert answer.json() == {"id": str(a.who.id)} | NOTHING | {"followed_by": True}
    assert (await b.names("/api/v1/follow_requests"), await b.asking()) == ([], 0)
    assert await a.do(b, "follow") == NOTHING | {"following": True}  # with the choice made when asking


async def test_a_request_is_rejected_withdrawn_or_gone(a: Talking, b: Talking) -> None:
    await b.set_profile(locked=True)
    assert (await a.do(b, "follow"))["requested"] is True
    answer = await b.post(f"/api/v1/follow_requests/{a.who.id}/reject")
    assert answer.json() == {"id": str(a.who.id)} | NOTHING
    for verb in ("authorize", "reject"):
        assert (await b.post(f"/api/v1/follow_requests/{a.who.id}/{verb}")).status_code == 404
    await a.do(b, "follow")
    assert await a.do(b, "unfollow") == NOTHING
    assert await b.names("/api/v1/follow_requests") == []


async def test_unlocking_lets_everybody_in_who_asked(a: Talking, b: Talking) -> None:
    await b.set_profile(locked=True)
    await a.do(b, "follow")
    await b.set_profile(locked=False)
    shown = (await a.get(f"{ACCOUNTS}/{b.who.id}")).json()
    assert (shown["followers_count"], await a.names(f"{ACCOUNTS}/{b.who.id}/followers")) == (1, ["alice"])


async def test_letting_many_in_costs_what_it_costs_for_one(
    a: Talking, b: Talking, people: People, database: Database
) -> None:
    async def cost(names: list[str]) -> int:
        await b.set_profile(locked=True)
        for name in names:
            await Talking(a.client, await person(people, name)).do(b, "follow")
        with statements(database) as counted:
            await b.set_profile(locked=False)
        return len(counted)

    of_one = await cost(["carol"])
    assert await cost(["dave", "eve", "fred", "gina"]) == of_one
    shown = (await a.get(f"{ACCOUNTS}/{b.who.id}")).json()
    assert shown["followers_count"] == len(await a.names(f"{ACCOUNTS}/{b.who.id}/followers")) == 5


async def test_a_follower_is_sent_away(a: Talking, b: Talking) -> None:
    await a.do(b, "follow")
    assert await b.do(a, "remove_from_followers") == NOTHING
    assert (await a.get(f"{ACCOUNTS}/{b.who.id}")).json()["followers_count"] == 0


async def test_muting_for_a_time(a: Talking, b: Talking, clock: FakeClock) -> None:
    muted = await a.do(b, "mute", duration=3600)
    assert (muted["muting"], muted["muting_notifications"]) == (True, True)
    (listed,) = (await a.get("/api/v1/mutes")).json()
    assert (listed["username"], listed["mute_expires_at"]) == ("bob", "2027-01-15T09:00:00.000Z")
    # The profile stays open to whoever mutes.
    assert (await a.get(f"{ACCOUNTS}/{b.who.id}")).status_code == 200
    assert (await a.do(b, "mute", notifications=False))["muting_notifications"] is False
    assert (await a.get("/api/v1/mutes")).json()[0]["mute_expires_at"] is None
    assert await a.do(b, "unmute") == NOTHING
    await a.do(b, "mute", duration=60)
    clock.advance_ms(60_000)
    assert await a.names("/api/v1/mutes") == []


async def test_whom_one_mutes_is_gone_from_timelines_and_not_from_the_profile(a: Talking, b: Talking) -> None:
    await a.do(b, "follow")
    said = (await b.post("/api/v1/statuses", status="so loud")).json()["id"]
    places = ["/api/v1/timelines/home", "/api/v1/timelines/public", f"{ACCOUNTS}/{b.who.id}/statuses"]

    async def there() -> list[bool]:
        return [said in [one["id"] for one in (await a.get(place)).json()] for place in places]

    assert await there() == [True, True, True]
    await a.do(b, "mute")
    assert await there() == [False, False, True]
    await a.do(b, "unmute")
    assert await there() == [True, True, True]


async def test_what_one_chose_to_see_of_whom_one_follows(a: Talking, b: Talking) -> None:
    own = (await a.post("/api/v1/statuses", status="mine", language="en")).json()["id"]
    boost = (await b.post(f"/api/v1/statuses/{own}/reblog")).json()["id"]
    german = (await b.post("/api/v1/statuses", status="Guten Tag", language="de")).json()["id"]
    unsaid = (await b.post("/api/v1/statuses", status="…")).json()

    async def there() -> set[str]:
        return {one["id"] for one in (await a.get("/api/v1/timelines/home")).json()}

    await a.do(b, "follow")
    assert await there() == {own, boost, german, unsaid["id"]}
    await a.do(b, "follow", reblogs=False)
    assert await there() == {own, german, unsaid["id"]}
    await a.do(b, "follow", reblogs=True, languages=["en"])
    assert german not in await there()
    assert await there() >= {own, boost}


async def test_mutes_that_cannot_be(a: Talking, b: Talking) -> None:
    for duration in (-1, 10**12, "long"):
        assert (await a.post(f"{ACCOUNTS}/{b.who.id}/mute", duration=duration)).status_code == 422


async def test_whom_one_blocks_is_listed_and_let_go(a: Talking, b: Talking) -> None:
    await a.do(b, "block")
    await b.do(a, "block")
    assert await a.names("/api/v1/blocks") == ["bob"]
    assert (await a.do(b, "unblock"))["blocked_by"] is True
    assert await a.names("/api/v1/blocks") == []


async def test_notes(a: Talking, b: Talking) -> None:
    assert (await a.do(b, "note", comment=" met in Graz "))["note"] == "met in Graz"
    assert (await b.do(a, "unmute"))["note"] == ""
    assert (await a.do(b, "note", comment=""))["note"] == ""
    assert (await a.post(f"{ACCOUNTS}/{b.who.id}/note", comment="x" * 2001)).status_code == 422


async def test_recommending(a: Talking, b: Talking) -> None:
    assert (await a.post(f"{ACCOUNTS}/{b.who.id}/endorse")).status_code == 422
    await a.do(b, "follow")
    for recommend, withdraw in (("endorse", "unendorse"), ("pin", "unpin")):
        assert (await a.do(b, recommend))["endorsed"] is True
        assert await a.names("/api/v1/endorsements") == ["bob"]
        assert await b.names(f"{ACCOUNTS}/{a.who.id}/endorsements") == ["bob"]
        assert (await a.do(b, withdraw))["endorsed"] is False
        assert await a.names("/api/v1/endorsements") == []


async def test_hosts_that_one_blocks(a: Talking) -> None:
    domains = "/api/v1/domain_blocks"
    for domain in ("Elsewhere.TEST", "elsewhere.test", "münchen.test"):
        assert (await a.post(domains, domain=domain)).json() == {}
    first = await a.get(f"{domains}?limit=1")
    assert first.json() == ["xn--mnchen-3ya.test"]
    assert (await a.get(first.links["next"]["url"])).json() == ["elsewhere.test"]
    for domain in ("", "no host", "moot.test"):
        assert (await a.post(domains, domain=domain)).status_code == 422
    gone = await a.client.request("DELETE", f"{domains}?domain=elsewhere.test", headers=a.who.headers)
    assert (gone.status_code, (await a.get(domains)).json()) == (200, ["xn--mnchen-3ya.test"])


async def test_who_is_hidden_from_others_still_sees_their_own(a: Talking, b: Talking) -> None:
    await a.do(b, "follow")
    await b.set_profile(hide_collections=True)
    assert await a.names(f"{ACCOUNTS}/{b.who.id}/followers") == []
    assert await b.names(f"{ACCOUNTS}/{b.who.id}/followers") == ["alice"]


async def test_of_the_suspended_only_who_asks_for_them(a: Talking, b: Talking, people: People) -> None:
    await a.do(b, "mute")
    await people.put(b.who.id, Standing.SUSPENDED)
    path = f"{ACCOUNTS}/relationships?id[]={b.who.id}"
    assert (await a.get(path)).json() == []
    assert [one["muting"] for one in (await a.get(f"{path}&with_suspended=true")).json()] == [True]
    assert (await a.do(b, "unmute"))["muting"] is False


async def test_nobody_is_nobody(a: Talking) -> None:
    for verb, status in (("mute", 404), ("note", 404), ("endorse", 422), ("follow", 404), ("block", 404)):
        assert (await a.post(f"{ACCOUNTS}/12345/{verb}", comment="x")).status_code == status


async def test_whom_one_muted_is_listed_also_when_they_block_one(
    client: httpx.AsyncClient, alice: Person, bob: Person
) -> None:
    own, other = Talking(client, bob), Talking(client, alice)
    await other.do(own, "block")
    await own.do(other, "mute")
    assert await own.names("/api/v1/mutes") == ["alice"]


async def test_whom_one_blocks_is_found_where_one_did_it(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    own, other = Talking(client, alice), Talking(client, bob)
    said = (await other.post("/api/v1/statuses", status="hello")).json()["id"]
    await own.do(other, "block")
    profile = f"{ACCOUNTS}/{bob.id}"
    for path in (profile, f"{ACCOUNTS}/lookup?acct=bob"):
        assert (await own.get(path)).json()["username"] == "bob"
    assert (await own.get(f"{profile}/statuses")).json() == []
    for path in (f"{profile}/followers", f"/api/v1/statuses/{said}"):
        assert (await own.get(path)).status_code == 404
    for path in (f"{ACCOUNTS}/{alice.id}", f"{ACCOUNTS}/{alice.id}/statuses", f"{ACCOUNTS}/lookup?acct=alice"):
        assert (await other.get(path)).status_code == 404
    await people.put(bob.id, Standing.SUSPENDED)
    for path in (profile, f"{profile}/statuses"):
        assert not (await own.get(path)).is_success
