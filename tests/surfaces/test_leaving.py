"""Having one's account deleted, and staying after all."""

import httpx
import pytest
from litestar import Litestar
from tests.support.authenticator import Authenticator
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.test_second_factors import Browser
from tests.surfaces.test_session import ORIGIN, OWN, PASSWORD, SESSION, sign_up

from folkmoot.accounts.deletion import DELETE_ACCOUNT, GRACE_MS
from folkmoot.accounts.second_factor.codes import code_at
from folkmoot.gate import Standing
from folkmoot.leaving.job import Leaving
from folkmoot.storage.jobs import Job
from folkmoot.surfaces.services import Services

API = "/api/folkmoot/v1"
HERE = f"{API}/account-deletion"
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def carol(client: httpx.AsyncClient) -> Browser:
    await sign_up(client, "carol")
    return Browser(client)


async def id_of(browser: Browser) -> int:
    return int((await browser.client.get(SESSION)).json()["account"]["id"])


async def again(browser: Browser) -> httpx.Response:
    return await browser.client.post(SESSION, json={"username": "carol", "password": PASSWORD})


async def test_it_is_asked_with_the_password_and_taken_back_in_time(
    app: Litestar, carol: Browser, clock: FakeClock, services: Services
) -> None:
    carol_id = await id_of(carol)
    assert (await carol.post(HERE, 422, password="not it"))["code"] == "wrong_credentials"
    assert (await carol.client.get(HERE)).json() == {"asked_at": None, "due_at": None}
    asked = await carol.post(HERE, password=PASSWORD)
    assert asked["asked_at"] < asked["due_at"]
    assert (await carol.client.get(OWN)).status_code == 401  # signed out everywhere
    assert (await carol.client.get(f"/api/v1/accounts/{carol_id}")).status_code == 404
    assert (await again(carol)).json()["standing"] == "deactivated"
    assert (await carol.post(HERE, 422, password=PASSWORD))["code"] == "deletion_asked"
    assert (await carol.client.get(HERE)).json() == asked
    assert (await carol.client.delete(HERE, headers=ORIGIN)).status_code == 204
    await again(carol)
    assert (await carol.client.get(OWN)).json()["username"] == "carol"
    clock.advance_ms(GRACE_MS)
    await Leaving(services.gate).run(Job(1, "default", DELETE_ACCOUNT, {"account": str(carol_id)}, 1))
    await again(carol)
    assert (await carol.client.get(OWN)).json()["username"] == "carol"


@ON_ONE
async def test_coming_back_takes_it_back_too(carol: Browser) -> None:
    await carol.post(HERE, password=PASSWORD)
    await again(carol)
    await carol.post(f"{API}/come-back", 204)
    await again(carol)
    assert (await carol.client.get(HERE)).json()["due_at"] is None


async def test_then_nothing_opens_any_more(carol: Browser, clock: FakeClock, services: Services) -> None:
    carol_id = await id_of(carol)
    await carol.post(HERE, password=PASSWORD)
    await again(carol)
    clock.advance_ms(GRACE_MS)
    await Leaving(services.gate).run(Job(1, "default", DELETE_ACCOUNT, {"account": str(carol_id)}, 1))
    assert (await carol.client.get(SESSION)).json()["username"] is None
    assert (await again(carol)).status_code == 401
    refused = await sign_up(carol.client, "CAROL")
    assert (refused.status_code, refused.json()["code"]) == (422, "username_taken")


@ON_ONE
async def test_a_second_factor_is_asked_too(carol: Browser, clock: FakeClock) -> None:
    secret, _ = await carol.codes(clock)
    device = Authenticator()
    await carol.passkey(device)
    wrongs: tuple[dict[str, object], ...] = ({}, {"code": "000000"}, {"passkey": {}})
    for wrong in wrongs:
        assert (
            await carol.client.post(HERE, json={"password": PASSWORD, **wrong}, headers=ORIGIN)
        ).status_code >= 400
    options = await carol.post(f"{SESSION}/passkey/options")
    await carol.post(HERE, password=PASSWORD, passkey=device.get(options))
    ticket = (await again(carol)).json()["second_factor"]["ticket"]
    await carol.post(f"{SESSION}/second-factor", ticket=ticket, code=code_at(secret, clock()))


@ON_ONE
async def test_a_suspended_person_can_leave_and_stay_suspended(carol: Browser, people: People) -> None:
    carol_id = await id_of(carol)
    await people.put(carol_id, Standing.SUSPENDED)
    await again(carol)
    await carol.post(HERE, password=PASSWORD)
    assert (await again(carol)).json()["standing"] == "suspended"
    assert (await carol.client.delete(HERE, headers=ORIGIN)).status_code == 204
    assert (await again(carol)).json()["standing"] == "suspended"
