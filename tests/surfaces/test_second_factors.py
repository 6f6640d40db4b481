"""Signing in with a code or a passkey, setting them up, and losing them."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest
from argon2 import PasswordHasher
from litestar import Litestar
from tests.support.authenticator import Authenticator
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.web import visitor
from tests.surfaces.test_session import ORIGIN, OWN, PASSWORD, SESSION, sign_up

from folkmoot.accounts.actions import change_password
from folkmoot.accounts.links import LASTS_MS, Purpose
from folkmoot.accounts.passwords import Passwords
from folkmoot.accounts.second_factor import actions as factors
from folkmoot.accounts.second_factor.codes import STEP_MS, code_at
from folkmoot.gate import Acting, Permit, Role, Standing
from folkmoot.gate.actions import revoke
from folkmoot.gate.model import account_subject
from folkmoot.surfaces.services import Services

API = "/api/folkmoot/v1"
HERE = f"{API}/second-factor"
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BY_PASSWORD: dict[str, Any] = {"username": "carol", "password": PASSWORD}


class Browser:
    """Somebody's, and what it is told."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        answer = await self.client.post(path, json=body, headers=ORIGIN)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def ticket(self) -> Any:
        """After the password, which opens nothing by itself."""
        answer = await self.post(SESSION, 202, **BY_PASSWORD)
        assert (answer["account"], "folkmoot_session" in self.client.cookies) == (None, False)
        return answer["second_factor"]

    async def codes(self, clock: FakeClock) -> tuple[bytes, list[str]]:
        """A program of codes: its secret, and the recovery codes."""
        begun = await self.post(f"{HERE}/totp", password=PASSWORD)
        assert begun["qr"].startswith("<svg")
        assert begun["url"].startswith("otpauth://totp/Moot:carol?")
        secret = base64.b32decode(begun["secret"])
        confirmed = await self.post(f"{HERE}/totp/confirm", code=code_at(secret, clock()))
        clock.advance_ms(STEP_MS)
        return secret, confirmed["recovery_codes"]

    async def passkey(self, device: Authenticator, name: str = "My phone") -> Any:
        options = await self.post(f"{HERE}/passkeys/options", password=PASSWORD)
        return await self.post(f"{HERE}/passkeys", passkey=device.create(options), name=name)

    async def own(self) -> Any:
        return (await self.client.get(HERE)).json()


@pytest.fixture
async def carol(client: httpx.AsyncClient) -> Browser:
    await sign_up(client, "carol")
    return Browser(client)


@pytest.fixture
async def stranger(app: Litestar) -> Any:
    async with visitor(app) as client:
        yield Browser(client)


async def test_a_code_is_needed_after_the_password_and_good_once(
    carol: Browser, stranger: Browser, clock: FakeClock
) -> None:
    secret, recovery = await carol.codes(clock)
    assert (len(recovery), len(set(recovery))) == (10, 10)
    needed = await stranger.ticket()
    assert needed["methods"] == ["totp", "recovery"]
    go_on = f"{SESSION}/second-factor"
    code = code_at(secret, clock())
    for wrong in ("000000", "", "x" * 5000, "é", code_at(secret, clock() + 10 * STEP_MS)):
        refused = await stranger.post(go_on, 401, ticket=needed["ticket"], code=wrong)
        assert refused["code"] == "wrong_code"
    entered = await stranger.post(go_on, ticket=needed["ticket"], code=f"{code[:3]} {code[3:]}")
    assert entered["username"] == "carol"
    stranger.client.cookies.clear()
    again = await stranger.ticket()
    assert (await stranger.post(go_on, 401, ticket=again["ticket"], code=code))["code"] == "wrong_code"
    used = await stranger.post(go_on, 401, ticket=needed["ticket"], code=code_at(secret, clock() + STEP_MS))
    assert used["code"] == "ticket_over"


@ON_ONE
async def test_the_code_that_set_it_up_is_used_up(carol: Browser, stranger: Browser, clock: FakeClock) -> None:
    begun = await carol.post(f"{HERE}/totp", password=PASSWORD)
    code = code_at(base64.b32decode(begun["secret"]), clock())
    await carol.post(f"{HERE}/totp/confirm", code=code)
    needed = await stranger.ticket()
    await stranger.post(f"{SESSION}/second-factor", 401, ticket=needed["ticket"], code=code)


@ON_ONE
async def test_guessing_codes_is_slowed_down(carol: Browser, stranger: Browser, clock: FakeClock) -> None:
    await carol.codes(clock)
    ticket = (await stranger.ticket())["ticket"]
    body = {"ticket": ticket, "code": "000000"}
    answers = [await stranger.client.post(f"{SESSION}/second-factor", json=body) for _ in range(11)]
    assert [one.status_code for one in answers] == [401] * 10 + [429]


@ON_ONE
async def test_a_ticket_ends(
    carol: Browser, stranger: Browser, clock: FakeClock, people: People, services: Services
) -> None:
    """In time, with a changed password, and with a suspension: it opens nothing afterwards."""
    secret, _ = await carol.codes(clock)
    old, held = await stranger.ticket(), await stranger.ticket()
    carol_id = int((await carol.client.get(SESSION)).json()["account"]["id"])
    for standing in (Standing.SUSPENDED, Standing.ACTIVE):
        await people.put(carol_id, standing)
        code = code_at(secret, clock())
        refused = await stranger.post(f"{SESSION}/second-factor", 401, ticket=held["ticket"], code=code)
        assert refused["code"] == "ticket_over"
    clock.advance_ms(LASTS_MS[Purpose.SIGN_IN])
    code = code_at(secret, clock())
    await stranger.post(f"{SESSION}/second-factor", 401, ticket=old["ticket"], code=code)


class ChangedMeanwhile(Passwords):
    """The password is right, and another one by the time that is known."""

    def __init__(self, people: People, account_id: int) -> None:
        super().__init__(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self._people, self._account_id = people, account_id

    async def verify(self, password: str, stored: str | None) -> bool:
        right = await super().verify(password, stored)
        await self._people.system(lambda acting: change_password(acting, self._account_id, "another hash"))
        return right


@pytest.mark.parametrize("with_codes", [False, True])
async def test_a_password_that_changes_as_it_is_checked_opens_nothing(
    app: Litestar,
    carol: Browser,
    stranger: Browser,
    services: Services,
    people: People,
    clock: FakeClock,
    with_codes: bool,
) -> None:
    carol_id = int((await carol.client.get(SESSION)).json()["account"]["id"])
    if with_codes:
        await carol.codes(clock)
    app.state.equipment.use(services, ChangedMeanwhile(people, carol_id))
    await stranger.post(SESSION, 401, **BY_PASSWORD)
    assert "folkmoot_session" not in stranger.client.cookies


async def test_a_recovery_code_is_good_once_however_it_is_written(
    carol: Browser, stranger: Browser, clock: FakeClock
) -> None:
    _, recovery = await carol.codes(clock)
    written = recovery[3].upper().replace("-", " ")
    for status in (200, 401):
        needed = await stranger.ticket()
        await stranger.post(f"{SESSION}/second-factor", status, ticket=needed["ticket"], code=written)
        stranger.client.cookies.clear()
    assert (await carol.own())["recovery_codes_left"] == 9
    made = await carol.post(f"{HERE}/recovery-codes", password=PASSWORD)
    needed = await stranger.ticket()
    await stranger.post(f"{SESSION}/second-factor", 401, ticket=needed["ticket"], code=recovery[0])
    await stranger.post(f"{SESSION}/second-factor", ticket=needed["ticket"], code=made["recovery_codes"][0])


@ON_ONE
async def test_without_codes_again(carol: Browser, stranger: Browser, clock: FakeClock) -> None:
    await carol.codes(clock)
    for path in ("totp", "totp/remove", "recovery-codes", "passkeys/options"):
        refused = await carol.post(f"{HERE}/{path}", 422, password="not it")
        assert refused["code"] == "wrong_credentials"
    assert (await carol.post(f"{HERE}/totp", 422, password=PASSWORD))["code"] == "totp_is_on"
    await carol.post(f"{HERE}/totp/remove", 204, password=PASSWORD)
    await carol.post(f"{HERE}/totp/remove", 404, password=PASSWORD)
    assert await carol.own() == {"totp": False, "passkeys": [], "recovery_codes_left": 0, "required": False}
    await stranger.post(SESSION, **BY_PASSWORD)


async def test_a_passkey_signs_in_by_itself_and_each_challenge_once(
    carol: Browser, stranger: Browser, services: Services
) -> None:
    device = Authenticator()
    made = await carol.passkey(device)
    assert (made["passkey"]["name"], len(made["recovery_codes"])) == ("My phone", 10)
    answer = device.get(await stranger.post(f"{SESSION}/passkey/options"))
    assert (await stranger.post(f"{SESSION}/passkey", passkey=answer))["username"] == "carol"
    assert (await stranger.post(f"{SESSION}/passkey", 401, passkey=answer))["code"] == "wrong_passkey"
    assert (await carol.own())["passkeys"][0]["last_used"] is not None


@ON_ONE
async def test_a_passkey_opens_nothing_once_the_credentials_changed(
    carol: Browser, stranger: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Authenticator()
    await carol.passkey(device)
    account = (await carol.client.get("/api/v1/accounts/lookup?acct=carol")).json()["id"]
    answer = device.get(await stranger.post(f"{SESSION}/passkey/options"))
    act = services.gate.act

    async def changed_after(permit: Permit, work: Callable[[Acting], Awaitable[Any]]) -> Any:
        monkeypatch.undo()
        done = await act(permit, work)
        await act(permit, lambda acting: revoke(acting, account_subject(int(account))))
        return done

    monkeypatch.setattr(services.gate, "act", changed_after)
    await stranger.post(f"{SESSION}/passkey", 401, passkey=answer)


async def test_a_passkey_of_who_knew_the_old_password_is_of_no_use(carol: Browser, stranger: Browser) -> None:
    """Whoever had the password for an hour may have made one; its owner's is used with the new one, once."""
    thiefs, own = Authenticator(), Authenticator()
    await carol.passkey(thiefs, "Phone")
    await carol.passkey(own, "My phone")
    new = "another long password"
    await carol.post(f"{API}/password", current=PASSWORD, new=new)
    assert [one["alone"] for one in (await carol.own())["passkeys"]] == [False, False]

    async def alone(device: Authenticator, status: int) -> Any:
        options = await stranger.post(f"{SESSION}/passkey/options")
        return await stranger.post(f"{SESSION}/passkey", status, passkey=device.get(options))

    assert (await alone(thiefs, 401))["code"] == "password_needed"
    assert (await alone(own, 401))["code"] == "password_needed"
    needed = (await stranger.post(SESSION, 202, username="carol", password=new))["second_factor"]
    device = own.get(needed["passkey"])
    await stranger.post(f"{SESSION}/second-factor", ticket=needed["ticket"], passkey=device)
    stranger.client.cookies.clear()
    await alone(own, 200)
    stranger.client.cookies.clear()
    assert (await alone(thiefs, 401))["code"] == "password_needed"
    assert [one["alone"] for one in (await carol.own())["passkeys"]] == [False, True]


@ON_ONE
async def test_a_passkey_that_asked_nobody_is_no_more_than_a_second_factor(
    carol: Browser, stranger: Browser
) -> None:
    device = Authenticator(verifies=False)
    await carol.passkey(device)
    options = await stranger.post(f"{SESSION}/passkey/options")
    await stranger.post(f"{SESSION}/passkey", 401, passkey=device.get(options))
    needed = await stranger.ticket()
    assert needed["methods"] == ["passkey", "recovery"]
    answer = device.get(needed["passkey"])
    entered = await stranger.post(f"{SESSION}/second-factor", ticket=needed["ticket"], passkey=answer)
    assert entered["username"] == "carol"


@ON_ONE
async def test_anothers_passkey_or_another_sites_opens_nothing(
    app: Litestar, carol: Browser, stranger: Browser
) -> None:
    own, daves = Authenticator(), Authenticator()
    await carol.passkey(own)
    async with visitor(app) as client:
        await sign_up(client, "dave")
        await Browser(client).passkey(daves)
    needed = await stranger.ticket()
    elsewhere = Authenticator("https://evil.test")
    for device in (daves, elsewhere):
        answer = device.get(needed["passkey"])
        await stranger.post(f"{SESSION}/second-factor", 401, ticket=needed["ticket"], passkey=answer)
    own.origin = "https://evil.test"
    answer = own.get(needed["passkey"])
    await stranger.post(f"{SESSION}/second-factor", 401, ticket=needed["ticket"], passkey=answer)


@pytest.mark.parametrize(
    "answer",
    [{}, {"rawId": 3}, {"response": {"clientDataJSON": "e30"}}, {"response": {"clientDataJSON": "é"}}, {"id": "x"}],
)
@ON_ONE
async def test_what_is_no_answer_of_a_passkey(carol: Browser, stranger: Browser, answer: Any) -> None:
    await stranger.post(f"{SESSION}/passkey", 401, passkey=answer)
    await carol.post(f"{HERE}/passkeys", 422, passkey=answer)


async def test_passkeys_are_named_and_removed_by_their_owner(
    app: Litestar, carol: Browser, stranger: Browser
) -> None:
    device = Authenticator()
    made = await carol.passkey(device, "")
    one = f"{HERE}/passkeys/{made['passkey']['id']}"
    assert made["passkey"]["name"] == "Passkey"
    assert (await carol.client.patch(one, json={"name": "Key ring"}, headers=ORIGIN)).status_code == 204
    assert [key["name"] for key in (await carol.own())["passkeys"]] == ["Key ring"]
    async with visitor(app) as client:
        await sign_up(client, "dave")
        assert (await client.patch(one, json={"name": "Mine"}, headers=ORIGIN)).status_code == 404
        await Browser(client).post(f"{one}/remove", 404, password=PASSWORD)
    await carol.post(f"{one}/remove", 204, password=PASSWORD)
    assert (await carol.own())["recovery_codes_left"] == 0
    options = await stranger.post(f"{SESSION}/passkey/options")
    await stranger.post(f"{SESSION}/passkey", 401, passkey=device.get(options))


async def test_the_moderators_link_takes_lost_factors_away(
    carol: Browser, stranger: Browser, people: People, services: Services, clock: FakeClock
) -> None:
    carol_id = int((await carol.client.get(SESSION)).json()["account"]["id"])
    await carol.codes(clock)
    secret = await people.system(lambda acting: factors.make_off_link(acting, carol_id))
    body = {"secret": secret, **BY_PASSWORD}
    await stranger.post(f"{API}/second-factor-link", 401, **{**body, "password": "not it"})
    await stranger.post(f"{API}/second-factor-link", 403, **{**body, "secret": "none"})
    await stranger.post(f"{API}/second-factor-link", 204, **body)
    await stranger.post(f"{API}/second-factor-link", 403, **body)
    await stranger.post(SESSION, **BY_PASSWORD)


@ON_ONE
async def test_another_site_changes_nothing(carol: Browser) -> None:
    elsewhere = {"Origin": "https://evil.test"}
    answer = await carol.client.post(f"{HERE}/totp", json={"password": PASSWORD}, headers=elsewhere)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


@ON_ONE
async def test_moderators_can_be_asked_to_have_one(
    app: Litestar, carol: Browser, services: Services, passwords: Passwords, people: People, clock: FakeClock
) -> None:
    queue = "/api/v1/admin/reports"
    keeper = {"Authorization": f"Bearer {await people.token(await people.create('keeper', Role.MODERATOR))}"}
    assert (await carol.client.get(queue, headers=keeper)).status_code == 200
    strict = msgspec.structs.replace(services.site, moderators_second_factor=True)
    app.state.equipment.use(msgspec.structs.replace(services, site=strict), passwords)
    refused = await carol.client.get(queue, headers=keeper)
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_missing")
    assert (await carol.client.get(OWN, headers=keeper)).status_code == 200
    assert (await carol.client.get(HERE, headers=keeper)).json()["required"] is True
    assert (await carol.own())["required"] is False


@ON_ONE
async def test_an_owner_hands_out_links_on_the_servers_own_pages(
    carol: Browser, stranger: Browser, people: People, clock: FakeClock
) -> None:
    carol_id = int((await carol.client.get(SESSION)).json()["account"]["id"])
    await carol.codes(clock)
    path = f"{API}/moderation/accounts/{carol_id}/links"
    for role, status in ((Role.MODERATOR, 403), (Role.OWNER, 200)):
        keeper = await people.create(f"keeper_{role.value}", role)
        headers = {"Authorization": f"Bearer {await people.token(keeper)}"}
        made = await stranger.client.post(path, json={"kind": "second_factor"}, headers=headers)
        assert made.status_code == status, made.text
    secret = made.json()["url"].removeprefix("http://moot.test/second-factor?secret=")
    await stranger.post(f"{API}/second-factor-link", 204, secret=secret, **BY_PASSWORD)
    await stranger.post(SESSION, **BY_PASSWORD)
    nothing = await stranger.client.post(path, json={"kind": "email"}, headers=headers)
    assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing_to_confirm")
