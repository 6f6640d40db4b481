"""A stopped network: for sign-ups or for everything, at every door, also for what is open."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.waiting import PATIENCE_S, eventually
from tests.support.web import visitor
from tests.surfaces.asking import scope_of
from tests.surfaces.conftest import FakeStages, Person

from folkmoot.audience.door import CONNECTION
from folkmoot.audience.leases import Leases
from folkmoot.audience.request import Admission, ListenRefusal, ListenRequest
from folkmoot.gate import Role
from folkmoot.gate.queries import raised_since
from folkmoot.gate.watch import RevocationWatch
from folkmoot.moderation.networks import actions
from folkmoot.storage.doorbell import Doorbell
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces.listen import Admitter

API = "/api/folkmoot/v1"
PATH = "/api/v1/admin/ip_blocks"
DAY_MS = 86_400_000

Visit = Callable[[str], httpx.AsyncClient]


@pytest.fixture
def visit(app: Litestar) -> Visit:
    return lambda address: visitor(app, address=address)


@pytest.fixture
async def keeper(people: People) -> Person:
    account_id = await people.create("keeper", Role.MODERATOR)
    return Person(account_id, "keeper", {"Authorization": f"Bearer {await people.token(account_id)}"})


@pytest.fixture
def watch(services: Services, tmp_path: Path) -> RevocationWatch:
    """What the web process runs beside its loop: `sweep` is what it does five times a second."""
    return RevocationWatch(services.leases, services.database, Doorbell(tmp_path))


async def stop(client: httpx.AsyncClient, keeper: Person, ip: str, severity: str, **more: Any) -> dict[str, Any]:
    body = {"ip": ip, "severity": severity, "comment": "A flood of accounts", **more}
    made = await client.post(PATH, json=body, headers=keeper.headers)
    assert made.status_code == 200, made.text
    return dict(made.json())


async def sign_up(browser: httpx.AsyncClient, username: str) -> httpx.Response:
    body = {"username": username, "password": "a long enough password"}
    return await browser.post(f"{API}/accounts", json=body)


async def test_nothing_is_served_to_a_stopped_network(
    visit: Visit, client: httpx.AsyncClient, keeper: Person, watch: RevocationWatch
) -> None:
    before = await visit("203.0.113.9").get(f"{API}/session")
    assert before.status_code == 200
    made = await stop(client, keeper, "203.0.113.7/24", "no_access", expires_in=3_600)
    assert (made["ip"], made["severity"], made["comment"]) == ("203.0.113.0/24", "no_access", "A flood of accounts")
    await watch.sweep()
    for path in (f"{API}/session", "/api/v1/timelines/public", "/spaces", "/oauth/authorize", "/assets/x.js"):
        refused = await visit("203.0.113.9").get(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "network_stopped"), path
        assert refused.headers["Cache-Control"] == "no-store"
    assert refused.json()["error"] == (
        "Nobody is let in from your network (203.0.113.0/24) until 2027-01-15 09:00 UTC: A flood of accounts. "
        "If this is wrong, tell whoever runs this server, from another network."
    )
    assert (await sign_up(visit("203.0.113.9"), "nora")).status_code == 403
    for near in ("203.0.112.255", "203.0.114.0", "2001:db8::9"):
        assert (await visit(near).get(f"{API}/session")).status_code == 200
    assert (await visit("::ffff:203.0.113.9").get(f"{API}/session")).status_code == 403


async def test_a_person_reads_it_on_a_page(
    visit: Visit, client: httpx.AsyncClient, keeper: Person, watch: RevocationWatch, services: Services
) -> None:
    await stop(client, keeper, "2001:db8:7::/48", "no_access")
    await watch.sweep()
    services.networks._contact = "moot@example.org"
    browser = visit("2001:db8:7::1")
    page = await browser.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 403
    assert "write to moot@example.org" in page.text
    assert (await browser.get("/static/forms.css")).status_code == 200


async def test_it_ends_by_the_clock_and_by_a_lift(
    visit: Visit, client: httpx.AsyncClient, keeper: Person, clock: FakeClock, watch: RevocationWatch
) -> None:
    await stop(client, keeper, "203.0.113.0/24", "no_access", expires_in=60)
    lasting = await stop(client, keeper, "198.51.100.0/24", "no_access")
    await watch.sweep()
    clock.advance_ms(60_000)
    assert (await visit("203.0.113.9").get(f"{API}/session")).status_code == 200
    assert (await visit("198.51.100.9").get(f"{API}/session")).status_code == 403
    assert (await client.delete(f"{PATH}/{lasting['id']}", headers=keeper.headers)).json() == {}
    await watch.sweep()
    assert (await visit("198.51.100.9").get(f"{API}/session")).status_code == 200
    assert (await client.get(PATH, headers=keeper.headers)).json() == []


async def test_for_sign_ups_only(
    visit: Visit, client: httpx.AsyncClient, keeper: Person, watch: RevocationWatch
) -> None:
    await stop(client, keeper, "203.0.113.0/24", "sign_up_block")
    await stop(client, keeper, "198.51.100.0/24", "sign_up_requires_approval")
    await watch.sweep()
    refused = await sign_up(visit("203.0.113.9"), "nora")
    assert (refused.status_code, refused.json()["code"]) == (403, "network_stopped")
    assert "Sign up from another one" in refused.json()["error"]
    assert (await visit("203.0.113.9").get(f"{API}/session")).status_code == 200
    assert (await sign_up(visit("198.51.100.9"), "olga")).status_code == 202
    assert (await sign_up(visit("192.0.2.9"), "pia")).status_code == 200


async def test_it_is_decided_anew(
    visit: Visit, client: httpx.AsyncClient, keeper: Person, watch: RevocationWatch
) -> None:
    made = await stop(client, keeper, "203.0.113.0/24", "sign_up_block", expires_in=600)
    one = f"{PATH}/{made['id']}"
    changed = await client.put(one, json={"severity": "no_access"}, headers=keeper.headers)
    assert changed.json() == made | {"severity": "no_access", "created_at": changed.json()["created_at"]}
    await watch.sweep()
    assert (await visit("203.0.113.9").get(f"{API}/session")).status_code == 403
    changed = await client.put(one, json={"severity": "sign_up_block", "expires_in": 0}, headers=keeper.headers)
    assert changed.json()["expires_at"] is None
    await watch.sweep()
    assert (await visit("203.0.113.9").get(f"{API}/session")).status_code == 200
    assert (await client.get(one, headers=keeper.headers)).json() == changed.json()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ip": "nobody"}, "network_invalid"),
        ({"ip": "203.0.113.0/40"}, "network_invalid"),
        ({"ip": "0.0.0.0/0"}, "network_too_wide"),
        ({"ip": "::/0"}, "network_too_wide"),
        ({"ip": "::ffff:0:0/96"}, "network_too_wide"),
        ({"severity": "suspend"}, "severity_invalid"),
        ({"comment": "  "}, "reason_missing"),
        ({"expires_in": -1}, "end_is_past"),
        ({"expires_in": "soon"}, "end_is_past"),
        ({"expires_in": 10**18}, "end_is_past"),
        ({"ip": "203.0.0.0/16"}, "network_large"),
        ({"ip": "2001:db8::/32"}, "network_large"),
        # The moderator's own.
        ({"ip": "127.0.0.0/24"}, "catches_yourself"),
        ({"ip": "::ffff:127.0.0.1"}, "catches_yourself"),
        ({"ip": "192.0.2.0/24"}, "stopped_already"),
    ],
)
async def test_what_is_refused(
    fields: dict[str, Any], code: str, client: httpx.AsyncClient, keeper: Person
) -> None:
    await stop(client, keeper, "192.0.2.1/24", "sign_up_block")
    body = {"ip": "203.0.113.0/24", "severity": "no_access", "comment": "A flood", **fields}
    refused = await client.post(PATH, json=body, headers=keeper.headers)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_confirmed_it_is_done(
    client: httpx.AsyncClient, keeper: Person, visit: Visit, watch: RevocationWatch
) -> None:
    await stop(client, keeper, "127.0.0.0/24", "sign_up_block", confirm=True)
    await stop(client, keeper, "10.16.0.0/12", "no_access", confirm=True)
    await watch.sweep()
    assert (await visit("10.31.255.255").get(f"{API}/session")).status_code == 403


async def test_overlapping_the_strictest_holds_and_members_stop_nothing(
    client: httpx.AsyncClient, keeper: Person, alice: Person, visit: Visit, watch: RevocationWatch
) -> None:
    inner = await stop(client, keeper, "203.0.113.128/25", "no_access")
    await stop(client, keeper, "203.0.113.0/24", "sign_up_requires_approval")
    await watch.sweep()
    assert (await visit("203.0.113.200").get(f"{API}/session")).status_code == 403
    assert (await sign_up(visit("203.0.113.1"), "nora")).status_code == 202
    await client.delete(f"{PATH}/{inner['id']}", headers=keeper.headers)
    await watch.sweep()
    assert (await sign_up(visit("203.0.113.200"), "olga")).status_code == 202
    body = {"ip": "203.0.113.1", "severity": "no_access", "comment": "mine"}
    assert (await client.post(PATH, json=body, headers=alice.headers)).status_code == 403


class OpenRequest:
    """Somebody who follows a Space's events from an address; also the connection, which may be reset."""

    def __init__(self, address: str, path: str, headers: dict[str, str]) -> None:
        self._scope = {
            **scope_of("GET", path, {"host": "moot.test", **headers}),
            "extensions": {CONNECTION: self},
            "client": (address, 1),
        }
        self.was_reset = False
        self.has_begun = asyncio.Event()
        self._gone = asyncio.Event()

    async def run(self, app: Litestar) -> None:
        await cast(Any, app)(self._scope, self._receive, self._send)

    def reset(self) -> None:
        self.was_reset = True
        self._gone.set()

    async def drained(self) -> None:
        pass

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message.get("body"):
            self.has_begun.set()


async def live_space(client: httpx.AsyncClient, by: Person) -> str:
    made = await client.post(f"{API}/spaces", json={"title": "The Moot", "start": True}, headers=by.headers)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def test_what_is_open_from_there_ends(
    app: Litestar, client: httpx.AsyncClient, keeper: Person, alice: Person, watch: RevocationWatch
) -> None:
    events = f"{API}/spaces/{await live_space(client, alice)}/events"
    stopped, other = (
        OpenRequest("203.0.113.9", events, alice.headers),
        OpenRequest("192.0.2.9", events, alice.headers),
    )
    tasks = [asyncio.create_task(one.run(app)) for one in (stopped, other)]
    await asyncio.wait_for(asyncio.gather(stopped.has_begun.wait(), other.has_begun.wait()), PATIENCE_S)
    await stop(client, keeper, "203.0.113.0/24", "no_access")
    await watch.sweep()
    await eventually(lambda: stopped.was_reset)
    assert not other.was_reset
    other.reset()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), PATIENCE_S)


def listen_from(address: str, space_id: str) -> ListenRequest:
    return ListenRequest(
        space_id=int(space_id), form="opus", ticket=None, authorization=None, cookie=None, origin=None,
        address=address,
    )  # fmt: skip


async def test_a_listener_at_the_door_and_one_who_listens(
    services: Services, client: httpx.AsyncClient, keeper: Person, alice: Person
) -> None:
    space_id, admit = await live_space(client, alice), Admitter(services)
    leases, numbers = Leases(), {"203.0.113.9": 1, "203.0.114.9": 2, "2001:db8::9": 3}
    for address, number in numbers.items():
        admitted = await admit(listen_from(address, space_id))
        assert isinstance(admitted, Admission)
        assert leases.hold(number, admitted.stamps)
    late = await admit(listen_from("203.0.113.10", space_id))
    assert isinstance(late, Admission)
    await stop(client, keeper, "203.0.113.0/24", "no_access")
    async with services.database.read() as read:
        raised = await raised_since(read, 0)
    assert leases.raise_counters(raised) == {1}
    assert not leases.hold(4, late.stamps), "who was on the way to the worker is refused there"
    # The book of the web process is as old as it is: what it lets in hangs on that.
    stale = await admit(listen_from("203.0.113.11", space_id))
    if isinstance(stale, Admission):
        assert not leases.hold(5, stale.stamps)
    await services.networks._read_anew()
    refused = await admit(listen_from("203.0.113.9", space_id))
    assert isinstance(refused, ListenRefusal)
    assert (refused.status, refused.code) == (403, "network_stopped")
    again = await admit(listen_from("203.0.114.9", space_id))
    assert isinstance(again, Admission)
    assert leases.hold(6, again.stamps)


async def test_after_the_lift_one_is_let_in_anew(
    services: Services, client: httpx.AsyncClient, keeper: Person, alice: Person, watch: RevocationWatch
) -> None:
    space_id, admit, leases = await live_space(client, alice), Admitter(services), Leases()
    made = await stop(client, keeper, "203.0.113.0/24", "no_access")
    await client.delete(f"{PATH}/{made['id']}", headers=keeper.headers)
    async with services.database.read() as read:
        leases.raise_counters(await raised_since(read, 0))
    await watch.sweep()
    admitted = await admit(listen_from("203.0.113.9", space_id))
    assert isinstance(admitted, Admission)
    assert leases.hold(1, admitted.stamps)


async def test_whep_and_whip_hang_on_the_address_and_tokens_do_not(
    client: httpx.AsyncClient, alice: Person, stages: FakeStages, visit: Visit
) -> None:
    space_id = await live_space(client, alice)
    offer = {"content": b"v=0\r\n", "headers": {"Content-Type": "application/sdp"}}
    heard = await visit("203.0.113.9").post(f"{API}/spaces/{space_id}/whep", **offer)  # type: ignore[arg-type]
    assert heard.status_code == 201, heard.text
    headers = {"Content-Type": "application/sdp", **alice.headers}
    spoken = await visit("203.0.113.9").post(f"{API}/spaces/{space_id}/whip", content=b"v=0\r\n", headers=headers)
    assert spoken.status_code == 201, spoken.text
    for call in stages.calls:
        subjects = [stamp.subject for stamp in call[-1]]  # type: ignore[attr-defined]
        assert {"network:203.0.112.0/20", "network:203.0.113.9/32"} <= set(subjects)
    # With the token of the seat, from another network.
    resume = {
        "Content-Type": "application/sdp",
        "Authorization": f"Bearer {spoken.headers['Folkmoot-Resume-Token']}",
    }
    resumed = await visit("192.0.2.9").post(f"{API}/spaces/{space_id}/whip", content=b"v=0\r\n", headers=resume)
    assert resumed.status_code == 201, resumed.text
    subjects = [stamp.subject for stamp in stages.calls[-1][-1]]  # type: ignore[attr-defined]
    assert "network:203.0.113.9/32" not in subjects


async def test_what_is_long_over_is_forgotten(
    client: httpx.AsyncClient, keeper: Person, clock: FakeClock, people: People, services: Services
) -> None:
    await stop(client, keeper, "203.0.113.0/24", "no_access", expires_in=60)
    lifted = await stop(client, keeper, "198.51.100.0/24", "no_access")
    await stop(client, keeper, "192.0.2.0/24", "no_access")
    await client.delete(f"{PATH}/{lifted['id']}", headers=keeper.headers)
    clock.advance_ms(91 * DAY_MS)
    await people.system(actions.forget_ended)
    async with services.database.read() as read:
        rows = await read.connection.exec_driver_sql("SELECT network FROM network_stops")
        assert [row.network for row in rows] == ["192.0.2.0/24"]


async def test_lists_have_pages(client: httpx.AsyncClient, keeper: Person) -> None:
    ids = [(await stop(client, keeper, f"203.0.113.{number}", "no_access"))["id"] for number in range(3)]
    first = await client.get(PATH, params={"limit": 2}, headers=keeper.headers)
    assert [one["id"] for one in first.json()] == ids[:0:-1]
    following = await client.get(first.links["next"]["url"], headers=keeper.headers)
    assert [one["id"] for one in following.json()] == ids[:1]


async def test_behind_a_trusted_proxy_it_is_the_clients_address(
    app: Litestar, client: httpx.AsyncClient, keeper: Person, watch: RevocationWatch
) -> None:
    from folkmoot.surfaces.addresses import Addressed, ClientAddresses

    await stop(client, keeper, "203.0.113.0/24", "no_access")
    await watch.sweep()
    behind = cast(Litestar, Addressed(cast(Any, app), ClientAddresses(["10.0.0.0/8"])))
    for peer, forwarded, status in (
        ("10.0.0.1", "203.0.113.9", 403),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", 403),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1", 200),
        ("192.0.2.1", "203.0.113.9", 200),  # no proxy of ours: what it claims counts for nothing
        ("203.0.113.9", "192.0.2.1", 403),
    ):
        async with visitor(behind, address=peer) as browser:
            answer = await browser.get(f"{API}/session", headers={"X-Forwarded-For": forwarded})
        assert answer.status_code == status, (peer, forwarded)
