"""Where one is signed in, and ending that."""

import httpx
import pytest
from litestar import Litestar
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.web import visitor
from tests.surfaces.test_session import ORIGIN, OWN, PASSWORD, SESSION, sign_up

from folkmoot.accounts import actions
from folkmoot.accounts.oauth import actions as oauth
from folkmoot.accounts.oauth.model import NewApplication
from folkmoot.surfaces.browser import browser_name
from folkmoot.surfaces.services import Services

SESSIONS = "/api/folkmoot/v1/sessions"
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
async def carol(client: httpx.AsyncClient) -> httpx.AsyncClient:
    client.headers["user-agent"] = FIREFOX
    await sign_up(client, "carol")
    return client


async def a_program(people: People, account_id: int) -> str:
    new = NewApplication("Tusk", None, ("https://tusk.example/back",), "read write")
    application, _ = await people.system(lambda acting: oauth.register(acting, new))
    return await people.system(
        lambda acting: actions.issue_token(acting, account_id, "read write", application_id=application.id)
    )


async def test_browsers_and_programs_are_listed_and_ended(
    app: Litestar, carol: httpx.AsyncClient, people: People
) -> None:
    carol_id = int((await carol.get(SESSION)).json()["account"]["id"])
    program = {"Authorization": f"Bearer {await a_program(people, carol_id)}"}
    async with visitor(app) as phone:
        await phone.post(SESSION, json={"username": "carol", "password": PASSWORD})
        listed = (await carol.get(SESSIONS)).json()
        shown = [(one["kind"], one["name"], one["scopes"], one["current"]) for one in listed]
        assert shown == [
            ("browser", "A browser", [], False),
            ("app", "Tusk", ["read", "write"], False),
            ("browser", "Firefox on Linux", [], True),
        ]
        assert (await carol.delete(f"{SESSIONS}/{listed[1]['id']}", headers=ORIGIN)).status_code == 204
        assert (await carol.get(OWN, headers=program)).status_code == 401
        assert (await phone.get(OWN)).status_code == 200
        assert (await carol.delete(SESSIONS, headers=ORIGIN)).json() == {"ended": 1}
        assert (await phone.get(OWN)).status_code == 401
    assert [one["current"] for one in (await carol.get(SESSIONS)).json()] == [True]


@ON_ONE
async def test_anothers_session_is_none(app: Litestar, carol: httpx.AsyncClient, people: People) -> None:
    (own,) = (await carol.get(SESSIONS)).json()
    carol_id = int((await carol.get(SESSION)).json()["account"]["id"])
    async with visitor(app) as client:
        await sign_up(client, "dave")
        assert (await client.delete(f"{SESSIONS}/{own['id']}", headers=ORIGIN)).status_code == 404
    program = {"Authorization": f"Bearer {await a_program(people, carol_id)}"}
    async with visitor(app) as client:
        assert (await client.get(SESSIONS, headers=program)).status_code == 403
    assert (await carol.get(OWN)).status_code == 200


async def test_the_day_of_the_last_use_is_all_that_is_kept(
    carol: httpx.AsyncClient, services: Services, clock: FakeClock
) -> None:
    async def last_used() -> str:
        await services.used.write(services.gate)
        (own,) = (await carol.get(SESSIONS)).json()
        return str(own["last_used"])

    first = await last_used()
    clock.advance_ms(3 * 86_400_000)
    await carol.get(OWN)
    assert await last_used() > first
    assert len(first) == len("2026-01-01")


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19.0 Mobile/15E Safari/604.1", "Safari on iPhone"),
        ("curl/8.0", "A browser"),
        ("", "A browser"),
    ],
)
def test_what_a_browser_is_called(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name
