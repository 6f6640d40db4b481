"""What people are written about decisions."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from tests.support.mail import Readers
from tests.support.square import Square

from folkmoot.gate import Action, Kind, Role, Standing, Subject
from folkmoot.gate.actions import STANDING_CHANGED, impose, impose_on, lift, lift_from
from folkmoot.gate.queries import open_sanctions
from folkmoot.gate.subjects import open_of
from folkmoot.mail.outbox import Outbox
from folkmoot.moderation.notices import STANDING, have_written
from folkmoot.spaces import actions as spaces
from folkmoot.spaces.model import Draft
from folkmoot.storage.database import Database, Write
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.events import Event, Follower
from folkmoot.storage.tables.bus import events, jobs
from folkmoot.storage.tables.people import accounts, credentials

REASON = "You posted the canary of somebody."
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Office:
    """The worker's part: what happened is written about, and read."""

    def __init__(self, database: Database) -> None:
        self.square = Square(database)
        self.readers = Readers()
        self._seen = 0

    async def person(self, name: str, *, confirmed: bool = True) -> int:
        account_id = await self.square.person(name)

        async def work(tx: Write) -> None:
            await tx.connection.execute(
                insert(credentials).values(
                    account_id=account_id,
                    password_hash="",
                    email=f"{name}@mail.example",
                    email_confirmed_at_ms=1 if confirmed else None,
                    changed_at_ms=0,
                )
            )

        await self.square.database.write(work)
        return account_id

    async def decide(self, work: Any, moderator: int | None = None) -> None:
        gate = self.square.gate
        permit = gate.permit_system(Action.MODERATE, "test")
        if moderator is not None:
            permit = gate.permit(await self.square.viewer(moderator), Action.MODERATE)
        await gate.act(permit, work)

    async def put_down(self) -> None:
        """The events since then, as the worker follows them."""
        async with self.square.database.read() as read:
            rows = (await read.connection.execute(select(events).where(events.c.id > self._seen))).all()
        for row in rows:
            self._seen = row.id
            event = Event(row.id, row.kind, row.payload, row.at_ms, row.transaction_id)
            await have_written(self.square.gate, Outbox(is_open=True), "test", event)

    async def read(self) -> list[tuple[str, str]]:
        await self.put_down()
        letters = await self.readers.read(self.square.database)
        return [(letter.subject, " ".join(letter.paragraphs)) for letter in letters]

    async def lift_all(self, account_id: int) -> None:
        async with self.square.database.read() as read:
            held = (await open_sanctions(read, [account_id]))[account_id]
        await self.decide(lambda acting: lift(acting, account_id, held))


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


async def test_a_suspension_and_its_lifting(office: Office) -> None:
    carol, keeper = await office.person("carol"), await office.person("keeper")

    async def promote(tx: Write) -> None:
        await tx.connection.execute(
            update(accounts).where(accounts.c.id == keeper).values(role=Role.MODERATOR.value)
        )

    await office.square.database.write(promote)
    until_ms = 4_102_444_800_000
    await office.decide(
        lambda acting: impose(acting, carol, Standing.SUSPENDED, reason=REASON, until_ms=until_ms), keeper
    )
    ((subject, text),) = await office.read()
    assert subject == "Your account @carol was suspended"
    assert "until 2100-01-01 00:00 UTC" in text
    assert REASON in text
    assert "appeal" in text
    assert "keeper" not in text
    assert office.readers.letters[0].link == ("Sign in, read why, and appeal", "http://moot.test/settings")
    await office.lift_all(carol)
    assert [one[0] for one in await office.read()] == ["Your account @carol is no longer suspended"]


async def test_another_end_is_written_too(office: Office) -> None:
    """Who was told of an end and comes back then must not find the door shut."""
    carol = await office.person("carol")
    sooner_ms, later_ms = 4_102_444_800_000, 4_102_531_200_000
    for until_ms in (sooner_ms, later_ms):
        await office.decide(
            partial(impose, account_id=carol, standing=Standing.SUSPENDED, reason=REASON, until_ms=until_ms)
        )
        (_, text) = (await office.read())[-1]
        assert f"until 2100-01-0{1 if until_ms == sooner_ms else 2} 00:00 UTC" in text
    await office.decide(
        partial(impose, account_id=carol, standing=Standing.SUSPENDED, reason="milder", until_ms=sooner_ms)
    )
    assert await office.read() == [], "what changes nothing isn't written"
    async with office.square.database.read() as read:
        held = (await open_sanctions(read, [carol]))[carol]
    await office.decide(lambda acting: lift(acting, carol, [one for one in held if one.until_ms == later_ms]))
    assert "until 2100-01-01 00:00 UTC" in (await office.read())[-1][1]


async def test_an_approval_and_a_lock(office: Office) -> None:
    carol = await office.person("carol")
    await office.decide(lambda acting: impose(acting, carol, Standing.AWAITING_APPROVAL, reason="I know Bob"))
    assert await office.read() == []
    await office.lift_all(carol)
    assert [one[0] for one in await office.read()] == ["Your account was approved"]
    await office.decide(lambda acting: impose(acting, carol, Standing.LOCKED, reason="stolen"))
    ((subject, text),) = await office.read()
    assert (subject, "appeal" in text) == ("Your account @carol was locked", False)


async def test_a_removed_space(office: Office) -> None:
    carol = await office.person("carol")
    made = await office.square.act(
        carol, Action.OPEN_SPACE, lambda acting: spaces.create(acting, Draft(title="Town hall"), page_url="")
    )
    subject = Subject(Kind.SPACE, made.id)
    await office.decide(lambda acting: impose_on(acting, subject, Standing.REMOVED, reason=REASON))
    ((title, text),) = await office.read()
    assert (title, REASON in text) == ("A Space of yours was removed", True)
    async with office.square.database.read() as read:
        held = (await open_of(read, [subject]))[subject]
    await office.decide(lambda acting: lift_from(acting, subject, held))
    assert [one[0] for one in await office.read()] == ["A Space of yours is no longer removed"]


@ON_ONE
async def test_what_changed_meanwhile_and_what_people_do_themselves_is_not_written(office: Office) -> None:
    carol = await office.person("carol")
    await office.decide(lambda acting: impose(acting, carol, Standing.LIMITED, reason="first"))
    await office.decide(lambda acting: impose(acting, carol, Standing.SUSPENDED, reason="second"))
    assert [one[0] for one in await office.read()] == ["Your account @carol was suspended"]
    await office.lift_all(carol)
    await office.read()
    await office.square.act(carol, Action.DEACTIVATE, lambda acting: impose(acting, carol, Standing.DEACTIVATED))
    assert await office.read() == []


@ON_ONE
async def test_of_an_end_that_was_changed_meanwhile_one_letter_comes(office: Office) -> None:
    carol = await office.person("carol")
    space = await office.square.act(
        carol, Action.OPEN_SPACE, lambda acting: spaces.create(acting, Draft(title="The Moot"), page_url="")
    )
    subject = Subject(Kind.SPACE, space.id)
    for until_ms in (4_102_444_800_000, None):
        await office.decide(partial(impose_on, subject=subject, standing=Standing.MUTED, until_ms=until_ms))
        await office.decide(partial(impose, account_id=carol, standing=Standing.SUSPENDED, until_ms=until_ms))
    letters = await office.read()
    assert sorted(subject for subject, _ in letters) == [
        "A Space of yours was muted",
        "Your account @carol was suspended",
    ]
    assert not any("until" in text for _, text in letters)


@ON_ONE
async def test_a_job_of_a_version_that_named_no_end_is_done(office: Office) -> None:
    carol = await office.person("carol")
    await office.decide(partial(impose, account_id=carol, standing=Standing.SUSPENDED))
    await office.put_down()

    async def older(tx: Write) -> None:
        payload = (await tx.connection.execute(select(jobs.c.payload))).scalar_one()
        del payload["until"]
        await tx.connection.execute(update(jobs).values(payload=payload))

    await office.square.database.write(older)
    assert [subject for subject, _ in await office.read()] == ["Your account @carol was suspended"]


@ON_ONE
async def test_nobody_reads_it_in_a_strangers_mailbox_or_in_the_jobs(office: Office) -> None:
    carol = await office.person("carol", confirmed=False)
    await office.decide(lambda acting: impose(acting, carol, Standing.SUSPENDED, reason=REASON))
    await office.put_down()
    async with office.square.database.read() as read:
        payloads = list((await read.connection.execute(select(jobs.c.payload))).scalars())
    assert len(payloads) == 1
    assert "canary" not in str(payloads)
    assert await office.read() == []


class Died(BaseException):
    """As SIGKILL: nothing after it runs."""


async def test_a_worker_that_is_killed_writes_no_second_letter(office: Office, tmp_path: Path) -> None:
    carol = await office.person("carol")
    await office.decide(lambda acting: impose(acting, carol, Standing.SUSPENDED, reason=REASON))

    async def write_and_die(event: Event) -> None:
        await have_written(office.square.gate, Outbox(is_open=True), "worker", event)
        if event.kind == STANDING_CHANGED:
            raise Died

    def dying() -> Follower:
        return Follower(
            office.square.database, "worker", write_and_die, doorbell=Doorbell(tmp_path), start="stored"
        )

    with pytest.raises(Died):
        await dying().step()
    await dying().step()
    async with office.square.database.read() as read:
        kinds = list((await read.connection.execute(select(jobs.c.kind))).scalars())
    assert kinds == [STANDING]
