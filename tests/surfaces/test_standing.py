"""Who is kept out reads why, appeals, takes their data along, and comes back to everything."""

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import Person

from folkmoot.accounts import actions as accounts
from folkmoot.accounts.links import LASTS_MS, Purpose
from folkmoot.accounts.passwords import Passwords
from folkmoot.gate import Action, Refused, Role, Standing
from folkmoot.gate.queries import sanctions_of
from folkmoot.moderation import actions as moderation
from folkmoot.moderation.appeals import queries as appeals
from folkmoot.moderation.appeals.actions import appeal

API = "/api/folkmoot/v1"
SESSION = f"{API}/session"
PASSWORD = "a long enough password"
ORIGIN = {"Origin": "http://moot.test"}


async def sign_up(client: httpx.AsyncClient, username: str = "carol") -> int:
    answer = await client.post(f"{API}/accounts", json={"username": username, "password": PASSWORD})
    return int(answer.json()["account"]["id"])


async def sign_in(client: httpx.AsyncClient, password: str = PASSWORD) -> httpx.Response:
    client.cookies.clear()
    return await client.post(SESSION, json={"username": "carol", "password": password})


async def suspended(client: httpx.AsyncClient, people: People, until_ms: int | None = None) -> int:
    """Carol, suspended by a moderator and signed in anew; her id."""
    account_id, moderator = await sign_up(client), await people.create("keeper", Role.MODERATOR)
    await people.act(
        moderator,
        Action.MODERATE,
        lambda acting: moderation.suspend(acting, account_id, reason="rule 3", until_ms=until_ms),
    )
    await sign_in(client)
    return account_id


async def make_appeal(client: httpx.AsyncClient, text: str = "It was a link.") -> httpx.Response:
    (held,) = (await client.get(f"{API}/standing")).json()["sanctions"]
    return await client.post(f"{API}/appeals", json={"sanction": held["id"], "text": text}, headers=ORIGIN)


async def decide(client: httpx.AsyncClient, people: People, by: int, *, granted: bool) -> httpx.Response:
    """As a moderator's program: read what waits, and answer it."""
    headers = {"Authorization": f"Bearer {await people.token(by, 'admin:read admin:write')}"}
    queue = f"{API}/moderation/appeals"
    (waiting,) = (await client.get(queue, headers=headers)).json()
    answer = {"granted": granted, "answer": "We looked again."}
    answered = await client.post(f"{queue}/{waiting['id']}", json=answer, headers=headers)
    assert (answered.status_code == 204) == waiting["can_decide"], answered.text
    return answered


async def test_the_room_says_what_why_and_until_when(
    client: httpx.AsyncClient, people: People, clock: FakeClock
) -> None:
    account_id = await suspended(client, people, clock() + 60_000)
    await people.system(lambda acting: moderation.limit(acting, account_id, reason="loud"))
    shown = (await client.get(f"{API}/standing")).json()
    assert (shown["standing"], shown["until"]) == ("suspended", "2027-01-15T08:01:00.000Z")
    assert [(one["standing"], one["reason"], one["until"]) for one in shown["sanctions"]] == [
        ("limited", "loud", None),
        ("suspended", "rule 3", "2027-01-15T08:01:00.000Z"),
    ]
    clock.advance_ms(60_000)
    # Nothing ran in between: the clock alone says that it is over, and with it the room.
    assert (await client.get(f"{API}/standing")).json()["code"] == "sign_in_anew"
    await sign_in(client)
    shown = (await client.get(f"{API}/standing")).json()
    assert (shown["standing"], len(shown["sanctions"])) == ("limited", 1)


async def test_an_appeal_is_made_once_and_decided_by_somebody_else(
    client: httpx.AsyncClient, people: People
) -> None:
    account_id = await suspended(client, people)
    assert (await make_appeal(client, " ")).status_code == 422
    (shown,) = (await make_appeal(client)).json()["sanctions"]
    assert (shown["can_appeal"], shown["appeal"]["state"]) == (False, "waiting")
    assert (await make_appeal(client)).json()["code"] == "appealed_already"
    async with people.gate.database.read() as read:
        first = (await appeals.waiting(read))[0].sanction.decided_by
    assert first is not None
    assert (await decide(client, people, first, granted=True)).json()["code"] == "own_decision"
    other = await people.create("other", Role.MODERATOR)
    assert (await decide(client, people, other, granted=True)).status_code == 204
    assert (await people.viewer(account_id)).standing is Standing.ACTIVE
    ended = (await client.get(SESSION)).json()
    assert (ended["standing"], ended["reason"]) == (None, "Your account is open again. Sign in anew.")
    await sign_in(client)
    assert (await client.get(SESSION)).json()["standing"] == "active"


async def test_a_rejected_appeal_is_answered_and_that_was_it(client: httpx.AsyncClient, people: People) -> None:
    await suspended(client, people)
    await make_appeal(client)
    other = await people.create("other", Role.MODERATOR)
    await decide(client, people, other, granted=False)
    (shown,) = (await client.get(f"{API}/standing")).json()["sanctions"]
    assert (shown["appeal"]["state"], shown["appeal"]["answer"]) == ("rejected", "We looked again.")
    assert (await make_appeal(client)).json()["code"] == "appealed_already"
    async with people.gate.database.read() as read:
        assert await appeals.waiting(read) == []


async def test_an_owners_decision_about_a_moderator_is_heard_by_another_moderator(
    client: httpx.AsyncClient, people: People
) -> None:
    owner, one, other = [
        await people.create(name, role)
        for name, role in (("olga", Role.OWNER), ("one", Role.MODERATOR), ("other", Role.MODERATOR))
    ]
    await people.act(owner, Action.MODERATE, lambda acting: moderation.suspend(acting, one, reason="rule 3"))
    async with people.gate.database.read() as read:
        (sanction,) = await sanctions_of(read, one)
    await people.act(one, Action.APPEAL, lambda acting: appeal(acting, sanction.id, "No."))
    assert (await decide(client, people, other, granted=True)).status_code == 204
    assert (await people.viewer(one)).standing is Standing.ACTIVE


@pytest.mark.parametrize("what", ["another's", "over", "unheard of", "no number"])
async def test_what_cannot_be_appealed_against(
    client: httpx.AsyncClient, people: People, alice: Person, clock: FakeClock, what: str
) -> None:
    await suspended(client, people, clock() + 10)
    (held,) = (await client.get(f"{API}/standing")).json()["sanctions"]
    sanction = {"unheard of": "5", "no number": "x" * 40}.get(what, held["id"])
    if what == "over":
        clock.advance_ms(10)
        await sign_in(client)
    if what == "another's":
        client.cookies.clear()
        client.headers.update(alice.headers)
    answer = await client.post(f"{API}/appeals", json={"sanction": sanction, "text": "No."}, headers=ORIGIN)
    assert answer.status_code == 404


async def test_deactivated_by_oneself_one_comes_back_to_everything(
    client: httpx.AsyncClient, alice: Person
) -> None:
    account_id = await sign_up(client)
    post = (await client.post("/api/v1/statuses", json={"status": "here"}, headers=ORIGIN)).json()["id"]
    old = {"Authorization": f"Bearer {client.cookies['folkmoot_session']}"}
    wrong = await client.post(f"{API}/deactivate", json={"password": "not the password"}, headers=ORIGIN)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_credentials")
    assert (await client.post(f"{API}/deactivate", json={"password": PASSWORD}, headers=ORIGIN)).status_code == 204
    client.cookies.clear()
    for headers in (alice.headers, {}):
        assert (await client.get(f"/api/v1/accounts/{account_id}", headers=headers)).status_code == 404
        assert (await client.get(f"/api/v1/statuses/{post}", headers=headers)).status_code == 404
    assert (await client.get("/api/v1/accounts/verify_credentials", headers=old)).status_code == 401
    assert (await sign_in(client)).json()["standing"] == "deactivated"
    assert (await client.get(f"{API}/export")).status_code == 200
    assert (await client.post(f"{API}/come-back", headers=ORIGIN)).status_code == 204
    assert (await client.get("/api/v1/accounts/verify_credentials", headers=old)).status_code == 401
    assert (await client.get("/api/v1/accounts/verify_credentials")).status_code == 200
    assert (await client.get(f"/api/v1/statuses/{post}", headers=alice.headers)).status_code == 200
    again = await client.post(f"{API}/come-back", headers=ORIGIN)
    assert (again.status_code, again.json()["code"]) == (422, "not_deactivated")


async def test_coming_back_lifts_nothing_that_somebody_else_decided(
    client: httpx.AsyncClient, people: People
) -> None:
    account_id = await sign_up(client)
    await people.act(account_id, Action.DEACTIVATE, accounts.deactivate)
    await people.system(lambda acting: moderation.suspend(acting, account_id, reason="rule 3"))
    assert (await sign_in(client)).json()["standing"] == "suspended"
    assert (await client.post(f"{API}/come-back", headers=ORIGIN)).status_code == 403
    await people.system(lambda acting: moderation.reinstate(acting, account_id))
    assert (await sign_in(client)).json()["standing"] == "deactivated"
    assert (await client.post(f"{API}/come-back", headers=ORIGIN)).status_code == 204


async def test_the_last_owner_does_not_deactivate(client: httpx.AsyncClient, people: People) -> None:
    owner = await people.create("olga", Role.OWNER)
    with pytest.raises(Refused, match="last owner"):
        await people.act(owner, Action.DEACTIVATE, accounts.deactivate)
    assert (await people.viewer(owner)).standing is Standing.ACTIVE


async def test_locked_one_is_told_the_way_out_which_is_a_link(
    client: httpx.AsyncClient, people: People, passwords: Passwords
) -> None:
    account_id = await sign_up(client)
    await people.system(lambda acting: moderation.limit(acting, account_id, reason="loud"))
    await people.system(lambda acting: moderation.lock(acting, account_id, reason="a leaked list"))
    refused = await sign_in(client)
    assert refused.status_code == 403
    assert "link to set a new password" in refused.json()["error"]
    assert (await sign_in(client, "not the password")).status_code == 401  # nobody else learns of it
    first, secret = [
        await people.system(lambda acting: accounts.make_password_link(acting, account_id)) for _ in range(2)
    ]
    new = "another long password"
    for secret_tried, password, status in (
        (first, new, 403),
        ("x", new, 403),
        (secret, "short", 422),
        (secret, new, 200),
        (secret, "a third long password", 403),
    ):
        answer = await client.post(f"{API}/password-link", json={"secret": secret_tried, "new": password})
        assert answer.status_code == status, answer.text
        client.cookies.clear()
    assert (await sign_in(client)).status_code == 401
    assert (await sign_in(client, new)).json()["standing"] == "limited"


async def test_a_link_is_good_for_a_day(client: httpx.AsyncClient, people: People, clock: FakeClock) -> None:
    account_id = await sign_up(client)
    secret = await people.system(lambda acting: accounts.make_password_link(acting, account_id))
    clock.advance_ms(LASTS_MS[Purpose.RESET])
    answer = await client.post(f"{API}/password-link", json={"secret": secret, "new": "another long password"})
    assert (answer.status_code, answer.json()["code"]) == (403, "link_spent")


async def test_a_program_speaks_for_nobody_about_themselves(client: httpx.AsyncClient, people: People) -> None:
    """An application's token reads the standing and nothing else of the room."""
    account_id = await people.create("someone")
    registered = await client.post(
        "/api/v1/apps", json={"client_name": "app", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"}
    )
    application_id = int(registered.json()["id"])
    token = await people.system(
        lambda acting: accounts.issue_token(acting, account_id, "read write", application_id=application_id)
    )
    headers = {"Authorization": f"Bearer {token}"}
    assert (await client.get(f"{API}/standing", headers=headers)).status_code == 200
    for method, path, body in (
        ("GET", "export", None),
        ("POST", "come-back", None),
        ("POST", "deactivate", {"password": PASSWORD}),
        ("POST", "appeals", {"sanction": "5", "text": "No."}),
    ):
        answer = await client.request(method, f"{API}/{path}", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope"), path
