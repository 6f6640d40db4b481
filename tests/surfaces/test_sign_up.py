"""Signing up: mail that is blocked, invites, and what has a person look first."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from sqlalchemy import select, update
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.web import visitor
from tests.surfaces.conftest import Person

from folkmoot.accounts import actions as accounts
from folkmoot.gate import Action, Role, Standing
from folkmoot.moderation.evasion import actions as evasion
from folkmoot.storage.database import Database
from folkmoot.storage.tables import metadata
from folkmoot.storage.tables.people import credentials
from folkmoot.surfaces.browser import BROWSER_COOKIE

API = "/api/folkmoot/v1"
ADMIN = "/api/v1/admin"
PASSWORD = "a long enough password"
DAY_MS = 86_400_000

Visit = Callable[[str], httpx.AsyncClient]


@pytest.fixture
def visit(app: Litestar) -> Visit:
    """A browser that was never here, at an address."""
    return lambda address: visitor(app, address=address)


@pytest.fixture
async def keeper(people: People) -> Person:
    account_id = await people.create("keeper", Role.MODERATOR)
    return Person(account_id, "keeper", {"Authorization": f"Bearer {await people.token(account_id)}"})


@pytest.fixture
def site(app: Litestar) -> Callable[..., None]:
    """Change what the server says of itself."""

    def change(**fields: Any) -> None:
        equipment = app.state.equipment
        changed = msgspec.structs.replace(equipment.services.site, **fields)
        equipment.use(msgspec.structs.replace(equipment.services, site=changed), equipment.passwords)

    return change


async def sign_up(browser: httpx.AsyncClient, username: str, **more: Any) -> httpx.Response:
    return await browser.post(f"{API}/accounts", json={"username": username, "password": PASSWORD, **more})


async def hints(client: httpx.AsyncClient, keeper: Person, username: str) -> list[dict[str, Any]]:
    found = await client.get(f"{ADMIN}/accounts", params={"username": username}, headers=keeper.headers)
    shown = await client.get(f"{ADMIN}/accounts/{found.json()[0]['id']}", headers=keeper.headers)
    return list(shown.json()["folkmoot"]["details"]["hints"])


async def suspended(visit: Visit, people: People, address: str = "203.0.113.7") -> httpx.AsyncClient:
    """The browser of @mara, who signed up with it and is suspended."""
    browser = visit(address)
    made = await sign_up(browser, "mara", email="mara@gmail.com")
    assert made.status_code == 200, made.text
    await people.put(int(made.json()["account"]["id"]), Standing.SUSPENDED)
    browser.cookies.delete("folkmoot_session")
    return browser


async def test_a_browser_has_its_number_from_a_sign_in_on(visit: Visit, database: Database) -> None:
    browser = visit("203.0.113.7")
    for path in ("/api/folkmoot/v1/session", "/api/folkmoot/v1/spaces", "/api/v2/instance"):
        assert "set-cookie" not in (await browser.get(path)).headers, "who reads and listens is given no number"
    made = await sign_up(browser, "carol")
    (said,) = [one for one in made.headers.get_list("set-cookie") if one.startswith(BROWSER_COOKIE)]
    assert "HttpOnly" in said
    assert "SameSite=lax" in said
    number = browser.cookies[BROWSER_COOKIE]
    again = await browser.post(f"{API}/session", json={"username": "carol", "password": PASSWORD})
    assert again.status_code == 200
    assert browser.cookies[BROWSER_COOKIE] == number
    async with database.read() as read:
        for table in metadata.sorted_tables:
            rows = (await read.connection.execute(select(table))).all()
            assert number not in repr(rows), table.name
            assert "203.0.113.7" not in repr(rows), table.name


async def test_a_suspended_ones_browser_holds_the_next_sign_up(
    visit: Visit, people: People, keeper: Person, client: httpx.AsyncClient
) -> None:
    browser = await suspended(visit, people)
    # From another network, days later, with another address of mail.
    elsewhere = visit("198.51.100.9")
    elsewhere.cookies = browser.cookies
    made = await sign_up(elsewhere, "nora", email="nora@example.org")
    assert made.status_code == 202
    assert made.json()["standing"] == "awaiting_approval"
    assert "mara" not in made.text, "the person learns of nobody else"
    (hint,) = await hints(client, keeper, "nora")
    assert (hint["kind"], hint["sureness"], hint["username"]) == ("browser", "possible", "mara")
    assert hint["sentence"].startswith("This sign-up came from a browser that @mara, suspended on ")
    approved = await client.post(
        f"{ADMIN}/accounts/{(await account_id_of(client, keeper, 'nora'))}/approve", headers=keeper.headers
    )
    assert approved.json()["approved"]


async def test_whoever_shuts_a_limited_account_and_signs_up_anew_is_looked_at(
    visit: Visit, people: People, keeper: Person, client: httpx.AsyncClient
) -> None:
    browser = visit("203.0.113.7")
    mara = int((await sign_up(browser, "mara")).json()["account"]["id"])
    await people.put(mara, Standing.LIMITED)
    await people.act(mara, Action.DEACTIVATE, accounts.deactivate)
    browser.cookies.delete("folkmoot_session")
    assert (await sign_up(browser, "nora")).status_code == 202
    (hint,) = await hints(client, keeper, "nora")
    assert (hint["username"], hint["standing"]) == ("mara", "limited")
    assert hint["sentence"].startswith("This sign-up came from a browser that @mara, limited on ")


async def account_id_of(client: httpx.AsyncClient, keeper: Person, username: str) -> str:
    found = await client.get(f"{ADMIN}/accounts", params={"username": username}, headers=keeper.headers)
    return str(found.json()[0]["id"])


async def test_an_address_alone_holds_for_a_week_and_not_where_many_share_it(
    visit: Visit, people: People, clock: FakeClock, keeper: Person, client: httpx.AsyncClient
) -> None:
    await suspended(visit, people)
    assert (await sign_up(visit("203.0.113.7"), "nora")).status_code == 202
    (hint,) = await hints(client, keeper, "nora")
    assert (hint["kind"], hint["sureness"]) == ("address", "weak")
    assert (await sign_up(visit("203.0.113.8"), "next_door")).status_code == 200
    for number in range(3):
        assert (await sign_up(visit("203.0.113.7"), f"pupil{number}")).status_code == 202
    # Five accounts by now: it is a school, or a mobile network.
    assert (await sign_up(visit("203.0.113.7"), "pupil3")).status_code == 200
    clock.advance_ms(8 * DAY_MS)
    assert (await sign_up(visit("203.0.113.7"), "later")).status_code == 200


async def test_neighbours_in_one_ipv6_network_are_one_address(visit: Visit, people: People) -> None:
    await suspended(visit, people, "2001:db8:1:2::a")
    assert (await sign_up(visit("2001:db8:1:2:ffff::b"), "nora")).status_code == 202
    assert (await sign_up(visit("2001:db8:1:3::a"), "olga")).status_code == 200


async def test_after_the_lift_nothing_is_held(visit: Visit, people: People, keeper: Person, client: Any) -> None:
    browser = await suspended(visit, people)
    await people.put(int(await account_id_of(client, keeper, "mara")), Standing.ACTIVE)
    assert (await sign_up(browser, "second")).status_code == 200


async def test_one_mailbox_does_not_sign_up_twice_unnoticed(
    visit: Visit, keeper: Person, client: httpx.AsyncClient
) -> None:
    assert (await sign_up(visit("203.0.113.7"), "carol", email="ca.rol+moot@gmail.com")).status_code == 200
    made = await sign_up(visit("198.51.100.9"), "dora", email="CAROL@googlemail.com")
    assert made.status_code == 202
    (hint,) = await hints(client, keeper, "dora")
    assert (hint["kind"], hint["sureness"], hint["standing"]) == ("mailbox", "likely", "active")
    assert (await sign_up(visit("198.51.100.9"), "erna", email="carol@example.org")).status_code == 200


async def test_mailboxes_of_before_are_marked(
    visit: Visit, app: Litestar, people: People, database: Database
) -> None:
    await sign_up(visit("203.0.113.7"), "carol", email="carol@gmail.com")
    await people.system(lambda acting: acting.tx.connection.execute(update(credentials).values(email_mark=None)))
    marks = app.state.equipment.services.marks
    assert await people.system(lambda acting: evasion.fill_mailboxes(acting, marks)) == 1
    assert await people.system(lambda acting: evasion.fill_mailboxes(acting, marks)) == 0
    assert (await sign_up(visit("198.51.100.9"), "dora", email="c.arol@gmail.com")).status_code == 202


async def test_a_blocked_mailbox_is_refused_however_it_is_written(
    visit: Visit, client: httpx.AsyncClient, keeper: Person, database: Database
) -> None:
    path = f"{ADMIN}/canonical_email_blocks"
    made = await client.post(path, json={"email": "t.roll@gmail.com"}, headers=keeper.headers)
    assert made.status_code == 200, made.text
    assert (
        await client.post(path, json={"email": "troll@gmail.com"}, headers=keeper.headers)
    ).json() == made.json()
    refused = await sign_up(visit("203.0.113.7"), "nora", email="Troll+2@googlemail.com")
    assert (refused.status_code, refused.json()["code"]) == (422, "email_not_taken")
    tested = await client.post(f"{path}/test", json={"email": "TROLL@gmail.com"}, headers=keeper.headers)
    assert tested.json() == [made.json()]
    assert (await client.get(path, headers=keeper.headers)).json() == [made.json()]
    async with database.read() as read:
        for table in metadata.sorted_tables:
            assert "troll" not in repr((await read.connection.execute(select(table))).all()).lower(), table.name
    one = f"{path}/{made.json()['id']}"
    assert (await client.get(one, headers=keeper.headers)).json() == made.json()
    assert (await client.delete(one, headers=keeper.headers)).json() == {}
    assert (await client.delete(one, headers=keeper.headers)).status_code == 404
    assert (await sign_up(visit("203.0.113.7"), "nora", email="troll@gmail.com")).status_code == 200


async def test_a_hash_from_elsewhere_is_refused(client: httpx.AsyncClient, keeper: Person) -> None:
    path = f"{ADMIN}/canonical_email_blocks"
    for body, code in (({"canonical_email_hash": "0" * 64}, "hash_not_taken"), ({}, "email_invalid")):
        refused = await client.post(path, json=body, headers=keeper.headers)
        assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_a_domain_of_mail_is_refused_or_looked_at(
    visit: Visit, client: httpx.AsyncClient, keeper: Person
) -> None:
    path = f"{ADMIN}/email_domain_blocks"
    made = await client.post(path, json={"domain": "Trash.Example"}, headers=keeper.headers)
    assert made.json()["domain"] == "trash.example"
    again = await client.post(path, json={"domain": "trash.example"}, headers=keeper.headers)
    assert (again.status_code, again.json()["code"]) == (422, "blocked_already")
    looked_at = {"domain": "new.example", "allow_with_approval": True}
    await client.post(path, json=looked_at, headers=keeper.headers)
    assert (await sign_up(visit("203.0.113.1"), "anna", email="a@sub.trash.example")).status_code == 422
    assert (await sign_up(visit("203.0.113.2"), "berta", email="b@new.example")).status_code == 202
    assert (await sign_up(visit("203.0.113.3"), "carla", email="c@nottrash.example")).status_code == 200
    listed = (await client.get(path, headers=keeper.headers)).json()
    assert [one["domain"] for one in listed] == ["new.example", "trash.example"]
    assert (await client.delete(f"{path}/{made.json()['id']}", headers=keeper.headers)).status_code == 200
    assert (await client.get(f"{path}/{made.json()['id']}", headers=keeper.headers)).status_code == 404
    for wrong in ("", "nodots", "a b.example", "-.-", "x" * 300 + ".example", "@"):
        refused = await client.post(path, json={"domain": wrong}, headers=keeper.headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "domain_invalid"), wrong


async def invite(client: httpx.AsyncClient, by: Person, **fields: int) -> dict[str, Any]:
    made = await client.post(f"{API}/invites", json=fields, headers=by.headers)
    assert made.status_code == 200, made.text
    return dict(made.json())


def code_of(made: dict[str, Any]) -> str:
    return str(made["url"]).partition("/sign-up?invite=")[2]


@pytest.mark.parametrize("registrations", ["closed", "approval"])
async def test_an_invite_opens_the_door(
    registrations: str, site: Callable[..., None], visit: Visit, client: httpx.AsyncClient, alice: Person
) -> None:
    site(registrations=registrations)
    made = await invite(client, alice)
    shown = await client.get(f"{API}/invite/{code_of(made)}")
    assert shown.json()["by"]["username"] == "alice"
    assert (await sign_up(visit("203.0.113.1"), "nora", invite=code_of(made))).status_code == 200
    # It was for one.
    refused = await sign_up(visit("203.0.113.2"), "olga", invite=code_of(made))
    assert (refused.status_code, refused.json()["code"]) == (403, "invite_spent")
    assert (await client.get(f"{API}/invite/{code_of(made)}")).status_code == 403
    (listed,) = (await client.get(f"{API}/invites", headers=alice.headers)).json()["invites"]
    assert (listed["uses"], listed["open"], listed["url"]) == (1, False, None)


async def test_an_invites_taker_is_looked_at_like_anybody(
    visit: Visit, people: People, client: httpx.AsyncClient, alice: Person
) -> None:
    browser = await suspended(visit, people)
    made = await invite(client, alice)
    assert (await sign_up(browser, "nora", invite=code_of(made))).status_code == 202


async def test_invites_end(
    visit: Visit, clock: FakeClock, client: httpx.AsyncClient, alice: Person, bob: Person, keeper: Person
) -> None:
    over, back, closed = [await invite(client, alice, expires_in=7_200, uses=9) for _ in range(3)]
    foreign = await client.delete(f"{API}/invites/{back['id']}", headers=bob.headers)
    assert foreign.status_code == 404
    await client.delete(f"{API}/invites/{back['id']}", headers=alice.headers)
    await client.delete(f"{API}/moderation/invites/{closed['id']}", headers=keeper.headers)
    for made in (back, closed):
        assert (await client.get(f"{API}/invite/{code_of(made)}")).status_code == 403
    assert (await client.get(f"{API}/invite/{code_of(over)}")).status_code == 200
    clock.advance_ms(7_200_000)
    assert (await client.get(f"{API}/invite/{code_of(over)}")).status_code == 403
    assert (await sign_up(visit("203.0.113.1"), "nora", invite="forged.forged.forged")).status_code == 403


async def test_a_suspended_ones_invites_are_dead_for_ever(
    people: People, client: httpx.AsyncClient, alice: Person, visit: Visit
) -> None:
    made = await invite(client, alice)
    await people.put(alice.id, Standing.SUSPENDED)
    assert (await sign_up(visit("203.0.113.1"), "nora", invite=code_of(made))).status_code == 403
    await people.put(alice.id, Standing.ACTIVE)
    assert (await sign_up(visit("203.0.113.1"), "nora", invite=code_of(made))).status_code == 403
    again = Person(alice.id, "alice", {"Authorization": f"Bearer {await people.token(alice.id)}"})
    new = await invite(client, again)
    assert (await sign_up(visit("203.0.113.1"), "nora", invite=code_of(new))).status_code == 200


async def test_the_setting_says_whose_invites_count(
    site: Callable[..., None], client: httpx.AsyncClient, alice: Person, keeper: Person
) -> None:
    made, by_keeper = await invite(client, alice), await invite(client, keeper)
    for inviting, who_may in (("moderators", [keeper]), ("nobody", [])):
        site(inviting=inviting)
        for by, link in ((alice, made), (keeper, by_keeper)):
            expected = 200 if by in who_may else 403
            assert (await client.get(f"{API}/invite/{code_of(link)}")).status_code == expected
            assert (await client.post(f"{API}/invites", json={}, headers=by.headers)).status_code == expected
            said = (await client.get(f"{API}/invites", headers=by.headers)).json()
            assert said["can_invite"] == (by in who_may)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"uses": 0}, "uses_invalid"),
        ({"uses": 101}, "uses_invalid"),
        ({"expires_in": 0}, "lifetime_invalid"),
        ({"expires_in": 2**62}, "lifetime_invalid"),
    ],
)
async def test_invites_have_bounds(
    fields: dict[str, int], code: str, client: httpx.AsyncClient, alice: Person
) -> None:
    refused = await client.post(f"{API}/invites", json=fields, headers=alice.headers)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_at_most_twenty_are_open(client: httpx.AsyncClient, alice: Person) -> None:
    for _ in range(20):
        await invite(client, alice)
    refused = await client.post(f"{API}/invites", json={}, headers=alice.headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_invites")


async def test_moderators_see_who_brought_whom(
    visit: Visit, people: People, client: httpx.AsyncClient, alice: Person, keeper: Person
) -> None:
    by = alice
    for number, name in enumerate(("nora", "olga", "pia")):
        made = await sign_up(visit(f"203.0.113.{number}"), name, invite=code_of(await invite(client, by)))
        id_ = int(made.json()["account"]["id"])
        by = Person(id_, name, {"Authorization": f"Bearer {await people.token(id_)}"})
    olga = await account_id_of(client, keeper, "olga")
    tree = (await client.get(f"{API}/moderation/accounts/{olga}/invites", headers=keeper.headers)).json()
    assert [one["account"]["username"] for one in tree["above"]] == ["nora", "alice"]
    assert [one["account"]["username"] for one in tree["below"]] == ["pia"]
    assert [one["uses"] for one in tree["invites"]] == [1]
    assert tree["invites"][0]["url"] is None, "a moderator signs up nobody with it"
    assert (await client.get(f"{API}/moderation/accounts/{olga}/invites", headers=alice.headers)).status_code == 403


async def test_traces_and_hints_are_forgotten(
    visit: Visit, people: People, clock: FakeClock, database: Database
) -> None:
    browser = await suspended(visit, people)
    await sign_up(browser, "nora")

    async def kept() -> dict[str, int]:
        async with database.read() as read:
            tables = [metadata.tables[name] for name in ("traces", "signup_hints")]
            return {table.name: len((await read.connection.execute(select(table))).all()) for table in tables}

    assert await kept() == {"traces": 4, "signup_hints": 1}
    clock.advance_ms(31 * DAY_MS)
    await people.system(evasion.forget_old)
    assert await kept() == {"traces": 2, "signup_hints": 1}
    clock.advance_ms(60 * DAY_MS)
    await people.system(evasion.forget_old)
    assert await kept() == {"traces": 0, "signup_hints": 0}
