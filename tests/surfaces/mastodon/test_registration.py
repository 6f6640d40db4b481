"""Accounts that programs make (POST /api/v1/accounts)."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tests.support.people import People

from folkmoot.accounts import actions
from folkmoot.accounts.oauth import actions as oauth
from folkmoot.accounts.oauth.model import NewApplication
from folkmoot.gate import Standing
from folkmoot.moderation.members import actions as members
from folkmoot.storage.database import Database
from folkmoot.storage.tables.credentials import applications, tokens
from folkmoot.surfaces.sign_up import make_account

ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FORM = {
    "username": "carol",
    "email": "carol@mail.example",
    "password": "a long enough password",
    "agreement": "true",
    "locale": "en",
}


async def program(people: People, scopes: str = "read write follow") -> dict[str, str]:
    new = NewApplication("Tusk", None, ("https://tusk.example/back",), scopes)
    application, _ = await people.system(lambda acting: oauth.register(acting, new))
    token = await people.system(
        lambda acting: actions.issue_token(acting, None, scopes, application_id=application.id)
    )
    return {"Authorization": f"Bearer {token}"}


async def test_a_program_makes_an_account_and_has_its_token(client: httpx.AsyncClient, people: People) -> None:
    made = await client.post("/api/v1/accounts", data=FORM, headers=await program(people))
    assert made.status_code == 200, made.text
    token = made.json()
    assert (token["token_type"], token["scope"]) == ("Bearer", "follow read write")
    own = {"Authorization": f"Bearer {token['access_token']}"}
    assert (await client.get("/api/v1/accounts/verify_credentials", headers=own)).json()["username"] == "carol"
    check = await client.get("/api/v1/emails/check_confirmation", headers=own)
    assert (check.status_code, check.json()) == (200, False)


@ON_ONE
async def test_whoever_is_not_let_in_meanwhile_gets_an_answer(
    client: httpx.AsyncClient, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a moderator who is quicker than the second half of the sign-up, by either way."""

    async def make_and_reject(*arguments: Any) -> int:
        made = await make_account(*arguments)
        await people.put(made, Standing.AWAITING_APPROVAL)
        await people.system(lambda acting: members.reject(acting, made))
        return made

    for module in ("mastodon.registration", "sign_up"):
        monkeypatch.setattr(f"folkmoot.surfaces.{module}.make_account", make_and_reject)
    form = {"username": "carol", "password": FORM["password"]}
    for answer in (
        await client.post("/api/v1/accounts", data=FORM, headers=await program(people)),
        await client.post("/api/folkmoot/v1/accounts", json=form),
    ):
        assert (answer.status_code, answer.json()["error"]) == (404, "Account not found.")


@ON_ONE
async def test_a_program_that_is_stopped_meanwhile_gets_no_token(
    client: httpx.AsyncClient, people: People, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await program(people)
    async with database.read() as read:
        (stopped,) = (await read.connection.execute(select(applications.c.id))).scalars()

    async def make_and_stop(*arguments: Any) -> int:
        made = await make_account(*arguments)
        await people.system(lambda acting: oauth.stop(acting, stopped, reason="It posts by itself."))
        return made

    monkeypatch.setattr("folkmoot.surfaces.mastodon.registration.make_account", make_and_stop)
    refused = await client.post("/api/v1/accounts", data=FORM, headers=headers)
    assert (refused.status_code, "access_token" in refused.text) == (403, False)
    async with database.read() as read:
        held = (await read.connection.execute(select(tokens.c.id).where(tokens.c.application_id == stopped))).all()
    assert held == [], "nothing that would open something when the program is let in again"


@pytest.mark.parametrize(
    ("changed", "field", "error"),
    [
        ({"agreement": False}, "agreement", "ERR_BLANK"),
        ({"email": ""}, "email", "ERR_BLANK"),
        ({"email": "nowhere"}, "email", "ERR_INVALID"),
        ({"password": "short"}, "password", "ERR_TOO_SHORT"),
        ({"username": "admin"}, "username", "ERR_RESERVED"),
        ({"username": "ALICE"}, "username", "ERR_TAKEN"),
    ],
)
@ON_ONE
async def test_what_is_wrong_is_said_by_field(
    client: httpx.AsyncClient, people: People, changed: dict[str, Any], field: str, error: str
) -> None:
    await people.create("alice")
    answer = await client.post(
        "/api/v1/accounts", json={**FORM, "agreement": True} | changed, headers=await program(people)
    )
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"].startswith("Validation failed: ")
    assert answer.json()["details"][field][0]["error"] == error


@ON_ONE
async def test_it_takes_a_programs_own_token_and_its_scope(client: httpx.AsyncClient, people: People) -> None:
    persons = {"Authorization": f"Bearer {await people.token(await people.create('alice'))}"}
    for headers, status in (({}, 401), (persons, 401), (await program(people, "read"), 403)):
        assert (await client.post("/api/v1/accounts", data=FORM, headers=headers)).status_code == status
