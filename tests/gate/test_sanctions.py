"""For any sequence of sanctions and lifts, what a person can do is what the table says for the standing of now."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.gate import ANONYMOUS, Acting, Action, Facts, Gate, Permit, Refused, Role, Standing, Viewer
from folkmoot.gate.actions import impose, lift, revoke
from folkmoot.gate.model import Sanction, token_subject
from folkmoot.gate.queries import open_sanctions, sanctions_of
from folkmoot.gate.standings import STRICTEST_FIRST, TABLE, Shown
from folkmoot.storage.database import Database

Result = TypeVar("Result")
DECIDED = st.sampled_from([one for one in TABLE if one not in (Standing.ACTIVE, Standing.DEACTIVATED)])
LASTS_MS = st.none() | st.integers(1, 8)


class Card(msgspec.Struct, frozen=True):
    """Something that an account published."""

    owner_id: int

    def gate_facts(self) -> Facts:
        return Facts((self.owner_id,))


class Decided(msgspec.Struct):
    """What the model remembers of a sanction: nothing but this says what a person can do."""

    standing: Standing
    until_ms: int | None
    lifted: bool = False


class Sanctioned(RuleBasedStateMachine):
    """A person, two moderators and the system; the clock goes forwards and back."""

    def __init__(self, runner: asyncio.Runner, people: People, clock: FakeClock, role: Role) -> None:
        super().__init__()
        self.runner, self.people, self.clock, self.role = runner, people, clock, role
        self.gate = people.gate
        self.decided: list[Decided] = []
        self.good: list[str] = []
        self.made_suspended: set[str] = set()
        self.dead: list[str] = []
        self.permits: list[tuple[str, Permit]] = []

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    @initialize()
    def somebody_signs_up(self) -> None:
        number = self.gate.database.ids.next()
        self.account_id = self.run(self.people.create(f"p{number}", self.role))
        self.deciders = [self.run(self.people.create(f"m{i}_{number}", Role.OWNER)) for i in range(2)]
        self.sign_in()

    @rule(by=st.sampled_from([0, 1, None]), standing=DECIDED, lasts_ms=LASTS_MS)
    def is_sanctioned(self, by: int | None, standing: Standing, lasts_ms: int | None) -> None:
        until_ms = None if lasts_ms is None else self.clock() + lasts_ms
        ends = standing in (Standing.LIMITED, Standing.SUSPENDED)
        decision = self._decide(by, lambda acting: impose(acting, self.account_id, standing, until_ms=until_ms))
        if until_ms is not None and not ends:
            with pytest.raises(Refused, match="leave the end out"):
                self.run(decision)
            return
        self.run(decision)
        self._impose(Decided(standing, until_ms))

    @rule(by=st.sampled_from([0, 1, None]), data=st.data())
    def has_some_lifted(self, by: int | None, data: st.DataObject) -> None:
        kind = data.draw(DECIDED)

        async def work(acting: Acting) -> None:
            held = (await open_sanctions(acting.tx, [self.account_id]))[self.account_id]
            await lift(acting, self.account_id, [one for one in held if one.standing is kind])

        self.run(self._decide(by, work))
        self._lift(kind)

    @rule()
    def deactivates(self) -> None:
        may = Action.DEACTIVATE in self.kept
        assert self.run(self._by_oneself(Action.DEACTIVATE, self._deactivate)) == may
        if may:
            self._impose(Decided(Standing.DEACTIVATED, None))

    @rule()
    def comes_back(self) -> None:
        may = Action.COME_BACK in self.kept
        assert self.run(self._by_oneself(Action.COME_BACK, self._come_back)) == may
        if may:
            self._lift(Standing.DEACTIVATED)

    @rule(by_ms=st.integers(-6, 6))
    def the_clock_jumps(self, by_ms: int) -> None:
        self.clock.advance_ms(by_ms)

    @rule()
    def sign_in(self) -> None:
        token = self.run(self.people.token(self.account_id))
        viewer = self.run(self.gate.identify(token))
        self.permits += [(token, self.gate.permit(viewer, action)) for action in self.kept]
        self.good.append(token)
        if self.standing is Standing.SUSPENDED:
            self.made_suspended.add(token)

    @rule()
    def gives_a_token_back(self) -> None:
        if self.good and not self._is_outgrown(self.good[-1]):
            self.dead.append(self.good.pop())
            viewer = self.run(self.gate.identify(self.dead[-1]))
            self.run(self.people.system(lambda acting: revoke(acting, token_subject(viewer.token_id or 0))))

    @property
    def in_force(self) -> list[Standing]:
        now_ms = self.clock()
        return [
            one.standing
            for one in self.decided
            if not one.lifted and (one.until_ms is None or now_ms < one.until_ms)
        ]

    @property
    def standing(self) -> Standing:
        return min([*self.in_force, Standing.ACTIVE], key=STRICTEST_FIRST.index)

    @property
    def kept(self) -> frozenset[Action]:
        kept = TABLE[self.standing].actions
        return kept - {Action.MODERATE} if self.role is Role.MEMBER else kept

    @invariant()
    def old_credentials_open_nothing(self) -> None:
        for token in self.dead:
            assert self.run(self._identified(token)) is None

    @invariant()
    def what_one_can_do_is_what_the_table_says(self) -> None:
        for token in self.good:
            viewer = self.run(self._identified(token))
            if self._is_outgrown(token):
                assert viewer is None
                continue
            assert viewer is not None
            assert viewer.standing is self.standing
            assert {action for action in Action if self._permits(viewer, action)} == self.kept
            assert self.run(self._sees_itself(viewer)) == (Action.READ in self.kept)

    @invariant()
    def a_permit_from_before_is_worth_no_more(self) -> None:
        for token, permit in self.permits[-3:]:
            good = token in self.good and permit.action in self.kept
            assert self.run(self._acts(permit)) == good

    @invariant()
    def what_it_published_is_seen_as_the_table_says(self) -> None:
        assert self.run(self._sees_itself(ANONYMOUS)) == (TABLE[self.standing].shown is Shown.EVERYONE)

    @invariant()
    def the_history_is_whole(self) -> None:
        history = self.run(self._history())
        assert [(one.standing, one.until_ms, one.lifted_at_ms is not None) for one in reversed(history)] == [
            (one.standing, one.until_ms, one.lifted) for one in self.decided
        ]

    def _impose(self, new: Decided) -> None:
        again = any(one == new and one.standing in self.in_force for one in self.decided)
        # By the same person it is one decision, by another it is another: what is written down says which.
        if again and len(self.run(self._history())) == len(self.decided):
            return
        before, stood = self.kept, self.standing
        self.decided.append(new)
        is_suspended_now = self.standing is Standing.SUSPENDED is not stood
        if before - self.kept or is_suspended_now:
            self.dead += self.good
            self.good = []

    def _is_outgrown(self, token: str) -> bool:
        """Made in the room of the suspended, whose door is open again: one signs in anew."""
        return token in self.made_suspended and Action.READ in self.kept

    def _lift(self, kind: Standing) -> None:
        for one in self.decided:
            one.lifted = one.lifted or one.standing is kind

    async def _decide(self, by: int | None, work: Any) -> None:
        if by is None:
            await self.people.system(work)
        else:
            await self.people.act(self.deciders[by], Action.MODERATE, work)

    async def _by_oneself(self, action: Action, work: Any) -> bool:
        viewer = await self.gate.identify(await self.people.token(self.account_id))
        try:
            await self.gate.act(self.gate.permit(viewer, action), work)
        except Refused:
            return False
        return True

    async def _deactivate(self, acting: Acting) -> None:
        await impose(acting, self.account_id, Standing.DEACTIVATED)

    async def _come_back(self, acting: Acting) -> None:
        held = (await open_sanctions(acting.tx, [self.account_id]))[self.account_id]
        await lift(acting, self.account_id, [one for one in held if one.standing is Standing.DEACTIVATED])

    async def _history(self) -> list[Sanction]:
        async with self.gate.database.read() as read:
            return await sanctions_of(read, self.account_id)

    async def _identified(self, token: str) -> Viewer | None:
        try:
            return await self.gate.identify(token)
        except Refused:
            return None

    async def _sees_itself(self, viewer: Viewer) -> bool:
        async with self.gate.database.read() as read:
            return bool(await self.gate.admit(read, viewer, [Card(self.account_id)]))

    def _permits(self, viewer: Viewer, action: Action) -> bool:
        try:
            self.gate.permit(viewer, action)
        except Refused:
            return False
        return True

    async def _acts(self, permit: Permit) -> bool:
        async def nothing(acting: Acting) -> None:
            assert acting.viewer.standing is self.standing

        try:
            await self.gate.act(permit, nothing)
        except Refused:
            return False
        return True


def test_what_a_person_can_do_is_what_the_table_says_now(database_url: str) -> None:
    clock = FakeClock()
    with asyncio.Runner() as runner:
        database = Database(database_url, clock_ms=clock)
        people = People(Gate(database))
        for role in (Role.MEMBER, Role.MODERATOR):

            class Somebody(Sanctioned):
                def __init__(self, role: Role = role) -> None:
                    super().__init__(runner, people, clock, role)

            run_state_machine_as_test(
                Somebody, settings=settings(max_examples=10, stateful_step_count=10, deadline=None)
            )
        runner.run(database.close())
