"""Sanctions that end at their time: told once, like a lift, and written about."""

from typing import Any

import pytest
from sqlalchemy import select, update
from tests.support.clock import FakeClock
from tests.support.mail import Readers
from tests.support.people import People

from folkmoot.gate import Action, Kind, Standing, Subject
from folkmoot.gate.actions import STANDING_CHANGED, SUBJECT_CHANGED, impose, impose_on, lift
from folkmoot.gate.queries import open_sanctions
from folkmoot.mail.outbox import Outbox
from folkmoot.moderation.ends import tell_ended
from folkmoot.moderation.notices import have_written
from folkmoot.spaces import actions as spaces
from folkmoot.spaces.model import Draft
from folkmoot.storage.database import Write
from folkmoot.storage.events import Event
from folkmoot.storage.tables.bus import events
from folkmoot.storage.tables.people import credentials

HOUR_MS = 3_600_000
BACK = {"before": "suspended", "after": "active", "until": "None"}


class Told:
    """What was announced since the last look."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._seen = 0

    async def __call__(self) -> list[Event]:
        async with self._people.gate.database.read() as read:
            rows = (await read.connection.execute(select(events).where(events.c.id > self._seen))).all()
        self._seen = max([self._seen, *(row.id for row in rows)])
        return [
            Event(row.id, row.kind, row.payload, row.at_ms, row.transaction_id)
            for row in rows
            if row.kind in (STANDING_CHANGED, SUBJECT_CHANGED)
        ]


@pytest.fixture
async def told(people: People) -> Told:
    await tell_ended(people.gate)
    return Told(people)


async def ended(people: People, told: Told) -> list[Any]:
    await told()
    await tell_ended(people.gate)
    return [event.payload for event in await told()]


async def test_an_end_is_told_once_and_a_lift_by_itself(people: People, told: Told, clock: FakeClock) -> None:
    ana, ben = await people.create("ana"), await people.create("ben")
    for one in (ana, ben):
        await people.put(one, Standing.SUSPENDED, until_ms=clock() + HOUR_MS)
    async with people.gate.database.read() as read:
        held = (await open_sanctions(read, [ben]))[ben]
    await people.system(lambda acting: lift(acting, ben, held))
    clock.advance_ms(HOUR_MS - 1)
    assert await ended(people, told) == []
    clock.advance_ms(1)
    assert await ended(people, told) == [{"account": str(ana), **BACK}]
    assert await ended(people, told) == []
    clock.advance_ms(-HOUR_MS)  # the clock is set back: it holds again, and ends a second time
    assert await ended(people, told) == []
    assert (await people.viewer(ana)).standing is Standing.SUSPENDED
    clock.advance_ms(2 * HOUR_MS)
    assert await ended(people, told) == [{"account": str(ana), **BACK}]
    assert await ended(people, told) == []


async def test_what_is_below_holds_then_and_is_what_is_told(people: People, told: Told, clock: FakeClock) -> None:
    ana, ben = await people.create("ana"), await people.create("ben")

    async def both(acting: Any) -> None:
        await impose(acting, ana, Standing.LIMITED, reason="rule 3")
        await impose(acting, ana, Standing.SUSPENDED, reason="rule 3", until_ms=clock() + HOUR_MS)
        await impose(acting, ben, Standing.SUSPENDED, reason="rule 3")
        await impose(acting, ben, Standing.LIMITED, reason="rule 3", until_ms=clock() + HOUR_MS)

    await people.system(both)
    clock.advance_ms(HOUR_MS)
    assert await ended(people, told) == [{**BACK, "account": str(ana), "after": "limited"}]


async def test_the_first_of_two_ends_is_none(people: People, told: Told, clock: FakeClock) -> None:
    ana = await people.create("ana")

    async def twice(acting: Any) -> None:
        for hours in (1, 2):
            until_ms = clock() + hours * HOUR_MS
            await impose(acting, ana, Standing.SUSPENDED, reason="rule 3", until_ms=until_ms)

    await people.system(twice)
    clock.advance_ms(HOUR_MS)
    assert await ended(people, told) == []
    clock.advance_ms(HOUR_MS)
    assert await ended(people, told) == [{"account": str(ana), **BACK}]


async def test_what_ended_before_anybody_looked_is_old(people: People, clock: FakeClock) -> None:
    ana = await people.create("ana")
    await people.put(ana, Standing.SUSPENDED, until_ms=clock() + HOUR_MS)
    clock.advance_ms(2 * HOUR_MS)
    assert await ended(people, Told(people)) == []


async def test_letters_say_that_one_is_back(people: People, told: Told, clock: FakeClock) -> None:
    ana = await people.create("ana")

    async def reachable(tx: Write) -> None:
        await tx.connection.execute(
            update(credentials).values(email="ana@mail.example", email_confirmed_at_ms=tx.now_ms)
        )

    database = people.gate.database
    await database.write(reachable)
    draft = Draft(title="The Moot")
    space = await people.act(ana, Action.OPEN_SPACE, lambda acting: spaces.create(acting, draft, page_url=""))
    until_ms = clock() + HOUR_MS
    subject = Subject(Kind.SPACE, space.id)
    await people.system(lambda acting: impose_on(acting, subject, Standing.MUTED, reason="loud", until_ms=until_ms))
    await people.put(ana, Standing.SUSPENDED, until_ms=until_ms)
    clock.advance_ms(HOUR_MS)
    await told()
    await tell_ended(people.gate)
    for event in await told():
        await have_written(people.gate, Outbox(is_open=True), "worker", event)
    letters = await Readers().read(database)
    assert sorted(letter.subject for letter in letters) == [
        "A Space of yours is no longer muted",
        "Your account @ana is no longer suspended",
    ]
    assert ("Sign in anew", "http://moot.test/sign-in") in [letter.link for letter in letters]
