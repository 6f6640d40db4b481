"""Anybody does anything at any time, and the list in `spaces/rules.py` stays true."""

from collections.abc import Iterator
from typing import get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace
from tests.spaces.rooms import HOST, NOW_MS, POOL, check_step

from folkmoot.spaces import commands as c
from folkmoot.spaces.invariants import invariants
from folkmoot.spaces.model import (
    HOLD_MS,
    AccountFacts,
    Audience,
    Draft,
    EndReason,
    Facts,
    Space,
    SpaceState,
    SpeakPolicy,
)
from folkmoot.spaces.refusals import Code, Refused
from folkmoot.spaces.rules import Outcome, apply, create, observe, permissions, resolve_audience

ACCOUNTS = st.sampled_from(POOL)
STRANGER = 999
WELCOME = AccountFacts(followed_by_host=True)


def commands_about(account: int) -> Iterator[c.Command]:
    """Every command there is, aimed at one account."""
    for kind in get_args(c.Command):
        if kind is c.Invite:
            for role in ("speaker", "co_host", "listener"):
                yield kind(account=str(account), role=role)
        elif issubclass(kind, c.AccountCommand):
            yield kind(account=str(account))
        elif kind is c.Pin:
            yield kind(post="7")
        elif kind is c.Edit:
            yield kind(title="Another title")
        elif kind in (c.Ask, c.Accept, c.Consent):
            yield kind(recording_consent=True)
            yield kind(recording_consent=False)
        else:
            yield kind()


# What ends a Space is a rule of its own below, or few evenings would get past their beginning.
ENDINGS = (c.End, c.Panic, c.Cancel, c.Stop)
COMMANDS = ACCOUNTS.flatmap(
    lambda account: st.sampled_from(
        [command for command in commands_about(account) if not isinstance(command, ENDINGS)]
    )
)


class Evening(RuleBasedStateMachine):
    space: Space

    @initialize(
        audience=st.sampled_from(Audience),
        policy=st.sampled_from(SpeakPolicy),
        recorded=st.booleans(),
        started=st.integers(0, 5),
    )
    def open(self, audience: Audience, policy: SpeakPolicy, recorded: bool, started: int) -> None:
        draft = Draft(title="The evening", audience=audience, speak_policy=policy, recorded=recorded)
        space = create(5, HOST, draft, NOW_MS)
        assert isinstance(space, Space)
        self.space = space
        self.now_ms = NOW_MS
        self.accounts = dict.fromkeys(POOL, WELCOME)
        self.suspended: set[int] = set()
        self.removed: set[int] = set()
        self.seats_seen: dict[int, int] = {}
        if started:
            self.give(HOST, c.Start())
            self.take(observe(self.space, c.SeatConnected(1), self.now_ms))

    @property
    def facts(self) -> Facts:
        return Facts(accounts={a: f for a, f in self.accounts.items() if a not in self.suspended})

    def give(self, actor: int, command: c.Command) -> None:
        before = self.space
        accepted = self.take(apply(self.space, actor, command, self.facts, self.now_ms))
        if accepted:
            assert actor not in self.removed
            assert actor not in self.suspended
        if accepted and isinstance(command, c.Remove):
            self.removed.add(command.account_id)
        if accepted and isinstance(command, c.LetBack):
            self.removed.discard(command.account_id)
        if not accepted:
            assert self.space is before

    def take(self, result: Outcome | Refused) -> bool:
        if isinstance(result, Refused):
            return False
        check_step(self.space, result)
        self.space = result.space
        return True

    # What people do

    @rule(actor=ACCOUNTS, command=COMMANDS)
    def anybody_does_anything(self, actor: int, command: c.Command) -> None:
        self.give(actor, command)

    @rule(command=COMMANDS)
    def the_host_does_anything(self, command: c.Command) -> None:
        self.give(self.space.host_id, command)

    @rule(command=COMMANDS, nth=st.integers(0, 15))
    def somebody_on_stage_does_anything(self, command: c.Command, nth: int) -> None:
        stage = self.space.stage
        if stage:
            self.give(stage[nth % len(stage)].account_id, command)

    @rule(consent=st.booleans(), agreeing=st.sets(ACCOUNTS, min_size=1))
    def a_crowd_comes_up(self, consent: bool, agreeing: set[int]) -> None:
        for account in sorted(agreeing):
            self.give(account, c.Ask(recording_consent=consent))
            self.give(self.space.host_id, c.LetUp(account=str(account)))
            self.give(account, c.Accept(recording_consent=True))

    @rule(account=ACCOUNTS)
    def a_co_host_is_made(self, account: int) -> None:
        self.give(self.space.host_id, c.Invite(account=str(account), role="co_host"))
        self.give(account, c.Accept(recording_consent=True))

    # What the machinery reports

    @rule(seat=st.integers(1, 40), lost=st.booleans())
    def a_connection_comes_or_goes(self, seat: int, lost: bool) -> None:
        observation = c.SeatLost(seat) if lost else c.SeatConnected(seat)
        held = self.space.seated(seat) is not None
        assert self.take(observe(self.space, observation, self.now_ms)) == held

    @rule()
    def everybody_connects(self) -> None:
        for member in self.space.stage:
            assert member.seat is not None
            self.take(observe(self.space, c.SeatConnected(member.seat), self.now_ms))

    @rule(milliseconds=st.integers(0, HOLD_MS + 1))
    def time_passes(self, milliseconds: int) -> None:
        self.now_ms += milliseconds
        assert self.take(observe(self.space, c.Tick(), self.now_ms))
        deadline_ms = self.space.next_deadline_ms
        assert deadline_ms is None or deadline_ms > self.now_ms

    @precondition(lambda self: self.space.hold_until_ms is not None)
    @rule()
    def nobody_comes_back(self) -> None:
        assert self.space.hold_until_ms is not None
        ended = observe(self.space, c.Tick(), self.space.hold_until_ms)
        assert isinstance(ended, Outcome)
        check_step(self.space, ended)
        assert (ended.space.state, ended.space.ended_reason) == (SpaceState.ENDED, EndReason.HOST_ABSENT)

    # What happens elsewhere

    @rule(account=ACCOUNTS)
    def suspended_or_lifted(self, account: int) -> None:
        if account in self.suspended:
            self.suspended.discard(account)
            return
        self.suspended.add(account)
        assert self.take(observe(self.space, c.StandingLost(account), self.now_ms))
        member = self.space.member(account)
        assert not member.on_stage
        if self.space.state is SpaceState.LIVE:
            assert not member.asking
            assert member.account_id == self.space.host_id or not member.role.commands

    @rule(account=ACCOUNTS, followed=st.booleans(), blocked=st.booleans())
    def follows_and_blocks(self, account: int, followed: bool, blocked: bool) -> None:
        blocked = blocked and account != self.space.host_id
        self.accounts[account] = AccountFacts(followed_by_host=followed, blocked=blocked)
        if blocked:
            assert self.take(observe(self.space, c.MemberBlocked(account), self.now_ms))
            assert self.space.state.terminal or account not in self.space.roster

    @precondition(lambda self: self.space.state is SpaceState.SCHEDULED)
    @rule(actor=ACCOUNTS, command=st.sampled_from([c.Start(), c.Start(), c.Cancel()]))
    def it_starts_or_not(self, actor: int, command: c.Command) -> None:
        self.give(actor, command)

    @rule(actor=ACCOUNTS, command=st.sampled_from([c.End(), c.Panic()]), mind=st.integers(0, 4))
    def somebody_would_end_it(self, actor: int, command: c.Command, mind: int) -> None:
        may = (
            self.space.state is SpaceState.LIVE
            and self.space.member(actor).role.commands
            and actor not in self.suspended
        )
        result = apply(self.space, actor, command, self.facts, self.now_ms)
        assert isinstance(result, Outcome) == may
        if mind == 0:
            self.take(result)

    # What is asked about it

    @rule(account=ACCOUNTS)
    def permissions_are_what_apply_does(self, account: int) -> None:
        allowed = permissions(self.space, account, self.facts, self.now_ms)
        accepted = self._accepted_tags(account, self.facts)
        assert accepted <= allowed
        presumed = replace(self.facts, others=WELCOME)
        if account in self.facts.accounts:
            assert allowed <= self._accepted_tags(account, presumed)
        else:
            assert allowed == set()

    def _accepted_tags(self, account: int, facts: Facts) -> set[str]:
        return {
            str(command.__struct_config__.tag)
            for target in (*POOL, STRANGER)
            for command in commands_about(target)
            if isinstance(apply(self.space, account, command, facts, self.now_ms), Outcome)
        }

    @invariant()
    def what_a_state_shows_holds(self) -> None:
        assert invariants(self.space) == []

    @invariant()
    def removed_stay_out(self) -> None:
        for account in self.removed:
            member = self.space.member(account)
            assert member.removed
            assert account not in self.space.roster
            assert not resolve_audience(self.space, account, WELCOME)
            everybody = Facts(accounts={}, others=WELCOME)
            refused = apply(self.space, account, c.Ask(), everybody, self.now_ms)
            assert isinstance(refused, Refused)
            assert refused.code in (Code.REMOVED, Code.ENDED, Code.CANCELLED)

    @invariant()
    def a_seat_is_one_persons_for_ever(self) -> None:
        for member in self.space.stage:
            assert member.seat is not None
            assert self.seats_seen.setdefault(member.seat, member.account_id) == member.account_id


TestEvening = Evening.TestCase
TestEvening.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
