"""For any sequence of sanctions and lifts over accounts, Spaces, clips, programs and hosts, what anybody can do or
see is what the tables say of what is in force now: nothing else remembers."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import insert, update
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.accounts.oauth import actions as oauth
from folkmoot.accounts.oauth.model import Application, NewApplication
from folkmoot.gate import ANONYMOUS, Acting, Action, Facts, Gate, Kind, Refused, Standing, Subject, subjects
from folkmoot.gate.actions import impose_on, lift_from
from folkmoot.gate.hosts import and_above
from folkmoot.gate.queries import standings_of
from folkmoot.gate.standings import ENDING, STRICTEST_FIRST, TABLES, Shown
from folkmoot.spaces import actions as spaces
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import Draft
from folkmoot.storage.database import Database
from folkmoot.storage.tables.people import accounts
from folkmoot.storage.tables.spaces import clips

Result = TypeVar("Result")
HOSTS = ("bad.example", "good.bad.example", "example")
THEIR_HOST = "a.good.bad.example"
LASTS_MS = st.none() | st.integers(1, 8)
DECISIONS = st.sampled_from(
    [
        (kind, standing)
        for kind in (Kind.ACCOUNT, Kind.SPACE, Kind.CLIP, Kind.APPLICATION, Kind.HOST)
        for standing in TABLES[kind]
        if standing is not Standing.DEACTIVATED and (standing is not Standing.ACTIVE or kind is Kind.HOST)
    ]
)


class Cut(msgspec.Struct, frozen=True):
    """A clip as a thing to be seen: its maker's, and its Space's."""

    owner_id: int
    clip_id: int
    space_id: int

    def gate_facts(self) -> Facts:
        about = (Subject(Kind.CLIP, self.clip_id), Subject(Kind.SPACE, self.space_id))
        return Facts((self.owner_id,), subjects=about)


class Decided(msgspec.Struct):
    """What the model remembers of a decision: nothing but this says what anybody can do."""

    subject: Subject
    standing: Standing
    until_ms: int | None
    lifted: bool = False


class Square(RuleBasedStateMachine):
    """A host with a Space, a clip of it, a program, somebody of another network; the clock goes both ways."""

    def __init__(self, runner: asyncio.Runner, people: People, clock: FakeClock) -> None:
        super().__init__()
        self.runner, self.people, self.clock, self.gate = runner, people, clock, people.gate
        self.decided: list[Decided] = []

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    @initialize()
    def there_is_something_to_decide_about(self) -> None:
        self.run(self._make(self.gate.database.ids.next()))

    async def _make(self, number: int) -> None:
        self.host_id = await self.people.create(f"h{number}")
        self.away_id = await self.people.create(f"a{number}")
        new = NewApplication(f"Program {number}", None, ("https://client.example/back",), "read")
        self.program, _ = await self.people.system(lambda acting: oauth.register(acting, new))
        space = await self.people.act(
            self.host_id,
            Action.OPEN_SPACE,
            lambda acting: spaces.create(acting, Draft(title="Tonight"), page_url="https://moot.example/spaces"),
        )
        self.space_id = space.id
        self.clip_id = await self.people.system(self._cut)
        # Each example has hosts of its own: what is decided about them stays in the database.
        self.away_host = f"{THEIR_HOST}.t{number}"
        self.subjects = {
            Kind.ACCOUNT: [Subject(Kind.ACCOUNT, self.host_id), Subject(Kind.ACCOUNT, self.away_id)],
            Kind.SPACE: [Subject(Kind.SPACE, self.space_id)],
            Kind.CLIP: [Subject(Kind.CLIP, self.clip_id)],
            Kind.APPLICATION: [Subject(Kind.APPLICATION, self.program.id)],
            Kind.HOST: [Subject(Kind.HOST, f"{host}.t{number}") for host in HOSTS],
        }
        await self.people.system(self._send_away)

    async def _cut(self, acting: Acting) -> int:
        clip_id = acting.tx.new_id()
        values = {"id": clip_id, "space_id": self.space_id, "account_id": self.host_id}
        await acting.tx.connection.execute(insert(clips).values(**values, start_ms=0, end_ms=1, created_at_ms=0))
        return clip_id

    async def _send_away(self, acting: Acting) -> None:
        of_another = update(accounts).where(accounts.c.id == self.away_id).values(host=self.away_host)
        await acting.tx.connection.execute(of_another)

    @rule(decision=DECISIONS, which=st.integers(0, 2), lasts_ms=LASTS_MS)
    def moderators_decide(self, decision: tuple[Kind, Standing], which: int, lasts_ms: int | None) -> None:
        kind, standing = decision
        subject = self.subjects[kind][which % len(self.subjects[kind])]
        until_ms = self.clock() + lasts_ms if lasts_ms is not None and standing in ENDING[kind] else None
        new = Decided(subject, standing, until_ms)
        again = any(one == new and self._in_force(one) for one in self.decided)
        self.run(self.people.system(lambda acting: impose_on(acting, subject, standing, until_ms=until_ms)))
        if not again:
            self.decided.append(new)

    @rule(kind=st.sampled_from([kind for kind in Kind if kind is not Kind.MEMBER]), which=st.integers(0, 2))
    def moderators_lift(self, kind: Kind, which: int) -> None:
        subject = self.subjects[kind][which % len(self.subjects[kind])]

        async def work(acting: Acting) -> None:
            await lift_from(acting, subject, (await subjects.open_of(acting.tx, [subject]))[subject])

        self.run(self.people.system(work))
        for one in self.decided:
            one.lifted = one.lifted or one.subject == subject

    @rule(by_ms=st.integers(-6, 6))
    def the_clock_jumps(self, by_ms: int) -> None:
        self.clock.advance_ms(by_ms)

    def _in_force(self, one: Decided) -> bool:
        return not one.lifted and (one.until_ms is None or self.clock() < one.until_ms)

    def _about(self, subject: Subject) -> list[Standing]:
        return [one.standing for one in self.decided if one.subject == subject and self._in_force(one)]

    def standing(self, subject: Subject) -> Standing:
        return min([*self._about(subject), Standing.ACTIVE], key=STRICTEST_FIRST.index)

    @property
    def away_standing(self) -> Standing:
        """Of somebody of another network: their own, or their host's by the narrowest name decided about."""
        of_host = Standing.ACTIVE
        for name in and_above(self.away_host):
            if about := self._about(Subject(Kind.HOST, name)):
                of_host = min(about, key=STRICTEST_FIRST.index)
                break
        own = self.standing(Subject(Kind.ACCOUNT, self.away_id))
        return min(own, of_host, key=STRICTEST_FIRST.index)

    @invariant()
    def accounts_stand_as_they_and_their_hosts_do(self) -> None:
        held = self.run(self._standings())
        own = self.standing(Subject(Kind.ACCOUNT, self.host_id))
        assert held == {self.host_id: own, self.away_id: self.away_standing}

    @invariant()
    def the_space_keeps_what_the_table_leaves_it(self) -> None:
        subject = Subject(Kind.SPACE, self.space_id)
        for action in Action:
            kept = action in TABLES[Kind.SPACE][self.standing(subject)].actions
            assert self.run(self._keeps(subject, action)) == kept

    @invariant()
    def its_host_steers_it_where_both_may(self) -> None:
        mine = TABLES[Kind.ACCOUNT][self.standing(Subject(Kind.ACCOUNT, self.host_id))].actions
        its = TABLES[Kind.SPACE][self.standing(Subject(Kind.SPACE, self.space_id))].actions
        assert self.run(self._edits()) == (Action.TAKE_PART in mine & its)

    @invariant()
    def the_clip_is_seen_where_it_and_its_space_and_its_maker_are(self) -> None:
        behind = [(Kind.CLIP, self.clip_id), (Kind.SPACE, self.space_id), (Kind.ACCOUNT, self.host_id)]
        shown = [TABLES[kind][self.standing(Subject(kind, id_))].shown for kind, id_ in behind]
        assert self.run(self._sees()) == all(one is Shown.EVERYONE for one in shown)

    @invariant()
    def the_program_gets_tokens_where_it_may(self) -> None:
        kept = TABLES[Kind.APPLICATION][self.standing(Subject(Kind.APPLICATION, self.program.id))].actions
        assert self.run(self._gets_a_token(self.program)) == (Action.AUTHORIZE in kept)

    @invariant()
    def other_networks_are_dealt_with_as_the_narrowest_name_says(self) -> None:
        for subject in self.subjects[Kind.HOST]:
            above = [Subject(Kind.HOST, name) for name in and_above(str(subject.id))]
            about = next((found for one in above if (found := self._about(one))), [Standing.ACTIVE])
            standing = min(about, key=STRICTEST_FIRST.index)
            kept = Action.READ in TABLES[Kind.HOST][standing].actions
            assert self.run(self._deals_with(f"{subject.id}.".upper())) == (standing if kept else None)

    async def _standings(self) -> dict[int, Standing]:
        async with self.gate.database.read() as read:
            return await standings_of(read, [self.host_id, self.away_id])

    async def _keeps(self, subject: Subject, action: Action) -> bool:
        async with self.gate.database.read() as read:
            return await _goes(subjects.require(read, subject, action))

    async def _edits(self) -> bool:
        order = c.Edit(title="Tonight")
        return await _goes(self._command(order))

    async def _command(self, order: c.Command) -> None:
        await self.people.act(
            self.host_id, Action.TAKE_PART, lambda acting: spaces.command(acting, self.space_id, order)
        )

    async def _sees(self) -> bool:
        async with self.gate.database.read() as read:
            cut = Cut(self.host_id, self.clip_id, self.space_id)
            return bool(await self.gate.admit(read, ANONYMOUS, [cut]))

    async def _gets_a_token(self, program: Application) -> bool:
        """And what it got opens something."""
        granted = None

        async def grant(acting: Acting) -> None:
            nonlocal granted
            granted = await oauth.grant_to_application(acting, program, "read")

        if not await _goes(self.people.system(grant)):
            return False
        assert granted is not None
        await self.gate.identify(granted.access_token)
        return True

    async def _deals_with(self, host: str) -> Standing | None:
        async with self.gate.database.read() as read:
            try:
                return (await self.gate.contact(read, host)).standing
            except Refused:
                return None


async def _goes(work: Coroutine[Any, Any, object]) -> bool:
    try:
        await work
    except Refused:
        return False
    return True


def test_what_anybody_can_do_is_what_the_tables_say_now(database_url: str) -> None:
    clock = FakeClock()
    with asyncio.Runner() as runner:
        database = Database(database_url, clock_ms=clock)
        people = People(Gate(database))

        class Tonight(Square):
            def __init__(self) -> None:
                super().__init__(runner, people, clock)

        run_state_machine_as_test(Tonight, settings=settings(max_examples=5, stateful_step_count=8, deadline=None))
        runner.run(database.close())
