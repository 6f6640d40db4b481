"""Hosts are told when somebody who asks, speaks or listens uses a browser from which another was removed."""

from collections.abc import Collection
from typing import Any

import httpx
import pytest
from litestar import Litestar
from msgspec.structs import replace
from sqlalchemy import func, select
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.web import visitor
from tests.surfaces.conftest import Person
from tests.surfaces.spaces.conftest import SPACES

from folkmoot.audience.request import Admission, ListenRequest
from folkmoot.gate import Acting, Action
from folkmoot.moderation.evasion import queries, visits
from folkmoot.moderation.evasion.actions import came, forget_old
from folkmoot.spaces.queries import by_ids
from folkmoot.storage.database import Database
from folkmoot.storage.tables.bus import events
from folkmoot.storage.tables.joining import space_visits
from folkmoot.surfaces.spaces.listen import Admitter

API = "/api/folkmoot/v1"
PASSWORD = "a long enough password"
DAY_MS = 86_400_000


class Browser:
    """One browser, in which accounts sign up and in one after another."""

    def __init__(self, app: Litestar) -> None:
        self.app = app
        self.client = visitor(app)

    async def sign_up(self, username: str) -> str:
        body = {"username": username, "password": PASSWORD}
        answer = await self.client.post(f"{API}/accounts", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["account"]["id"])

    async def sign_in(self, username: str) -> None:
        body = {"username": username, "password": PASSWORD}
        answer = await self.client.post(f"{API}/session", json=body, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 200, answer.text

    async def command(self, space_id: str, do: str, **fields: Any) -> None:
        headers = {"Sec-Fetch-Site": "same-origin"}
        path = f"{SPACES}/{space_id}/commands"
        answer = await self.client.post(path, json={"do": do, **fields}, headers=headers)
        assert answer.status_code == 200, answer.text

    async def listen(self, space_id: str) -> int:
        """The status of the answer; who came is looked at, as the web process does beside its requests."""
        services = self.app.state.equipment.services
        joined = await self.client.post(f"{SPACES}/{space_id}/join", headers={"Sec-Fetch-Site": "same-origin"})
        await services.visits.write(services.gate)
        return joined.status_code

    async def sign_out(self) -> None:
        answer = await self.client.delete(f"{API}/session", headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 204, answer.text


@pytest.fixture
def browser(app: Litestar) -> Browser:
    return Browser(app)


async def known_visits(database: Database) -> int:
    async with database.read() as read:
        return int((await read.connection.execute(select(func.count()).select_from(space_visits))).scalar_one())


async def tell(client: httpx.AsyncClient, who: Person, space_id: str, do: str, **fields: Any) -> None:
    answer = await client.post(f"{SPACES}/{space_id}/commands", json={"do": do, **fields}, headers=who.headers)
    assert answer.status_code == 200, answer.text


async def hints(client: httpx.AsyncClient, who: Person, space_id: str) -> list[dict[str, Any]]:
    answer = await client.get(f"{SPACES}/{space_id}/returning", headers=who.headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def told(client: httpx.AsyncClient, who: Person, space_id: str) -> list[tuple[str, str | None]]:
    found = await hints(client, who, space_id)
    return [(one["account"]["username"], one["removed"] and one["removed"]["username"]) for one in found]


async def live(client: httpx.AsyncClient, host: Person) -> str:
    made = await client.post(SPACES, json={"title": "The Moot", "start": True}, headers=host.headers)
    return str(made.json()["id"])


async def removed_and_back(client: httpx.AsyncClient, browser: Browser, host: Person) -> tuple[str, str]:
    """The Space from which @first was removed, and the id of @second, who asks from the same browser."""
    space_id = await live(client, host)
    first = await browser.sign_up("first")
    await browser.command(space_id, "ask")
    await tell(client, host, space_id, "remove", account=first)
    second = await browser.sign_up("second")
    await browser.command(space_id, "ask", recording_consent=True)
    return space_id, second


async def test_hosts_are_told_and_nobody_else(
    client: httpx.AsyncClient, browser: Browser, alice: Person, bob: Person
) -> None:
    space_id, second = await removed_and_back(client, browser, alice)
    assert await told(client, alice, space_id) == [("second", "first")]
    refused = await client.get(f"{SPACES}/{space_id}/returning", headers=bob.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_host_or_co_host")
    await tell(client, alice, space_id, "let_up", account=second)
    assert await told(client, alice, space_id) == [("second", "first")], "also once they are on stage"
    await tell(client, alice, space_id, "remove", account=second)
    assert await told(client, alice, space_id) == []


async def test_a_co_host_is_told_too_and_one_ignores_it_for_all(
    client: httpx.AsyncClient, browser: Browser, alice: Person, bob: Person
) -> None:
    space_id, second = await removed_and_back(client, browser, alice)
    await tell(client, alice, space_id, "invite", account=str(bob.id), role="co_host")
    await tell(client, bob, space_id, "accept", recording_consent=True)
    assert await told(client, bob, space_id) == [("second", "first")]
    path = f"{SPACES}/{space_id}/returning/{second}"
    assert (await client.delete(path, headers=bob.headers)).status_code == 204
    assert (await client.delete(path, headers=bob.headers)).status_code == 204
    assert await told(client, alice, space_id) == []
    assert (await client.delete(f"{SPACES}/{space_id}/returning/1", headers=bob.headers)).status_code == 404


@pytest.mark.parametrize("audience", ["public", "followed"])
async def test_hosts_are_told_of_listeners_removed_as_listeners(
    client: httpx.AsyncClient, browser: Browser, alice: Person, database: Database, audience: str
) -> None:
    body = {"title": "The Moot", "start": True, "audience": audience}
    space_id = str((await client.post(SPACES, json=body, headers=alice.headers)).json()["id"])
    first = await browser.sign_up("first")
    second = await browser.sign_up("second")
    for account in (first, second):
        await client.post(f"/api/v1/accounts/{account}/follow", headers=alice.headers)
    assert await browser.listen(space_id) == 200, "nobody was removed yet"
    await browser.sign_in("first")
    assert await browser.listen(space_id) == 200
    assert await known_visits(database) == 0, "who listens is nobody's business"
    await tell(client, alice, space_id, "remove", account=first)
    assert await browser.listen(space_id) == (403 if audience == "public" else 404), "their player asks again"
    await removal_is_heard_of(browser, space_id)
    (hint,) = await hints(client, alice, space_id)
    assert (hint["account"]["id"], hint["removed"]["id"], hint["listens"]) == (second, first, True)
    await browser.sign_in("second")
    await browser.command(space_id, "ask")
    assert [one["listens"] for one in await hints(client, alice, space_id)] == [False]
    answer = await client.delete(f"{SPACES}/{space_id}/returning/{second}", headers=alice.headers)
    assert answer.status_code == 204
    assert await told(client, alice, space_id) == []


async def removal_is_heard_of(browser: Browser, space_id: str) -> None:
    """What the web process does when the event comes."""
    services = browser.app.state.equipment.services
    services.visits.removed(int(space_id))
    await services.visits.write(services.gate)


async def test_hosts_are_told_who_listens_without_an_account(
    client: httpx.AsyncClient, browser: Browser, alice: Person, database: Database
) -> None:
    space_id, second = await removed_and_back(client, browser, alice)
    await client.delete(f"{SPACES}/{space_id}/returning/{second}", headers=alice.headers)
    assert await hints(client, alice, space_id) == []
    await browser.sign_out()
    stranger = Browser(browser.app)
    assert await stranger.listen(space_id) == 200, "a browser without a number"
    assert await known_visits(database) == 0
    assert await browser.listen(space_id) == 200
    (hint,) = await hints(client, alice, space_id)
    assert (hint["account"], hint["removed"]["username"], hint["listens"]) == (None, "first", True)
    first = hint["removed"]["id"]
    await tell(client, alice, space_id, "let_back", account=first)
    assert await hints(client, alice, space_id) == []
    await tell(client, alice, space_id, "remove", account=first)
    await client.delete(f"{SPACES}/{space_id}/returning/{first}", headers=alice.headers)
    assert await hints(client, alice, space_id) == []


async def test_by_hls_for_everybody_too_and_at_the_door(
    client: httpx.AsyncClient, browser: Browser, alice: Person, bob: Person, database: Database
) -> None:
    space_id, _ = await removed_and_back(client, browser, alice)
    await browser.sign_out()
    services = browser.app.state.equipment.services
    cookie = "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items())
    request = ListenRequest(int(space_id), "opus", None, None, cookie, "https://other.example", "203.0.113.9")
    assert isinstance(await Admitter(services)(request), Admission)
    await services.visits.write(services.gate)
    assert await known_visits(database) == 0, "a page elsewhere sends what it likes"
    assert isinstance(await Admitter(services)(replace(request, origin=None)), Admission)
    await services.visits.write(services.gate)
    assert await known_visits(database) == 1
    elsewhere = await live_with_a_listener_removed(client, browser, bob)
    await browser.client.get(f"{SPACES}/{elsewhere}/hls/index.m3u8")
    await services.visits.write(services.gate)
    assert [one["account"] for one in await hints(client, bob, elsewhere)] == [None]


async def live_with_a_listener_removed(client: httpx.AsyncClient, browser: Browser, host: Person) -> str:
    space_id = await live(client, host)
    account = await browser.sign_up("listening")
    assert await browser.listen(space_id) == 200
    await tell(client, host, space_id, "remove", account=account)
    await removal_is_heard_of(browser, space_id)
    await browser.sign_out()
    return space_id


async def test_who_only_was_named_and_listens_without_an_account_is_nobodys_business(
    client: httpx.AsyncClient, browser: Browser, alice: Person, database: Database
) -> None:
    """Else whoever opens a Space could find out that somebody listens who does not want to be seen."""
    space_id = await live(client, alice)
    named = await browser.sign_up("named")
    await browser.sign_out()
    await tell(client, alice, space_id, "remove", account=named)
    assert await browser.listen(space_id) == 200
    await removal_is_heard_of(browser, space_id)
    assert await hints(client, alice, space_id) == []
    assert await known_visits(database) == 0


async def test_of_a_crowd_those_are_found_who_share_a_browser(
    client: httpx.AsyncClient, browser: Browser, alice: Person, database: Database
) -> None:
    space_id, second = await removed_and_back(client, browser, alice)
    async with database.read() as read:
        found = await queries.same_browsers(read, int(space_id), [int(second), *range(10**6, 10**6 + 600)])
    assert [str(one.account_id) for one in found] == [second]


async def test_a_space_that_fails_keeps_no_other_waiting_and_one_that_is_over_is_forgotten(
    app: Litestar, client: httpx.AsyncClient, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = app.state.equipment.services
    looked_at: list[int] = []
    spaces = [int(await live(client, host)) for host in (alice, bob)]
    first = await Browser(app).sign_up("first")

    async def fails_once(_acting: Acting, *, space_id: int, **_came: Collection[object]) -> None:
        looked_at.append(space_id)
        if looked_at == spaces[:1]:
            raise ValueError("no")

    monkeypatch.setattr(visits, "came", fails_once)
    for space_id, host in zip(spaces, (alice, bob), strict=True):
        await tell(client, host, str(space_id), "remove", account=first)
        async with services.database.read() as read:
            (space,) = await by_ids(read, [space_id])
        services.visits.note(space, int(first))
    with pytest.raises(ExceptionGroup):
        await services.visits.write(services.gate)
    assert looked_at == spaces
    await tell(client, bob, str(spaces[1]), "end")
    await services.visits.write(services.gate)
    assert looked_at == [*spaces, spaces[0]]
    assert set(services.visits._doors) == {spaces[0]}


async def test_a_removal_that_is_heard_of_while_one_looks_is_looked_at_after(
    app: Litestar, client: httpx.AsyncClient, browser: Browser, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    space_id = await live_with_a_listener_removed(client, Browser(app), alice)
    services = app.state.equipment.services
    for username in ("second", "first"):
        first = await browser.sign_up(username)
        await browser.client.post(f"{SPACES}/{space_id}/join", headers={"Sec-Fetch-Site": "same-origin"})

    async def overtaken(acting: Acting, **what: Any) -> None:
        monkeypatch.undo()
        await came(acting, **what)
        services.visits.removed(int(space_id))

    monkeypatch.setattr(visits, "came", overtaken)
    await services.visits.write(services.gate)
    await tell(client, alice, space_id, "remove", account=first)
    await services.visits.write(services.gate)
    assert await told(client, alice, space_id) == [("second", "first")]


async def test_who_came_is_known_once_the_removed_one_comes_too(
    client: httpx.AsyncClient, browser: Browser, alice: Person
) -> None:
    space_id = await live(client, alice)
    first = await browser.sign_up("first")
    await browser.sign_up("second")
    await tell(client, alice, space_id, "remove", account=first)
    assert await browser.listen(space_id) == 200
    await browser.sign_in("first")
    assert await browser.listen(space_id) == 403
    assert await told(client, alice, space_id) == [("second", "first")]


async def test_hosts_hear_at_once_and_of_nobody_else_who_listens(
    app: Litestar, client: httpx.AsyncClient, browser: Browser, alice: Person, database: Database
) -> None:
    space_id, _ = await removed_and_back(client, browser, alice)
    stranger = Browser(app)
    await stranger.sign_up("stranger")
    assert await stranger.listen(space_id) == 200
    assert await known_visits(database) == 0
    third = await browser.sign_up("third")
    assert await browser.listen(space_id) == 200
    assert ("third", "first") in await told(client, alice, space_id)
    async with database.read() as read:
        told_last = (await read.connection.execute(select(events.c.payload).order_by(events.c.id.desc()))).scalar()
    assert told_last == {"space": space_id, "changes": [{"change": "came_back", "account_id": third}]}
    gate = app.state.equipment.services.gate
    permit = gate.permit_system(Action.SIGN_IN, "test")
    await gate.act(permit, forget_old)
    assert await known_visits(database) == 1
    await tell(client, alice, space_id, "end")
    assert await told(client, alice, space_id) == []
    await gate.act(permit, forget_old)
    assert await known_visits(database) == 0


async def test_hosts_learn_nothing_of_people_who_did_not_come(
    app: Litestar, client: httpx.AsyncClient, browser: Browser, alice: Person
) -> None:
    """Whoever opens a Space is its host: names that they invite or remove must not be told apart by it."""
    scheduled = (await client.post(SPACES, json={"title": "A trap"}, headers=alice.headers)).json()["id"]
    space_id = await live(client, alice)
    first = await browser.sign_up("first")
    second = await browser.sign_up("second")
    for trap in (scheduled, space_id):
        await tell(client, alice, trap, "remove", account=first)
        await tell(client, alice, trap, "invite", account=second)
        assert await told(client, alice, trap) == []
    await browser.command(space_id, "accept", recording_consent=True)
    assert await browser.listen(space_id) == 200
    await removal_is_heard_of(browser, space_id)
    assert await told(client, alice, space_id) == [], "nothing is known of who never came"


async def test_who_spoke_or_wrote_before_they_were_removed(
    client: httpx.AsyncClient, browser: Browser, alice: Person
) -> None:
    space_id = await live(client, alice)
    announcement = (await client.get(f"{SPACES}/{space_id}")).json()["announcement_id"]
    headers = {"Sec-Fetch-Site": "same-origin"}
    writing = await browser.sign_up("writing")
    reply = {"status": "loud words", "in_reply_to_id": announcement}
    assert (await browser.client.post("/api/v1/statuses", json=reply, headers=headers)).status_code == 200
    speaking = await browser.sign_up("speaking")
    await browser.command(space_id, "ask", recording_consent=True)
    await tell(client, alice, space_id, "let_up", account=speaking)
    await browser.command(space_id, "step_down")
    await tell(client, alice, space_id, "remove", account=writing)
    await browser.sign_up("again")
    await browser.command(space_id, "ask")
    assert await told(client, alice, space_id) == [("again", "writing")]
    penning = await browser.sign_up("penning")
    answered = await browser.client.post("/api/v1/statuses", json=reply, headers=headers)
    assert ("penning", "writing") in await told(client, alice, space_id), "also who comes back to write"
    ignored = await client.delete(f"{SPACES}/{space_id}/returning/{penning}", headers=alice.headers)
    assert (answered.status_code, ignored.status_code) == (200, 204)
    assert await told(client, alice, space_id) == [("again", "writing")]
    await tell(client, alice, space_id, "let_back", account=writing)
    await tell(client, alice, space_id, "remove", account=speaking)
    assert await told(client, alice, space_id) == [("writing", "speaking"), ("again", "speaking")]


async def test_another_browser_another_space_and_one_let_back(
    app: Litestar, client: httpx.AsyncClient, browser: Browser, alice: Person, bob: Person
) -> None:
    space_id, _ = await removed_and_back(client, browser, alice)
    await tell(client, bob, space_id, "ask")
    stranger = Browser(app)
    await stranger.sign_up("stranger")
    await stranger.command(space_id, "ask")
    assert await told(client, alice, space_id) == [("second", "first")]
    elsewhere = await live(client, bob)
    await browser.command(elsewhere, "ask")
    assert await told(client, bob, elsewhere) == []
    account = await client.get("/api/v1/accounts/lookup?acct=first")
    await tell(client, alice, space_id, "let_back", account=account.json()["id"])
    assert await told(client, alice, space_id) == []


async def test_a_trace_is_over_after_its_time(
    client: httpx.AsyncClient, browser: Browser, alice: Person, clock: FakeClock, people: People
) -> None:
    space_id, _ = await removed_and_back(client, browser, alice)
    clock.advance_ms(91 * DAY_MS)
    alice = Person(alice.id, "alice", {"Authorization": f"Bearer {await people.token(alice.id)}"})
    assert await told(client, alice, space_id) == []
