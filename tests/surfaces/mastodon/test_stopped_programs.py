"""One application is stopped for everybody who uses it; people go on with others, and it can be let in again."""

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from tests.support.people import People
from tests.support.web import visitor
from tests.surfaces.conftest import Person
from tests.surfaces.mastodon.test_oauth import PASSWORD, Program, code, consent, register

from folkmoot.accounts.oauth import actions, queries
from folkmoot.gate import Action, Refused, Role
from folkmoot.gate.model import application_subject
from folkmoot.surfaces.services import Services

OWN = "/api/v1/accounts/verify_credentials"


@pytest.fixture
async def browser(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Carol's, signed in."""
    async with visitor(app) as browser:
        body = {"username": "carol", "password": PASSWORD}
        assert (await browser.post("/api/folkmoot/v1/accounts", json=body)).status_code == 200
        yield browser


async def token_of(browser: httpx.AsyncClient, client: httpx.AsyncClient, program: Program) -> dict[str, str]:
    given = await client.post("/oauth/token", data=program.exchange(await code(browser, program)))
    return {"Authorization": f"Bearer {given.json()['access_token']}"}


async def id_of(people: People, program: Program) -> int:
    async with people.gate.database.read() as read:
        found = await queries.by_client_id(read, program.client_id)
    assert found is not None
    return found.id


async def test_all_its_tokens_stop_at_once_and_nobody_elses(
    browser: httpx.AsyncClient, client: httpx.AsyncClient, services: Services, people: People
) -> None:
    bad, good = await register(client), await register(client)
    stopped, other = await token_of(browser, client, bad), await token_of(browser, client, good)
    waiting = await code(browser, bad)
    viewer = await people.gate.identify(stopped["Authorization"].removeprefix("Bearer "))
    ended: list[str] = []
    services.leases.hold(viewer.stamps, ended.append)
    bad_id = await id_of(people, bad)
    await people.system(lambda acting: actions.stop(acting, bad_id, reason="it posts by itself"))
    async with services.database.read() as read:
        await services.gate.check(read, (await people.gate.identify(other["Authorization"][7:])).stamps)
        with pytest.raises(Refused, match="ended"):
            await services.gate.check(read, viewer.stamps)
    services.leases.raised(application_subject(bad_id), 1)
    assert ended == [application_subject(bad_id)]
    assert (await client.get(OWN, headers=stopped)).status_code == 401
    assert (await client.get(OWN, headers=other)).status_code == 200
    assert (await browser.get(OWN)).status_code == 200
    refused = await client.post("/oauth/token", data=bad.exchange(waiting))
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    page = await browser.get(f"/oauth/authorize?{bad.query()}")
    assert page.status_code == 403
    assert "was stopped by this server" in page.text


async def test_let_in_again_it_asks_anew(
    browser: httpx.AsyncClient, client: httpx.AsyncClient, people: People
) -> None:
    program = await register(client)
    old, id_ = await token_of(browser, client, program), await id_of(people, program)
    for _ in range(2):  # twice is as once
        await people.system(lambda acting: actions.stop(acting, id_, reason="a flood"))
    await people.system(lambda acting: actions.allow_again(acting, id_))
    assert (await client.get(OWN, headers=old)).status_code == 401
    new = await token_of(browser, client, program)
    assert (await client.get(OWN, headers=new)).json()["username"] == "carol"
    assert (await consent(browser, program, "allow")).status_code == 303


async def test_who_stops_programs(people: People, client: httpx.AsyncClient, alice: Person) -> None:
    id_ = await id_of(people, await register(client))
    with pytest.raises(Refused, match="moderate"):
        await people.act(alice.id, Action.AUTHORIZE, lambda acting: actions.stop(acting, id_, reason="no"))
    keeper = await people.create("keeper", Role.MODERATOR)
    await people.act(keeper, Action.MODERATE, lambda acting: actions.stop(acting, id_, reason="no"))
    with pytest.raises(Refused, match="no such program"):
        await people.system(lambda acting: actions.stop(acting, 5, reason="no"))


async def test_the_stopped_and_the_most_used_come_first(
    people: People, browser: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    programs = [await register(client, client_name=name) for name in ("unused", "used", "stopped")]
    await token_of(browser, client, programs[1])
    id_ = await id_of(people, programs[2])
    await people.system(lambda acting: actions.stop(acting, id_, reason="a flood"))
    async with people.gate.database.read() as read:
        listed = await queries.listed(read, 10)
    assert [(one.application.name, one.tokens, one.now.reason) for one in listed] == [
        ("stopped", 0, "a flood"),
        ("used", 1, ""),
        ("unused", 0, ""),
    ]
