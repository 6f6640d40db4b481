"""OAuth as clients use it: register, ask a person, exchange the code, give the token back."""

import base64
import hashlib
import html
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import msgspec
import pytest
from litestar import Litestar
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.web import visitor
from tests.surfaces.conftest import Person
from tests.surfaces.test_second_factors import Browser

from folkmoot.accounts.oauth import actions as oauth
from folkmoot.accounts.second_factor.codes import code_at
from folkmoot.gate import Standing

CALLBACK = "https://app.test/callback?keep=1"
VERIFIER = "a-verifier-of-at-least-forty-three-characters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PASSWORD = "a long enough password"
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
ORIGIN = {"Origin": "http://moot.test"}


class Program(msgspec.Struct, frozen=True):
    """A registered client."""

    client_id: str
    client_secret: str

    def query(self, **changed: str | None) -> str:
        values: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "read write",
            "state": "st&te",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return urlencode({name: value for name, value in (values | changed).items() if value is not None})

    def exchange(self, code: str, **changed: str | None) -> dict[str, str]:
        values: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "redirect_uri": CALLBACK,
            "code": code,
            "code_verifier": VERIFIER,
        }
        return {name: value for name, value in (values | changed).items() if value is not None}


async def register(client: httpx.AsyncClient, **changed: Any) -> Program:
    body = {
        "client_name": "App <1>",
        "redirect_uris": f"{CALLBACK}\n{OUT_OF_BAND}",
        "scopes": "read write follow push",
        "website": "https://app.test",
    }
    answer = await client.post("/api/v1/apps", data=body | changed)
    assert answer.status_code == 200, answer.text
    return Program(answer.json()["client_id"], answer.json()["client_secret"])


@pytest.fixture
async def program(client: httpx.AsyncClient) -> Program:
    return await register(client)


@pytest.fixture
async def browser(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Carol's browser, signed in."""
    async with visitor(app) as browser:
        body = {"username": "carol", "password": PASSWORD}
        assert (await browser.post("/api/folkmoot/v1/accounts", json=body)).status_code == 200
        yield browser


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return found[1]


async def consent(
    browser: httpx.AsyncClient, program: Program, decision: str, **changed: str | None
) -> httpx.Response:
    address = f"/oauth/authorize?{program.query(**changed)}"
    page = await browser.get(address)
    assert page.status_code == 200, page.text
    form = {"csrf": csrf(page), "decision": decision}
    return await browser.post(address, data=form, headers=ORIGIN)


async def code(browser: httpx.AsyncClient, program: Program, **changed: str | None) -> str:
    answer = await consent(browser, program, "allow", **changed)
    assert answer.status_code == 303
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


async def test_registering_shows_the_secret_once(client: httpx.AsyncClient) -> None:
    body = {"client_name": "App", "redirect_uris": [CALLBACK, OUT_OF_BAND], "scopes": "read:statuses push"}
    shown = (await client.post("/api/v1/apps", json=body)).json()
    assert shown["name"] == "App"
    assert shown["website"] is None
    assert shown["scopes"] == ["read:statuses", "push"]
    assert shown["redirect_uri"] == f"{CALLBACK}\n{OUT_OF_BAND}"
    assert shown["redirect_uris"] == [CALLBACK, OUT_OF_BAND]
    assert shown["client_secret_expires_at"] == 0
    assert len(shown["client_id"]) == len(shown["client_secret"]) == 43


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uris": "javascript:alert(1)"},
        {"redirect_uris": "data:text/html,x"},
        {"redirect_uris": ""},
        {"redirect_uris": [f"https://app.test/{number}" for number in range(21)]},
        {"client_name": " "},
        {"client_name": "x" * 61},
        {"client_name": "a\x00b"},
        {"scopes": "admin:everything"},
        {"website": "javascript:alert(1)"},
        {"client_name": ["x"]},
    ],
)
async def test_programs_that_are_not_registered(client: httpx.AsyncClient, changed: dict[str, Any]) -> None:
    body: dict[str, Any] = {"client_name": "App", "redirect_uris": CALLBACK}
    answer = await client.post("/api/v1/apps", json=body | changed)
    assert answer.status_code == 422
    assert answer.json()["error"]


async def test_the_whole_way(browser: httpx.AsyncClient, client: httpx.AsyncClient, program: Program) -> None:
    page = await browser.get(f"/oauth/authorize?{program.query()}")
    assert page.headers["content-type"].startswith("text/html")
    text = html.unescape(page.text)
    assert "App <1>" in text
    assert "App <1>" not in page.text
    assert "@carol" in text
    assert CALLBACK in text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' https://app.test;" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"

    answer = await consent(browser, program, "allow")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{CALLBACK}&code=")
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["st&te"]

    given = await client.post("/oauth/token", data=program.exchange(back["code"][0]))
    assert given.status_code == 200
    assert given.headers["cache-control"] == "no-store"
    token = given.json()
    assert (token["token_type"], token["scope"], token["created_at"]) == ("Bearer", "read write", 1_800_000_000)

    headers = {"Authorization": f"Bearer {token['access_token']}"}
    own = await client.get("/api/v1/accounts/verify_credentials", headers=headers)
    assert own.json()["username"] == "carol"
    app = await client.get("/api/v1/apps/verify_credentials", headers=headers)
    assert app.json()["name"] == "App <1>"

    gone = await client.post(
        "/oauth/revoke",
        json={
            "client_id": program.client_id,
            "client_secret": program.client_secret,
            "token": token["access_token"],
        },
    )
    assert (gone.status_code, gone.json()) == (200, {})
    assert (await client.get("/api/v1/accounts/verify_credentials", headers=headers)).status_code == 401


async def test_a_code_is_good_once(browser: httpx.AsyncClient, client: httpx.AsyncClient, program: Program) -> None:
    exchange = program.exchange(await code(browser, program))
    assert (await client.post("/oauth/token", json=exchange)).status_code == 200
    again = await client.post("/oauth/token", json=exchange)
    assert again.status_code == 400
    assert again.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": None},
        {"code_verifier": CHALLENGE},
        {"code_verifier": "short"},
        {"redirect_uri": "https://app.test/callback"},
        {"redirect_uri": None},
    ],
)
async def test_a_code_is_spent_by_a_wrong_try(
    browser: httpx.AsyncClient, client: httpx.AsyncClient, program: Program, changed: dict[str, str | None]
) -> None:
    secret = await code(browser, program)
    wrong = await client.post("/oauth/token", data=program.exchange(secret, **changed))
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    right = await client.post("/oauth/token", data=program.exchange(secret))
    assert right.json()["error"] == "invalid_grant"


async def test_a_code_of_another_program_stays_its_own(
    browser: httpx.AsyncClient, client: httpx.AsyncClient, program: Program
) -> None:
    secret = await code(browser, program)
    other = await register(client)
    assert (await client.post("/oauth/token", data=other.exchange(secret))).status_code == 400
    assert (await client.post("/oauth/token", data=program.exchange(secret))).status_code == 200


async def test_a_code_grows_old(
    browser: httpx.AsyncClient, client: httpx.AsyncClient, program: Program, clock: FakeClock
) -> None:
    secret = await code(browser, program)
    clock.advance_ms(10 * 60 * 1000)
    assert (await client.post("/oauth/token", data=program.exchange(secret))).json()["error"] == "invalid_grant"


async def test_a_suspension_ends_what_is_on_its_way(
    browser: httpx.AsyncClient, client: httpx.AsyncClient, program: Program, people: People
) -> None:
    secret = await code(browser, program)
    account_id = int((await browser.get("/api/folkmoot/v1/session")).json()["account"]["id"])
    await people.put(account_id, Standing.SUSPENDED)
    await people.put(account_id, Standing.ACTIVE)
    assert (await client.post("/oauth/token", data=program.exchange(secret))).json()["error"] == "invalid_grant"


async def test_a_suspended_person_lets_no_program_in(
    browser: httpx.AsyncClient, program: Program, people: People
) -> None:
    account_id = int((await browser.get("/api/folkmoot/v1/session")).json()["account"]["id"])
    await people.put(account_id, Standing.SUSPENDED)
    browser.cookies.clear()
    signed_in = await browser.post(
        f"/oauth/authorize/sign-in?{program.query()}", data={"username": "carol", "password": PASSWORD}
    )
    assert signed_in.status_code == 303
    page = await browser.get(signed_in.headers["location"])
    assert page.status_code == 403
    assert "suspended" in page.text
    assert "csrf" not in page.text


async def test_without_pkce_a_verifier_is_no_help(
    browser: httpx.AsyncClient, client: httpx.AsyncClient, program: Program
) -> None:
    plain = {"code_challenge": None, "code_challenge_method": None}
    given = await client.post(
        "/oauth/token", data=program.exchange(await code(browser, program, **plain), code_verifier=None)
    )
    assert given.status_code == 200
    downgraded = program.exchange(await code(browser, program, **plain))
    assert (await client.post("/oauth/token", data=downgraded)).json()["error"] == "invalid_grant"


async def test_signing_in_on_the_way(browser: httpx.AsyncClient, app: Litestar, program: Program) -> None:
    async with visitor(app) as fresh:
        page = await fresh.get(f"/oauth/authorize?{program.query()}")
        action = html.unescape(page.text.partition('action="')[2].partition('"')[0])
        assert action.startswith("/oauth/authorize/sign-in?")
        wrong = await fresh.post(action, data={"username": "<carol>", "password": "wrong"})
        assert wrong.status_code == 401
        assert "username or the password is wrong" in wrong.text
        assert "<carol>" not in wrong.text
        elsewhere = await fresh.post(
            action, data={"username": "carol", "password": PASSWORD}, headers={"Origin": "https://evil.test"}
        )
        assert elsewhere.status_code == 403
        right = await fresh.post(action, data={"username": "carol", "password": PASSWORD}, headers=ORIGIN)
        assert right.status_code == 303
        assert "@carol" in (await fresh.get(right.headers["location"])).text
        assert "Sign in to" in (await fresh.get(f"/oauth/authorize?{program.query(force_login='true')}")).text


async def test_a_second_factor_on_the_way(
    browser: httpx.AsyncClient, app: Litestar, program: Program, clock: FakeClock
) -> None:
    """By a form without scripts."""
    secret, _ = await Browser(browser).codes(clock)
    async with visitor(app) as fresh:
        page = await fresh.get(f"/oauth/authorize?{program.query()}")
        action = html.unescape(page.text.partition('action="')[2].partition('"')[0])
        page = await fresh.post(action, data={"username": "carol", "password": PASSWORD}, headers=ORIGIN)
        assert (page.status_code, "set-cookie" in page.headers) == (200, False)
        action = html.unescape(page.text.partition('action="')[2].partition('"')[0])
        assert action.startswith("/oauth/authorize/second-factor?")
        ticket = page.text.partition('name="ticket" value="')[2].partition('"')[0]
        wrong = await fresh.post(action, data={"ticket": ticket, "code": "000000"}, headers=ORIGIN)
        assert wrong.status_code == 401
        assert ticket in wrong.text
        right = await fresh.post(action, data={"ticket": ticket, "code": code_at(secret, clock())}, headers=ORIGIN)
        assert right.status_code == 303
        assert "@carol" in (await fresh.get(right.headers["location"])).text
        over = await fresh.post(action, data={"ticket": ticket, "code": code_at(secret, clock())}, headers=ORIGIN)
        assert "Sign in anew" in over.text


async def test_saying_no(browser: httpx.AsyncClient, program: Program) -> None:
    answer = await consent(browser, program, "deny")
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (back["error"], back["state"]) == (["access_denied"], ["st&te"])


async def test_the_code_is_shown_where_there_is_no_way_back(
    browser: httpx.AsyncClient, client: httpx.AsyncClient, program: Program
) -> None:
    answer = await consent(browser, program, "allow", redirect_uri=OUT_OF_BAND)
    assert answer.status_code == 200
    shown = answer.text.partition("<code>")[2].partition("</code>")[0]
    exchange = program.exchange(shown, redirect_uri=OUT_OF_BAND)
    assert (await client.post("/oauth/token", data=exchange)).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "unknown"},
        {"client_id": "\x00"},
        {"client_id": None},
        {"redirect_uri": "https://app.test/callback?keep=1&more"},
        {"redirect_uri": "https://evil.test/"},
        {"redirect_uri": None},
        {"redirect_uri": OUT_OF_BAND, "scope": "nonsense"},
    ],
)
async def test_nobody_is_sent_to_an_unknown_address(
    browser: httpx.AsyncClient, program: Program, changed: dict[str, str | None]
) -> None:
    address = f"/oauth/authorize?{program.query(**changed)}"
    for answer in (await browser.get(address), await browser.post(address, headers=ORIGIN)):
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "This did not work" in answer.text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "admin:write"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
    ],
)
async def test_the_programs_own_errors_go_back_to_it(
    client: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    program: Program,
    changed: dict[str, str | None],
    error: str,
) -> None:
    address = f"/oauth/authorize?{program.query(**changed)}"
    form = {"username": "carol", "password": PASSWORD}
    sign_in = address.replace("authorize", "authorize/sign-in", 1)
    # Nobody's browser is sent on before somebody signed in: this is no redirector.
    for nobody in (await client.get(address), await client.post(sign_in, data=form, headers=ORIGIN)):
        assert nobody.status_code == 400
        assert "location" not in nobody.headers
        assert "This did not work" in nobody.text
    answer = await browser.get(address)
    assert answer.status_code == 303
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (back["error"], back["state"]) == ([error], ["st&te"])


async def test_the_form_is_bound_to_the_session_and_to_what_was_asked(
    browser: httpx.AsyncClient, program: Program
) -> None:
    address = f"/oauth/authorize?{program.query()}"
    token = csrf(await browser.get(address))
    wider = f"/oauth/authorize?{program.query(scope='read write push')}"
    for path, form, headers in (
        (address, {"decision": "allow"}, ORIGIN),
        (address, {"csrf": "0" * 64, "decision": "allow"}, ORIGIN),
        (address, {"csrf": "é", "decision": "allow"}, ORIGIN),
        (wider, {"csrf": token, "decision": "allow"}, ORIGIN),
        (address, {"csrf": token, "decision": "allow"}, {"Origin": "https://evil.test"}),
        (address, {"csrf": token, "decision": "allow"}, {}),
    ):
        answer = await browser.post(path, data=form, headers=headers)
        assert answer.status_code == 403, (form, headers)
        assert "location" not in answer.headers


async def test_a_program_cannot_give_itself_more(
    browser: httpx.AsyncClient, client: httpx.AsyncClient, program: Program
) -> None:
    """Neither with its token in the header nor with the token as if it were a session."""
    exchange = program.exchange(await code(browser, program, scope="read"))
    token = (await client.post("/oauth/token", data=exchange)).json()["access_token"]
    address = f"/oauth/authorize?{program.query()}"
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"folkmoot_session={token}"}):
        page = await client.get(address, headers=headers)
        assert page.status_code == 403
        forged = await client.post(address, data={"csrf": "x", "decision": "allow"}, headers=headers | ORIGIN)
        assert forged.status_code == 403


async def test_a_program_for_itself(client: httpx.AsyncClient, program: Program) -> None:
    basic = httpx.BasicAuth(program.client_id, program.client_secret)
    given = await client.post("/oauth/token", json={"grant_type": "client_credentials"}, auth=basic)
    assert given.json()["scope"] == "read"
    headers = {"Authorization": f"Bearer {given.json()['access_token']}"}
    shown = await client.get("/api/v1/apps/verify_credentials", headers=headers)
    assert shown.json()["scopes"] == ["read", "write", "follow", "push"]
    assert (await client.get("/api/v1/accounts/verify_credentials", headers=headers)).status_code == 401
    too_much = {"grant_type": "client_credentials", "scope": "profile admin"}
    assert (await client.post("/oauth/token", data=too_much, auth=basic)).json()["error"] == "invalid_scope"


async def test_of_a_programs_own_tokens_the_oldest_gives_way(
    client: httpx.AsyncClient, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "APPLICATION_TOKENS_MAX", 3)
    basic = httpx.BasicAuth(program.client_id, program.client_secret)
    given = [
        (await client.post("/oauth/token", json={"grant_type": "client_credentials"}, auth=basic)).json()
        for _ in range(5)
    ]

    async def opens(token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        return (await client.get("/api/v1/apps/verify_credentials", headers=headers)).status_code == 200

    assert [await opens(one["access_token"]) for one in given] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"client_id": None, "client_secret": None}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
        ({}, 400, "invalid_grant"),
    ],
)
async def test_errors_in_oauths_own_words(
    client: httpx.AsyncClient, program: Program, changed: dict[str, str | None], status: int, error: str
) -> None:
    answer = await client.post("/oauth/token", data=program.exchange("unknown", **changed))
    assert answer.status_code == status
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.json()["error"] == error
    assert program.client_secret not in answer.text


async def test_what_is_not_even_a_request(client: httpx.AsyncClient, program: Program) -> None:
    for body in (b"{", b"[]", b'{"code": {}}'):
        answer = await client.post("/oauth/token", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    for header in ("Basic !!!", "Basic /w==", "Basic"):
        answer = await client.post("/oauth/token", headers={"Authorization": header})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_only_ones_own_tokens_are_revoked(
    browser: httpx.AsyncClient, client: httpx.AsyncClient, program: Program
) -> None:
    exchange = program.exchange(await code(browser, program))
    token = (await client.post("/oauth/token", data=exchange)).json()["access_token"]
    other = await register(client)
    body = {"client_id": other.client_id, "client_secret": other.client_secret, "token": token}
    answer = await client.post("/oauth/revoke", data=body)
    assert (answer.status_code, answer.json()["error"]) == (403, "unauthorized_client")
    unknown = await client.post("/oauth/revoke", data=body | {"token": "unknown"})
    assert unknown.status_code == 200
    headers = {"Authorization": f"Bearer {token}"}
    assert (await client.get("/api/v1/accounts/verify_credentials", headers=headers)).status_code == 200


async def test_where_everything_is(client: httpx.AsyncClient) -> None:
    shown = (await client.get("/.well-known/oauth-authorization-server")).json()
    assert shown["issuer"] == "http://moot.test"
    assert shown["code_challenge_methods_supported"] == ["S256"]
    assert shown["token_endpoint"] == "http://moot.test/oauth/token"


async def test_who_gave_a_program_its_token(client: httpx.AsyncClient, people: People, alice: Person) -> None:
    where = (await client.get("/.well-known/oauth-authorization-server")).json()["userinfo_endpoint"]
    for method, scopes in (("GET", "profile"), ("POST", "read")):
        headers = {"Authorization": f"Bearer {await people.token(alice.id, scopes)}"}
        said = (await client.request(method, where, headers=headers)).json()
        assert said == {
            "iss": "http://moot.test",
            "sub": "http://moot.test/users/alice",
            "name": "alice",
            "preferred_username": "alice",
            "profile": "http://moot.test/@alice",
            "picture": "http://moot.test/static/avatar.png",
        }
    small = {"Authorization": f"Bearer {await people.token(alice.id, 'write')}"}
    assert (await client.get(where, headers=small)).status_code == 403
    assert (await client.get(where)).status_code == 401
