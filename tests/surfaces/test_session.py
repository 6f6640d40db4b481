"""Signing up and in as the web client does."""

import httpx
import msgspec
import pytest
from litestar import Litestar
from sqlalchemy import insert
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.web import visitor

from folkmoot.accounts import actions
from folkmoot.accounts.passwords import Passwords
from folkmoot.gate import Acting, Action, Standing
from folkmoot.storage.tables.credentials import applications
from folkmoot.surfaces.services import Services

CHANGE = "/api/folkmoot/v1/password"
OWN = "/api/v1/accounts/verify_credentials"
SESSION = "/api/folkmoot/v1/session"
ACCOUNTS = "/api/folkmoot/v1/accounts"
PASSWORD = "a long enough password"
ORIGIN = {"Origin": "http://moot.test"}


def site_app(app: Litestar, services: Services, passwords: Passwords, registrations: str) -> httpx.AsyncClient:
    site = msgspec.structs.replace(services.site, registrations=registrations)
    app.state.equipment.use(msgspec.structs.replace(services, site=site), passwords)
    return visitor(app)


async def sign_up(client: httpx.AsyncClient, username: str = "Carol", **more: object) -> httpx.Response:
    return await client.post(ACCOUNTS, json={"username": username, "password": PASSWORD, **more})


async def test_nobody_is_signed_in_at_first(client: httpx.AsyncClient) -> None:
    answer = await client.get(SESSION)
    assert answer.status_code == 200
    assert answer.json() == {
        "account": None,
        "username": None,
        "role": None,
        "standing": None,
        "reason": "",
        "site": {
            "title": "Moot",
            "registrations": "open",
            "source_url": "https://source.test/folkmoot",
            "version": "0.0.1",
            "base_url": "http://moot.test",
            "mail": False,
        },
        "second_factor": None,
    }


async def test_who_signs_up_is_signed_in(client: httpx.AsyncClient) -> None:
    answer = await sign_up(client)
    assert answer.status_code == 200
    assert answer.json()["account"]["username"] == "Carol"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    who = (await client.get(SESSION)).json()
    assert (who["account"]["acct"], who["role"], who["standing"]) == ("Carol", "member", "active")


async def test_signing_in_and_out(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    client.cookies.clear()
    answer = await client.post(SESSION, json={"username": "cAROL", "password": PASSWORD})
    assert answer.status_code == 200
    cookie = client.cookies["folkmoot_session"]
    assert (await client.delete(SESSION, headers=ORIGIN)).status_code == 204
    assert "folkmoot_session" not in client.cookies
    stolen = {"Authorization": f"Bearer {cookie}"}
    assert (await client.get("/api/v1/accounts/verify_credentials", headers=stolen)).status_code == 401


@pytest.mark.parametrize("name", ["carol", "nobody_here", "x\x00y", "é" * 500, ""])
async def test_a_wrong_name_or_password_looks_the_same(client: httpx.AsyncClient, name: str) -> None:
    await sign_up(client)
    client.cookies.clear()
    answer = await client.post(SESSION, json={"username": name, "password": "not the password"})
    assert answer.status_code == 401
    assert answer.json()["code"] == "wrong_credentials"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [
        ("a b", PASSWORD, "username_invalid"),
        ("admin", PASSWORD, "username_reserved"),
        ("x" * 31, PASSWORD, "username_invalid"),
        ("dave", "short", "password_too_short"),
        ("dave", "password123", "password_common"),
        ("dave_the_third", "Dave_The_Third", "password_is_username"),
        ("dave", "x" * 257, "password_too_long"),
    ],
)
async def test_what_cannot_be_is_said(client: httpx.AsyncClient, username: str, password: str, code: str) -> None:
    answer = await client.post(ACCOUNTS, json={"username": username, "password": password})
    assert answer.status_code == 422
    assert answer.json()["code"] == code


async def test_a_name_is_given_once_whatever_its_case(client: httpx.AsyncClient) -> None:
    await sign_up(client, "Carol")
    answer = await sign_up(client, "carol")
    assert (answer.status_code, answer.json()["code"]) == (422, "username_taken")


async def test_by_approval_one_waits(
    app: Litestar, services: Services, passwords: Passwords, people: People
) -> None:
    async with site_app(app, services, passwords, "approval") as client:
        answer = await sign_up(client, reason="I know Alice.")
        assert answer.status_code == 202
        body = answer.json()
        assert (body["account"], body["standing"]) == (None, "awaiting_approval")
        assert "waiting" in body["reason"]
        refused = await client.get("/api/v1/accounts/verify_credentials")
        assert (refused.status_code, refused.json()["code"]) == (403, "awaiting_approval")


async def test_a_closed_server_takes_nobody_but_its_owner(
    app: Litestar, services: Services, passwords: Passwords
) -> None:
    permit = services.gate.permit_system(Action.SIGN_IN, "test")
    secret = await services.gate.act(permit, actions.make_owner_link)
    async with site_app(app, services, passwords, "closed") as client:
        answer = await sign_up(client, "dave")
        assert (answer.status_code, answer.json()["code"]) == (403, "registrations_closed")
        answer = await sign_up(client, "olga", owner_secret="not the secret")
        assert (answer.status_code, answer.json()["code"]) == (403, "link_spent")
        answer = await sign_up(client, "olga", owner_secret=secret)
        assert (answer.status_code, answer.json()["role"]) == (200, "owner")
        answer = await sign_up(client, "second", owner_secret=secret)
        assert (answer.status_code, answer.json()["code"]) == (403, "link_spent")
    assert await services.gate.act(permit, actions.make_owner_link) is None


async def test_the_owners_link_is_good_for_a_day(
    services: Services, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    permit = services.gate.permit_system(Action.SIGN_IN, "test")
    first = await services.gate.act(permit, actions.make_owner_link)
    second = await services.gate.act(permit, actions.make_owner_link)
    answer = await sign_up(client, "olga", owner_secret=first)
    assert answer.json()["code"] == "link_spent"
    clock.advance_ms(24 * 3600 * 1000)
    answer = await sign_up(client, "olga", owner_secret=second)
    assert answer.json()["code"] == "link_spent"


async def test_a_suspended_person_can_sign_in_and_learn_why(client: httpx.AsyncClient, people: People) -> None:
    account_id = int((await sign_up(client)).json()["account"]["id"])
    await people.put(account_id, Standing.SUSPENDED)
    assert (await client.get(SESSION)).json()["standing"] is None  # the old session is dead
    client.cookies.clear()
    body = (await client.post(SESSION, json={"username": "carol", "password": PASSWORD})).json()
    assert (body["account"], body["username"]) == (None, "Carol")
    assert (body["standing"], body["reason"]) == ("suspended", "a test")


async def test_a_session_ends_after_thirty_days(client: httpx.AsyncClient, clock: FakeClock) -> None:
    await sign_up(client)
    cookie = client.cookies["folkmoot_session"]
    clock.advance_ms(30 * 24 * 3600 * 1000)
    client.cookies.clear()
    who = await client.get(SESSION, headers={"Cookie": f"folkmoot_session={cookie}"})
    assert who.json()["account"] is None


async def test_a_form_on_another_site_signs_nobody_in_or_out(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    elsewhere = {"Origin": "https://evil.test"}
    for answer in (
        await client.post(SESSION, json={"username": "carol", "password": PASSWORD}, headers=elsewhere),
        await client.post(ACCOUNTS, json={"username": "dave", "password": PASSWORD}, headers=elsewhere),
        await client.delete(SESSION, headers=elsewhere),
        await client.delete(SESSION),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


async def test_guessing_is_slowed_down(client: httpx.AsyncClient, clock: FakeClock) -> None:
    await sign_up(client)
    wrong = {"username": "carol", "password": "not the password"}
    codes = [(await client.post(SESSION, json=wrong)).status_code for _ in range(21)]
    assert codes == [401] * 20 + [429]
    answer = await client.post(SESSION, json={"username": "carol", "password": PASSWORD})
    assert answer.status_code == 429
    assert answer.json()["code"] == "too_many_requests"
    assert int(answer.headers["retry-after"]) > 0
    clock.advance_ms(3_600_000)
    again = await client.post(SESSION, json={"username": "carol", "password": PASSWORD})
    assert again.status_code == 200


async def test_a_changed_password_signs_everybody_else_out(
    app: Litestar, client: httpx.AsyncClient, people: People
) -> None:
    account_id = int((await sign_up(client)).json()["account"]["id"])
    program = {"Authorization": f"Bearer {await people.token(account_id, 'read')}"}
    before = client.cookies["folkmoot_session"]
    body = {"current": PASSWORD, "new": "another long password"}
    answer = await client.post(CHANGE, json=body, headers=ORIGIN)
    assert (answer.status_code, answer.json()["account"]["username"]) == (200, "Carol")
    assert client.cookies["folkmoot_session"] != before
    assert (await client.get(OWN)).status_code == 200
    async with visitor(app) as other:
        for held in (program, {"Authorization": f"Bearer {before}"}):
            assert (await other.get(OWN, headers=held)).status_code == 401
        for password, status in ((PASSWORD, 401), ("another long password", 200)):
            again = await other.post(SESSION, json={"username": "carol", "password": password})
            assert again.status_code == status


async def test_a_password_is_changed_by_who_knows_it(client: httpx.AsyncClient, services: Services) -> None:
    async def change(current: str, new: str, **headers: str) -> tuple[int, str]:
        answer = await client.post(CHANGE, json={"current": current, "new": new}, headers={**ORIGIN, **headers})
        return answer.status_code, answer.json().get("code", "")

    assert (await change(PASSWORD, "another long password"))[0] == 401
    account_id = int((await sign_up(client)).json()["account"]["id"])
    assert await change("not the password", "another long password") == (422, "wrong_credentials")
    assert await change(PASSWORD, "short") == (422, "password_too_short")
    assert await change(PASSWORD, "another long password", Origin="https://evil.test") == (403, "cross_site")
    permit = services.gate.permit_system(Action.AUTHORIZE, "test")

    async def grant(acting: Acting) -> str:
        await acting.tx.connection.execute(
            insert(applications).values(
                id=7,
                client_id="c",
                client_secret_hash=b"",
                name="App",
                redirect_uris=[],
                scopes="",
                created_at_ms=0,
            )
        )
        return await actions.issue_token(acting, account_id, "read write", application_id=7)

    token = await services.gate.act(permit, grant)
    refused = await change(PASSWORD, "another long password", Authorization=f"Bearer {token}")
    assert refused == (403, "insufficient_scope")
    codes = [(await change("not the password", "another long password"))[0] for _ in range(20)]
    assert set(codes) == {422, 429}


async def test_passwords_are_in_no_answer(client: httpx.AsyncClient) -> None:
    secret = "s3cret-canary-" * 30
    for body in (
        {"username": "x", "password": secret},
        {"username": ["x"], "password": secret},
        {"password": secret},
    ):
        for path in (SESSION, ACCOUNTS):
            answer = await client.post(path, json=body)
            assert answer.status_code in (401, 422)
            assert "canary" not in answer.text
