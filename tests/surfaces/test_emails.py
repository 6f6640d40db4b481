"""Addresses confirmed, passwords set anew by mail, and what people are told of their accounts."""

import httpx
import msgspec
import pytest
from litestar import Litestar
from sqlalchemy import select
from tests.support.clock import FakeClock
from tests.support.mail import Readers, secret_in
from tests.support.people import People
from tests.support.web import visitor
from tests.surfaces.test_session import ORIGIN, PASSWORD, SESSION, sign_up
from tests.surfaces.test_sessions import a_program

from folkmoot.accounts.actions import make_password_link
from folkmoot.accounts.letters import RESET, Letters
from folkmoot.accounts.links import LASTS_MS, Purpose
from folkmoot.accounts.passwords import Passwords
from folkmoot.gate import Standing
from folkmoot.mail.model import Letter
from folkmoot.mail.outbox import Outbox
from folkmoot.mail.smtp import NotSent
from folkmoot.storage.jobs import GiveUp, Job
from folkmoot.storage.tables.bus import jobs
from folkmoot.surfaces.services import Services

API = "/api/folkmoot/v1"
CAROL = "carol@mail.example"
NEW_PASSWORD = "another long password"
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def services(services: Services) -> Services:
    """That send letters."""
    return msgspec.structs.replace(services, outbox=Outbox(is_open=True))


@pytest.fixture
def readers() -> Readers:
    return Readers()


@pytest.fixture
async def carol(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Her browser."""
    await sign_up(client, "carol", email=CAROL)
    return client


async def confirm(services: Services, readers: Readers, client: httpx.AsyncClient) -> None:
    *_, letter = await readers.read(services.database)
    answer = await client.post(f"{API}/email-link", json={"secret": secret_in(letter)}, headers=ORIGIN)
    assert answer.status_code == 204


async def own_email(client: httpx.AsyncClient) -> tuple[str | None, bool, str | None]:
    found = (await client.get(f"{API}/email")).json()
    return found["address"], found["confirmed"], found["pending"]


async def test_an_address_is_confirmed_by_who_reads_it(
    carol: httpx.AsyncClient, services: Services, readers: Readers
) -> None:
    assert await own_email(carol) == (CAROL, False, None)
    check = "/api/v1/emails/check_confirmation"
    assert (await carol.get(check)).text == "false"
    (letter,) = await readers.read(services.database)
    assert letter.to == CAROL
    assert "@carol" in letter.subject
    for body, status in (({"secret": "x" * 43}, 403), ({"secret": secret_in(letter)}, 204)):
        assert (await carol.post(f"{API}/email-link", json=body, headers=ORIGIN)).status_code == status
    assert await own_email(carol) == (CAROL, True, None)
    assert (await carol.get(check)).text == "true"
    again = await carol.post(f"{API}/email-link", json={"secret": secret_in(letter)}, headers=ORIGIN)
    assert (again.status_code, again.json()["code"]) == (403, "link_spent")


async def test_no_job_holds_a_secret_or_an_address(carol: httpx.AsyncClient, services: Services) -> None:
    await carol.post(f"{API}/password-reset", json={"email": CAROL}, headers=ORIGIN)
    async with services.database.read() as read:
        payloads = [str(one) for one in (await read.connection.execute(select(jobs.c.payload))).scalars()]
    assert len(payloads) == 2
    assert not [one for one in payloads if "mail.example" in one or "secret" in one]


@ON_ONE
async def test_the_letter_is_sent_again_and_the_first_link_is_dead(
    carol: httpx.AsyncClient, services: Services, readers: Readers
) -> None:
    (first,) = await readers.read(services.database)
    for path, status in ((f"{API}/email/letters", 202), ("/api/v1/emails/confirmations", 200)):
        assert (await carol.post(path, headers=ORIGIN)).status_code == status
    *_, last = await readers.read(services.database)
    body = {"secret": secret_in(first)}
    assert (await carol.post(f"{API}/email-link", json=body, headers=ORIGIN)).status_code == 403
    body = {"secret": secret_in(last)}
    assert (await carol.post(f"{API}/email-link", json=body, headers=ORIGIN)).status_code == 204
    refused = await carol.post("/api/v1/emails/confirmations", headers=ORIGIN)
    assert refused.status_code == 403
    codes = [(await carol.post(f"{API}/email/letters", headers=ORIGIN)).status_code for _ in range(3)]
    assert codes[-1] == 429


@ON_ONE
async def test_whoever_is_suspended_before_they_confirmed(
    carol: httpx.AsyncClient, services: Services, readers: Readers, people: People
) -> None:
    """While they sign up: the session is dead, and the letter's link, also after the lift; a new one counts."""
    account_id = int((await carol.get(SESSION)).json()["account"]["id"])
    (letter,) = await readers.read(services.database)
    body = {"secret": secret_in(letter)}
    await people.put(account_id, Standing.SUSPENDED)
    assert (await carol.get(SESSION)).json()["account"] is None
    assert (await carol.post(f"{API}/email-link", json=body, headers=ORIGIN)).status_code == 403
    await people.put(account_id, Standing.ACTIVE)
    assert (await carol.post(f"{API}/email-link", json=body, headers=ORIGIN)).status_code == 403
    carol.cookies.delete("folkmoot_session")
    assert (await carol.post(SESSION, json={"username": "carol", "password": PASSWORD})).status_code == 200
    assert await own_email(carol) == (CAROL, False, None)
    await carol.post(f"{API}/email/letters", headers=ORIGIN)
    await confirm(services, readers, carol)
    assert await own_email(carol) == (CAROL, True, None)


@ON_ONE
async def test_a_link_is_good_for_a_week(
    carol: httpx.AsyncClient, services: Services, readers: Readers, clock: FakeClock
) -> None:
    (letter,) = await readers.read(services.database)
    clock.advance_ms(LASTS_MS[Purpose.EMAIL])
    body = {"secret": secret_in(letter)}
    assert (await carol.post(f"{API}/email-link", json=body, headers=ORIGIN)).status_code == 403


async def test_another_address_counts_once_it_is_confirmed(
    carol: httpx.AsyncClient, services: Services, readers: Readers
) -> None:
    await confirm(services, readers, carol)
    other = {"email": "carol@other.example", "password": "not it"}
    assert (await carol.post(f"{API}/email", json=other, headers=ORIGIN)).status_code == 422
    answer = await carol.post(f"{API}/email", json={**other, "password": PASSWORD}, headers=ORIGIN)
    assert answer.json() == {"address": CAROL, "confirmed": True, "pending": "carol@other.example"}
    told, letter = await readers.read(services.database)
    assert (told.to, letter.to) == (CAROL, "carol@other.example")
    await carol.post(f"{API}/email-link", json={"secret": secret_in(letter)}, headers=ORIGIN)
    assert await own_email(carol) == ("carol@other.example", True, None)


class Unreachable(Readers):
    """Who can't be written to for now, or for good."""

    def __init__(self) -> None:
        super().__init__()
        self.away: dict[str, Exception] = {}

    async def send(self, letter: Letter, job: Job, now_ms: int) -> None:
        if letter.to in self.away:
            raise self.away[letter.to]
        await super().send(letter, job, now_ms)


async def test_whoever_has_the_address_before_is_told_before_the_new_one_can_count(
    carol: httpx.AsyncClient, services: Services, clock: FakeClock
) -> None:
    readers = Unreachable()
    await confirm(services, readers, carol)
    other = {"email": "carol@other.example", "password": PASSWORD}
    readers.away[CAROL] = NotSent("The mail server is away.")
    assert (await carol.post(f"{API}/email", json=other, headers=ORIGIN)).status_code == 200
    for _ in range(3):
        assert await readers.read(services.database) == []
        # Nor does it come by asking for the letter once more.
        await carol.post(f"{API}/email/letters", headers=ORIGIN)
        clock.advance_ms(60_000)
    readers.away.clear()
    to = []
    for _ in range(2):
        to += [letter.to for letter in await readers.read(services.database)]
        clock.advance_ms(600_000)
    assert (to[0], set(to[1:])) == (CAROL, {"carol@other.example"})


async def test_an_address_that_takes_nothing_for_hours_holds_up_another_for_minutes(
    carol: httpx.AsyncClient, services: Services, clock: FakeClock
) -> None:
    readers = Unreachable()
    await confirm(services, readers, carol)
    other = {"email": "carol@other.example", "password": PASSWORD}
    readers.away[CAROL] = NotSent("The mail server is away.")
    assert (await carol.post(f"{API}/email", json=other, headers=ORIGIN)).status_code == 200
    for waited_ms in (0, 600_000):
        clock.advance_ms(waited_ms)
        assert await readers.read(services.database) == []
    clock.advance_ms(600_000)
    (letter,) = await readers.read(services.database)
    await carol.post(f"{API}/email-link", json={"secret": secret_in(letter)}, headers=ORIGIN)
    assert await own_email(carol) == ("carol@other.example", True, None)


async def test_an_address_that_is_gone_for_good_holds_up_no_other(
    carol: httpx.AsyncClient, services: Services, clock: FakeClock
) -> None:
    readers = Unreachable()
    await confirm(services, readers, carol)
    other = {"email": "carol@other.example", "password": PASSWORD}
    readers.away[CAROL] = GiveUp("There is no such mailbox (550).")
    assert (await carol.post(f"{API}/email", json=other, headers=ORIGIN)).status_code == 200
    (letter,) = await readers.read(services.database)
    assert letter.to == "carol@other.example"


async def test_another_address_ends_what_was_sent_to_the_one_before(
    carol: httpx.AsyncClient, services: Services, readers: Readers
) -> None:
    await confirm(services, readers, carol)
    await carol.post(f"{API}/password-reset", json={"email": CAROL}, headers=ORIGIN)
    (reset,) = await readers.read(services.database)
    other = {"email": "carol@other.example", "password": PASSWORD}
    assert (await carol.post(f"{API}/email", json=other, headers=ORIGIN)).status_code == 200
    _, letter = await readers.read(services.database)
    await carol.post(f"{API}/email-link", json={"secret": secret_in(letter)}, headers=ORIGIN)
    taken = {"secret": secret_in(reset), "new": NEW_PASSWORD}
    assert (await carol.post(f"{API}/password-link", json=taken, headers=ORIGIN)).status_code == 403


async def test_a_new_password_by_mail(
    carol: httpx.AsyncClient, app: Litestar, services: Services, readers: Readers
) -> None:
    async def ask(email: str) -> int:
        return (await carol.post(f"{API}/password-reset", json={"email": email}, headers=ORIGIN)).status_code

    assert await ask(CAROL) == 202
    assert [
        letter.link for letter in await readers.read(services.database) if "password?" in str(letter.link)
    ] == []
    await carol.post(f"{API}/email/letters", headers=ORIGIN)
    await confirm(services, readers, carol)
    assert [await ask("nobody@mail.example"), await ask("Carol+moot@MAIL.example"), await ask(CAROL)] == [202] * 3
    *_, letter = await readers.read(services.database)
    assert letter.to == CAROL
    async with visitor(app) as other:
        body = {"secret": secret_in(letter), "new": NEW_PASSWORD}
        answer = await other.post(f"{API}/password-link", json=body, headers=ORIGIN)
        assert (answer.status_code, answer.json()["username"]) == (200, "carol")
    assert (await carol.get(SESSION)).json()["username"] is None  # whoever had the old password is out
    assert [one.subject for one in await readers.read(services.database)][:1] == ["Your password was changed"]


@ON_ONE
async def test_who_is_locked_gets_no_link_by_mail(
    carol: httpx.AsyncClient, services: Services, readers: Readers, people: People
) -> None:
    await confirm(services, readers, carol)
    carol_id = int((await carol.get(SESSION)).json()["account"]["id"])
    await people.put(carol_id, Standing.LOCKED)
    assert (await carol.post(f"{API}/password-reset", json={"email": CAROL}, headers=ORIGIN)).status_code == 202
    assert await readers.read(services.database) == []


async def test_a_letter_from_before_a_lock_opens_nothing(
    carol: httpx.AsyncClient, services: Services, readers: Readers, people: People
) -> None:
    """Whoever stole the password may have stolen the mailbox, too; the link of a person opens the account."""
    await confirm(services, readers, carol)
    carol_id = int((await carol.get(SESSION)).json()["account"]["id"])
    await carol.post(f"{API}/password-reset", json={"email": CAROL}, headers=ORIGIN)
    (letter,) = await readers.read(services.database)
    await people.put(carol_id, Standing.LOCKED)

    async def opens(secret: str) -> int:
        body = {"secret": secret, "new": NEW_PASSWORD}
        return (await carol.post(f"{API}/password-link", json=body, headers=ORIGIN)).status_code

    assert await opens(secret_in(letter)) == 403
    assert await opens(await people.system(lambda acting: make_password_link(acting, carol_id))) == 200


@ON_ONE
async def test_of_a_letter_that_comes_twice_either_link_works_once(
    carol: httpx.AsyncClient, services: Services, readers: Readers, clock: FakeClock
) -> None:
    """The process died before it was written down that the mail server had taken it."""
    await confirm(services, readers, carol)
    readers.letters.clear()
    written = Letters(services.gate, "http://moot.test", readers).handlers()[RESET]
    asked = {"mark": services.marks.mailbox(CAROL).hex(), "asked_at_ms": clock()}
    for attempt in (1, 2):
        await written(Job(9, "mail", RESET, asked, attempt))
    for letter, status in zip(readers.letters, (200, 403), strict=True):
        body = {"secret": secret_in(letter), "new": NEW_PASSWORD}
        assert (await carol.post(f"{API}/password-link", json=body, headers=ORIGIN)).status_code == status


async def test_a_letter_whose_first_attempt_made_no_link_ends_an_earlier_letters(
    carol: httpx.AsyncClient, services: Services, readers: Readers, clock: FakeClock
) -> None:
    await confirm(services, readers, carol)
    await carol.post(f"{API}/password-reset", json={"email": CAROL}, headers=ORIGIN)
    (earlier,) = await readers.read(services.database)
    clock.advance_ms(1)
    written = Letters(services.gate, "http://moot.test", readers).handlers()[RESET]
    asked = {"mark": services.marks.mailbox(CAROL).hex(), "asked_at_ms": clock()}
    await written(Job(9, "mail", RESET, asked, 2))
    *_, later = readers.letters
    for letter, status in ((earlier, 403), (later, 200)):
        body = {"secret": secret_in(letter), "new": NEW_PASSWORD}
        assert (await carol.post(f"{API}/password-link", json=body, headers=ORIGIN)).status_code == status


async def test_a_new_password_takes_back_what_a_thief_asked_for(
    carol: httpx.AsyncClient, app: Litestar, services: Services, readers: Readers
) -> None:
    await confirm(services, readers, carol)
    async with visitor(app) as thief:
        await thief.post(SESSION, json={"username": "carol", "password": PASSWORD})
        asked = {"email": "thief@mail.example", "password": PASSWORD}
        await thief.post(f"{API}/email", json=asked, headers=ORIGIN)
        await thief.post(f"{API}/password-reset", json={"email": CAROL}, headers=ORIGIN)
        letters = await readers.read(services.database)
        (address,) = [one for one in letters if one.to == "thief@mail.example"]
        (reset,) = [one for one in letters if "password?" in str(one.link)]
        body = {"current": PASSWORD, "new": NEW_PASSWORD}
        assert (await carol.post(f"{API}/password", json=body, headers=ORIGIN)).status_code == 200
        for path, secret in (("email-link", secret_in(address)), ("password-link", secret_in(reset))):
            body = {"secret": secret, "new": "the thief's own password"}
            answer = await thief.post(f"{API}/{path}", json=body, headers=ORIGIN)
            assert (answer.status_code, answer.json()["code"]) == (403, "link_spent"), path
    assert await own_email(carol) == (CAROL, True, None)
    await carol.post(f"{API}/email/letters", headers=ORIGIN)
    assert [one for one in await readers.read(services.database) if one.to == "thief@mail.example"] == []


async def test_no_address_is_given_without_the_password(
    carol: httpx.AsyncClient, app: Litestar, services: Services, readers: Readers, people: People
) -> None:
    """Neither by a program nor in a browser that somebody left open; one that waits is written to again."""
    carol_id = int((await carol.get(SESSION)).json()["account"]["id"])
    program = {"Authorization": f"Bearer {await a_program(people, carol_id)}"}
    await readers.read(services.database)
    async with visitor(app) as elsewhere:
        for client, headers in ((elsewhere, program), (carol, ORIGIN)):
            for email, status in (("thief@mail.example", 403), (CAROL, 200)):
                answer = await client.post("/api/v1/emails/confirmations", json={"email": email}, headers=headers)
                assert answer.status_code == status, answer.text
    assert await own_email(carol) == (CAROL, False, None)
    assert {one.to for one in await readers.read(services.database)} == {CAROL}


@ON_ONE
async def test_a_new_browser_is_told_of_and_an_old_one_isnt(
    carol: httpx.AsyncClient, app: Litestar, services: Services, readers: Readers
) -> None:
    await confirm(services, readers, carol)
    body = {"username": "carol", "password": PASSWORD}
    await carol.post(SESSION, json=body)
    assert await readers.read(services.database) == []
    async with visitor(app) as other:
        await other.post(SESSION, json=body)
    assert [one.subject for one in await readers.read(services.database)] == ["A new sign-in"]


@ON_ONE
async def test_without_mail_an_address_counts_at_once(
    app: Litestar, services: Services, passwords: Passwords
) -> None:
    app.state.equipment.use(msgspec.structs.replace(services, outbox=Outbox(is_open=False)), passwords)
    async with visitor(app) as client:
        await sign_up(client, "dave", email="dave@mail.example")
        changed = await client.post(
            f"{API}/email", json={"email": "dave@other.example", "password": PASSWORD}, headers=ORIGIN
        )
        assert changed.json() == {"address": "dave@other.example", "confirmed": False, "pending": None}
        for path, body in ((f"{API}/email/letters", {}), (f"{API}/password-reset", {"email": CAROL})):
            answer = await client.post(path, json=body, headers=ORIGIN)
            assert (answer.status_code, answer.json()["code"]) == (503, "no_mail")
    async with services.database.read() as read:
        assert (await read.connection.execute(select(jobs.c.id))).all() == []
