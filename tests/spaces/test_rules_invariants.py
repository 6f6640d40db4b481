"""Anybody does anything at any time, and the list in `spaces/rules.py` stays true."""

from collections.abc import Iterator
from math import inf
from typing import Literal, get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace
from tests.spaces.rooms import HOST, NOW_MS, POOL, check_step

from folkmoot.spaces import commands as c
from folkmoot.spaces.invariants import invariants
from folkmoot.spaces.model import (
    FIRST_CONNECT_GRACE_MS,
    HOLD_MS,
    RECONNECT_GRACE_MS,
    AccountFacts,
    Audience,
    Draft,
    EndReason,
    Facts,
    Role,
    Space,
    SpaceState,
    SpeakPolicy,
)
from folkmoot.spaces.refusals import Code, Refused
from folkmoot.spaces.rules import Outcome, apply, create, observe, permissions, resolve_audience

ACCOUNTS = st.sampled_from(POOL)
STRANGER = 999
WELCOME = AccountFacts(followed_by_host=True)
TIME_MS = 45_000


def commands_about(account: int) -> Iterator[c.Command]:
    """Every command there is, aimed at one account."""
    for kind in get_args(c.Command):
        if kind is c.Invite:
            for role in ("speaker", "co_host", "listener"):
                yield kind(account=str(account), role=role)
        elif issubclass(kind, c.AccountCommand):
            yield kind(account=str(account))
            if kind in (c.Mute, c.Remove):
                yield kind(account=str(account), seconds=TIME_MS // 1000)
        elif kind is c.Pin:
            yield kind(post="7")
        elif kind is c.Edit:
            yield kind(title="Another title")
        elif kind in (c.Ask, c.Accept, c.Consent):
            yield kind(recording_consent=True)
            yield kind(recording_consent=False)
        else:
            yield kind()


ROLE_COMMANDS: list[type[c.MakeCoHost | c.UnmakeCoHost | c.HandOver]] = [
    c.MakeCoHost,
    c.MakeCoHost,
    c.UnmakeCoHost,
    c.HandOver,
]

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
        self.suspended_accounts: set[int] = set()
        self.removed_until: dict[int, float] = {}
        self.muted_until: dict[int, int] = {}
        self.seats_seen: dict[int, int] = {}
        if started:
            self.give(HOST, c.Start())
            self.take(observe(self.space, c.SeatConnected(1), self.now_ms))

    @property
    def facts(self) -> Facts:
        return Facts(accounts={a: f for a, f in self.accounts.items() if a not in self.suspended_accounts})

    def give(self, actor: int, command: c.Command) -> None:
        before = self.space
        accepted = self.take(apply(self.space, actor, command, self.facts, self.now_ms))
        if accepted:
            self._check_accepted(before, actor, command)
        if not accepted:
            assert self.space is before
            return
        if isinstance(command, c.Remove):
            end_ms = inf if command.seconds is None else self.now_ms + command.seconds * 1000
            self.removed_until[command.account_id] = end_ms
        elif isinstance(command, c.LetBack):
            del self.removed_until[command.account_id]
        elif isinstance(command, c.Mute) and command.seconds is not None:
            self.muted_until[command.account_id] = self.now_ms + command.seconds * 1000
        elif isinstance(command, c.LetSpeak | c.HandOver):
            self.muted_until.pop(command.account_id, None)
        elif isinstance(command, ENDINGS):
            self.muted_until.clear()

    @property
    def removed(self) -> set[int]:
        """By nobody's word but the hosts' and the clock."""
        return {account for account, until_ms in self.removed_until.items() if self.now_ms < until_ms}

    @property
    def muted(self) -> set[int]:
        return {account for account, until_ms in self.muted_until.items() if self.now_ms < until_ms}

    def _check_accepted(self, before: Space, actor: int, command: c.Command) -> None:
        """The policies, told a second time and in other words."""
        assert actor not in self.removed | self.suspended_accounts
        if isinstance(command, c.Ask | c.Accept):
            assert not self.accounts[actor].blocked
        if isinstance(command, c.Unmute):
            assert actor not in self.muted
        if isinstance(command, c.Invite | c.LetUp | c.MakeCoHost | c.HandOver):
            target = command.account_id
            assert target not in self.removed | self.suspended_accounts
            assert not self.accounts[target].blocked
        if isinstance(command, c.Ask | c.LetUp):
            asker = actor if isinstance(command, c.Ask) else command.account_id
            invited = before.member(asker).guest_as is Role.SPEAKER
            followed = self.accounts[asker].followed_by_host
            assert not before.locked
            assert invited or before.speak_policy is not SpeakPolicy.INVITED
            assert invited or followed or before.speak_policy is not SpeakPolicy.FOLLOWED

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

    @rule(kind=st.sampled_from(ROLE_COMMANDS), nth=st.integers(0, 15))
    def the_host_gives_and_takes_roles(
        self, kind: type[c.MakeCoHost | c.UnmakeCoHost | c.HandOver], nth: int
    ) -> None:
        roster = sorted(self.space.roster)
        self.give(self.space.host_id, kind(account=str(roster[nth % len(roster)])))

    @rule(asks=st.booleans(), accepts=st.booleans(), crowd=st.sets(ACCOUNTS, min_size=1), locked=st.integers(0, 4))
    def a_crowd_comes_up(self, asks: bool, accepts: bool, crowd: set[int], locked: int) -> None:
        for account in sorted(crowd):
            self.give(account, c.Ask(recording_consent=asks))
            self.give(self.space.host_id, c.Invite(account=str(account), role="listener"))
        if not locked:
            self.give(self.space.host_id, c.Lock())
        for account in sorted(crowd):
            self.give(self.space.host_id, c.LetUp(account=str(account)))
            self.give(account, c.Accept(recording_consent=accepts))
        self.give(self.space.host_id, c.Unlock())

    @rule(account=ACCOUNTS, role=st.sampled_from(["co_host", "speaker"]))
    def somebody_is_invited_up(self, account: int, role: Literal["co_host", "speaker"]) -> None:
        self.give(self.space.host_id, c.Invite(account=str(account), role=role))
        self.give(account, c.Accept(recording_consent=True))

    @rule(account=ACCOUNTS)
    def somebody_is_removed_and_tries_every_way(self, account: int) -> None:
        host = self.space.host_id
        self.give(host, c.Remove(account=str(account)))
        for command in commands_about(account):
            if not isinstance(command, ENDINGS):
                self.give(account, command)
        for command in (c.Invite(account=str(account)), c.LetUp(account=str(account))):
            self.give(host, command)
        for kind in ROLE_COMMANDS:
            self.give(host, kind(account=str(account)))

    @rule()
    def everybody_is_let_back(self) -> None:
        for account in sorted(self.removed):
            self.give(self.space.host_id, c.LetBack(account=str(account)))

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

    @rule(
        milliseconds=st.sampled_from(
            [0, 1, RECONNECT_GRACE_MS, RECONNECT_GRACE_MS, FIRST_CONNECT_GRACE_MS, HOLD_MS]
        )
    )
    def time_passes(self, milliseconds: int) -> None:
        self.now_ms += milliseconds
        assert self.take(observe(self.space, c.Tick(), self.now_ms))
        deadline_ms = self.space.next_deadline_ms
        assert deadline_ms is None or deadline_ms > self.now_ms

    @precondition(lambda self: self.space.state.terminal)
    @rule(command=COMMANDS, actor=ACCOUNTS)
    def it_is_over_and_another_begins(self, command: c.Command, actor: int) -> None:
        assert isinstance(apply(self.space, actor, command, self.facts, self.now_ms), Refused)
        space = self.space
        self.open(space.audience, space.speak_policy, space.recorded, 1)

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
    def suspended(self, account: int) -> None:
        self.suspended_accounts.add(account)
        host_id = self.space.host_id
        assert self.take(observe(self.space, c.StandingLost(account), self.now_ms))
        if self.space.host_id != host_id:
            self.muted_until.pop(self.space.host_id, None)  # nobody is above a host
        member = self.space.member(account)
        assert not member.on_stage
        if self.space.state is SpaceState.LIVE:
            assert not member.asking
            assert member.account_id == self.space.host_id or not member.role.commands

    @rule()
    def everybody_is_lifted(self) -> None:
        self.suspended_accounts.clear()

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
            and actor not in self.suspended_accounts
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
    def who_is_muted_for_a_time_is_heard_on_no_seat(self) -> None:
        for account in self.muted:
            member = self.space.member(account)
            assert member.muted_by is not None or not member.on_stage
            assert self.space.state.terminal or member.as_of(self.now_ms).muted_until_ms is not None

    @invariant()
    def a_seat_is_one_persons_for_ever(self) -> None:
        for member in self.space.stage:
            assert member.seat is not None
            assert self.seats_seen.setdefault(member.seat, member.account_id) == member.account_id


TestEvening = Evening.TestCase
TestEvening.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
pytestmark = pytest.mark.slow
