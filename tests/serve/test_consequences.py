"""What an account lost shows in Spaces, told or not."""

import asyncio

import pytest
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.waiting import eventually

from folkmoot.gate import Acting, Action, Gate, Refused, Standing
from folkmoot.gate.actions import STANDING_CHANGED
from folkmoot.gate.model import audience_subject, member_subject
from folkmoot.gate.queries import counters
from folkmoot.serve.consequences import Consequences
from folkmoot.spaces import actions, queries
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import Draft, SpaceState
from folkmoot.storage.database import Database
from folkmoot.storage.events import Event


class Evening:
    """A live Space of `hana`, with `nils` on its stage."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.people = People(Gate(database))
        self.consequences = Consequences(self.people.gate, database)
        self.hana = self.nils = self.space_id = 0

    async def begin(self) -> "Evening":
        self.hana, self.nils = await self.people.create("hana"), await self.people.create("nils")

        async def open_space(acting: Acting) -> int:
            space = await actions.create(acting, Draft(title="Evening"), page_url="https://moot.example/s")
            await actions.command(acting, space.id, c.Start())
            return space.id

        self.space_id = await self.people.act(self.hana, Action.OPEN_SPACE, open_space)
        await self.come_up(self.nils)
        return self

    async def come_up(self, account_id: int) -> None:
        await self.command(account_id, c.Ask(recording_consent=True))
        await self.command(self.hana, c.LetUp(account=str(account_id)))

    async def command(self, account_id: int, order: c.Command) -> None:
        await self.people.act(
            account_id, Action.TAKE_PART, lambda acting: actions.command(acting, self.space_id, order)
        )

    async def on_stage(self) -> set[int]:
        async with self.database.read() as read:
            space = await queries.by_id(read, self.space_id)
        assert space is not None
        return {member.account_id for member in space.stage} if space.state is SpaceState.LIVE else set()

    async def counter(self, subject: str) -> int:
        async with self.database.read() as read:
            return (await counters(read, [subject]))[subject]


@pytest.fixture
async def evening(database: Database) -> Evening:
    return await Evening(database).begin()


async def test_without_an_event_the_sweep_takes_a_suspended_account_off_the_stage(evening: Evening) -> None:
    await evening.consequences.sweep()
    assert await evening.on_stage() == {evening.hana, evening.nils}
    await evening.people.put(evening.nils, Standing.SUSPENDED)
    await evening.consequences.sweep()
    assert await evening.on_stage() == {evening.hana}


async def test_what_was_raised_hours_before_the_start_is_seen_by_the_whole_sweep(evening: Evening) -> None:
    await evening.people.put(evening.hana, Standing.SUSPENDED)
    await evening.consequences.sweep_whole()
    assert evening.hana not in await evening.on_stage()


async def test_a_co_host_who_is_suspended_too_becomes_no_host(evening: Evening) -> None:
    await evening.command(evening.hana, c.MakeCoHost(account=str(evening.nils)))
    for account_id in (evening.hana, evening.nils):
        await evening.people.put(account_id, Standing.SUSPENDED)
    await evening.consequences.sweep()
    async with evening.database.read() as read:
        space = await queries.by_id(read, evening.space_id)
    assert space is not None
    assert (space.host_id, space.stage, space.notice) == (evening.hana, [], None)


async def test_after_events_that_nobody_keeps_a_block_and_an_unfollow_count(evening: Evening) -> None:
    await evening.people.block(evening.hana, evening.nils)
    assert evening.nils in await evening.on_stage()
    await evening.consequences.catch_up()
    assert await evening.on_stage() == {evening.hana}
    assert await evening.counter(member_subject(evening.space_id, evening.nils)) > 0
    assert await evening.counter(member_subject(evening.space_id, evening.hana)) == 0
    assert await evening.counter(audience_subject(evening.space_id)) == 1, "who listens is asked anew"


async def test_an_old_event_takes_nobody_off_who_was_let_back_in(evening: Evening) -> None:
    """The worker was down for an hour: somebody was suspended, let back in, and is on stage again."""
    await evening.people.put(evening.nils, Standing.SUSPENDED)
    await evening.people.put(evening.nils, Standing.ACTIVE)
    said = {"account": str(evening.nils), "before": "active", "after": "suspended"}
    await evening.consequences.on_event(Event(1, STANDING_CHANGED, said, 0, 0))
    assert await evening.on_stage() == {evening.hana, evening.nils}


async def test_what_was_opened_while_the_clock_was_ahead_ends_when_it_steps_back(database_url: str) -> None:
    clock = FakeClock()
    database = Database(database_url, clock_ms=clock)
    evening = await Evening(database).begin()
    await evening.people.put(evening.nils, Standing.SUSPENDED, clock() + 3_600_000)
    await evening.consequences.sweep()
    clock.advance_ms(86_400_000)
    await evening.consequences.sweep()
    async with database.read() as read:
        stamps = await evening.people.gate.stamps(read, await evening.people.viewer(evening.nils))
    await evening.come_up(evening.nils)
    clock.advance_ms(-86_400_000)
    await evening.consequences.sweep()
    assert await evening.on_stage() == {evening.hana}
    async with database.read() as read:
        with pytest.raises(Refused, match="has ended"):
            await evening.people.gate.check(read, stamps)
    await database.close()


async def test_a_database_that_is_away_ends_no_sweeping(evening: Evening, monkeypatch: pytest.MonkeyPatch) -> None:

    tries: list[int] = []

    async def away() -> None:
        tries.append(1)
        raise OSError("away")

    monkeypatch.setattr(evening.consequences, "sweep_whole", away)
    monkeypatch.setattr("folkmoot.serve.consequences.SWEEP_EVERY_S", 0.001)
    sweeping = asyncio.create_task(evening.consequences.keep_sweeping())
    await eventually(lambda: len(tries) > 2)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
