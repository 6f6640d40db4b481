"""The rules of a Space's life: a pure state machine. The time is an argument; nothing here reads or writes.

    create(...)                        a scheduled Space ("at once" is create, then apply Start)
    apply(space, actor, command, ...)  what a person asks for
    observe(space, observation, now)   what the machinery reports: connections, time, lost standings
    permissions(space, account, ...)   which commands would be accepted from somebody now
    resolve_audience(space, ...)       who may see and hear it

apply and observe return an `Outcome` (the new state and the changes that led there) or a `Refused`. What they keep
true, whatever comes in (`spaces/invariants.py` checks it, `tests/spaces/` hunts for exceptions):

 1. At most 13 are on stage; host and co-hosts have their places reserved while they have no seat.
 2. There is exactly one host and at most 2 co-hosts.
 3. A live Space always has somebody who can end it; while none of them is connected on stage a hold deadline is
    set, at which a Tick ends it. Otherwise no deadline is set.
 4. Who was removed has no role, seat, ask or invitation, may not listen, and comes back by no path until let back
    or until the time is over; who is muted for a time is heard on no seat until then.
 5. While the room is locked nobody comes on stage, except host and co-hosts who return to their places.
 6. At most 200 ask, at most 200 invitations are open, at most 2,000 are guests.
 7. Seat numbers only grow, no two people share one, nobody holds two, and none is given out twice.
 8. On a recorded stage everybody has agreed to the recording, anew for each stint.
 9. Only a live Space has seats, asks or a hold. An ended or cancelled Space changes no more, but for removals that
    run out.
10. A refusal changes nothing.
11. The changes are the whole difference between the two states.
12. Nobody is remembered about whom there is nothing to remember: raids don't make the state grow.

What others do. Writing the state and the changes in one transaction, raising the counters of `revoked_subjects`,
giving the stage its seats, and "one live Space for each host" are `actions.py`'s. The gate decides whether an
actor may act at all; `Facts` lists only accounts in good standing, so a name that isn't in it is refused.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from typing import Any

import msgspec
from msgspec.structs import replace

from folkmoot.spaces import commands as c
from folkmoot.spaces.changes import AnyChange
from folkmoot.spaces.listening import resolve_audience
from folkmoot.spaces.machine import door, life, observed, order
from folkmoot.spaces.machine.turn import Turn, require
from folkmoot.spaces.model import (
    AccountFacts,
    Audience,
    Draft,
    Facts,
    Member,
    Role,
    Space,
    SpaceState,
)
from folkmoot.spaces.refusals import SCHEDULE_DAYS_MAX, Code, RefusalError, Refused
from folkmoot.spaces.text import clean_language, clean_title, clean_topics

__all__ = ["Outcome", "apply", "create", "observe", "permissions", "resolve_audience"]

_DAY_MS = 86_400_000


class Outcome(msgspec.Struct, frozen=True):
    space: Space
    changes: tuple[AnyChange, ...] = ()


class By(Enum):
    """Who may give a command, as far as the role alone decides it."""

    ANYBODY = auto()
    ON_STAGE = auto()
    ON_STAGE_OR_COMMANDERS = auto()
    COMMANDERS = auto()
    HOST = auto()


class Rule(msgspec.Struct, frozen=True):
    """When and from whom a command is heard at all; the move makes the checks that are its own."""

    move: Callable[[Turn, Member, Any], None]
    states: frozenset[SpaceState]
    by: By


_BEFORE = frozenset({SpaceState.SCHEDULED})
_LIVE = frozenset({SpaceState.LIVE})
_OPEN = _BEFORE | _LIVE

RULES: dict[type[c.Command], Rule] = {
    c.Start: Rule(life.start, _BEFORE, By.COMMANDERS),
    c.End: Rule(life.end, _LIVE, By.COMMANDERS),
    c.Cancel: Rule(life.cancel, _BEFORE, By.HOST),
    c.Panic: Rule(life.panic, _LIVE, By.COMMANDERS),
    c.Ask: Rule(door.ask, _LIVE, By.ANYBODY),
    c.Unask: Rule(door.unask, _LIVE, By.ANYBODY),
    c.Invite: Rule(door.invite, _OPEN, By.COMMANDERS),
    c.Uninvite: Rule(door.uninvite, _OPEN, By.COMMANDERS),
    c.Accept: Rule(door.accept, _OPEN, By.ANYBODY),
    c.Decline: Rule(door.decline, _OPEN, By.ANYBODY),
    c.LetUp: Rule(door.let_up, _LIVE, By.COMMANDERS),
    c.StepDown: Rule(door.step_down, _LIVE, By.ON_STAGE),
    c.Mute: Rule(order.mute, _LIVE, By.ON_STAGE_OR_COMMANDERS),
    c.LetSpeak: Rule(order.let_speak, _LIVE, By.COMMANDERS),
    c.Unmute: Rule(order.unmute, _LIVE, By.ON_STAGE),
    c.MuteAll: Rule(order.mute_all, _LIVE, By.COMMANDERS),
    c.Remove: Rule(order.remove, _OPEN, By.COMMANDERS),
    c.LetBack: Rule(order.let_back, _OPEN, By.COMMANDERS),
    c.Lock: Rule(order.lock, _LIVE, By.COMMANDERS),
    c.Unlock: Rule(order.unlock, _LIVE, By.COMMANDERS),
    c.MakeCoHost: Rule(life.make_co_host, _LIVE, By.HOST),
    c.UnmakeCoHost: Rule(life.unmake_co_host, _OPEN, By.COMMANDERS),
    c.HandOver: Rule(life.hand_over, _OPEN, By.HOST),
    c.Pin: Rule(life.pin, _OPEN, By.COMMANDERS),
    c.Unpin: Rule(life.unpin, _OPEN, By.COMMANDERS),
    c.Edit: Rule(life.edit, _OPEN, By.COMMANDERS),
    c.Consent: Rule(door.consent, _OPEN, By.ANYBODY),
}

_OBSERVED: dict[type[c.Observation], Callable[[Turn, Any], None]] = {
    c.SeatConnected: observed.seat_connected,
    c.SeatLost: observed.seat_lost,
    c.Tick: observed.tick,
    c.StandingLost: observed.standing_lost,
    c.MemberBlocked: observed.member_blocked,
    c.Stop: observed.stop,
}


def create(space_id: int, creator_id: int, draft: Draft, now_ms: int) -> Space | Refused:
    """A scheduled Space from what its creator, its first host, wrote."""
    try:
        return Space(
            id=space_id,
            title=clean_title(draft.title),
            topics=clean_topics(draft.topics),
            language=clean_language(draft.language),
            creator_id=creator_id,
            host_id=creator_id,
            audience=draft.audience,
            speak_policy=draft.speak_policy,
            recorded=draft.audience is Audience.PUBLIC if draft.recorded is None else draft.recorded,
            created_at_ms=now_ms,
            scheduled_at_ms=_checked_schedule(draft.scheduled_at_ms, now_ms),
            members={creator_id: Member(account_id=creator_id, role=Role.HOST)},
        )
    except RefusalError as error:
        return error.refused


def _checked_schedule(at_ms: int | None, now_ms: int) -> int | None:
    if at_ms is not None:
        require(at_ms > now_ms, Code.SCHEDULE_PAST)
        require(at_ms <= now_ms + SCHEDULE_DAYS_MAX * _DAY_MS, Code.SCHEDULE_TOO_FAR)
    return at_ms


def apply(space: Space, actor: int, command: c.Command, facts: Facts, now_ms: int) -> Outcome | Refused:
    """What comes of a command that an account gives. `facts` must speak of the actor and of whom the command
    names."""
    turn = Turn(space, facts, now_ms)
    turn.let_time_pass()
    try:
        member = _heard_actor(turn, actor)
        rule = RULES[type(command)]
        _require_heard(turn.space, member, rule)
        rule.move(turn, member, command)
    except RefusalError as error:
        return error.refused
    turn.settle()
    return Outcome(turn.space, tuple(turn.changes))


def observe(space: Space, observation: c.Observation, now_ms: int) -> Outcome | Refused:
    """What comes of something the program itself noticed. Repeated and late reports are harmless: they change
    nothing, or are refused with `no_such_seat`."""
    turn = Turn(space, Facts(accounts={}), now_ms)
    try:
        _OBSERVED[type(observation)](turn, observation)
    except RefusalError as error:
        return error.refused
    turn.settle()
    return Outcome(turn.space, tuple(turn.changes))


def _heard_actor(turn: Turn, actor: int) -> Member:
    turn.facts_about(actor)
    require(turn.space.state is not SpaceState.ENDED, Code.ENDED)
    require(turn.space.state is not SpaceState.CANCELLED, Code.CANCELLED)
    member = turn.space.member(actor)
    require(not member.removed, Code.REMOVED)
    return member


def _require_heard(space: Space, actor: Member, rule: Rule) -> None:
    if space.state not in rule.states:
        raise RefusalError(Code.NOT_LIVE if space.state is SpaceState.SCHEDULED else Code.ALREADY_STARTED)
    if rule.by is By.ON_STAGE:
        require(actor.on_stage, Code.NOT_ON_STAGE)
    elif rule.by is By.ON_STAGE_OR_COMMANDERS:
        require(actor.on_stage or actor.role.commands, Code.NOT_ON_STAGE)
    elif rule.by is By.COMMANDERS:
        require(actor.role.commands, Code.NOT_HOST_OR_CO_HOST)
    elif rule.by is By.HOST:
        require(actor.role is Role.HOST, Code.NOT_HOST)


_ANYBODY_ELSE = c.ID_MAX
"""Stands for an account that the Space knows nothing about. No maker of ids makes it."""


def permissions(space: Space, account: int, facts: Facts, now_ms: int) -> frozenset[str]:
    """The commands ("do" tags) that would be accepted from this account now: for some target and some content where
    there is one to choose. Found by trying them, so it can't differ from `apply`.

    `facts` has to speak of the account; others that it doesn't speak of are presumed welcome.
    """
    space = space.as_of(now_ms)
    turn = Turn(space, facts, now_ms)
    try:
        member = _heard_actor(turn, account)
    except RefusalError:
        return frozenset()
    presumed = replace(facts, others=AccountFacts(followed_by_host=True))
    targets = (_ANYBODY_ELSE, *_representatives(space, account, presumed, now_ms))
    return frozenset(
        str(kind.__struct_config__.tag)
        for kind, rule in RULES.items()
        if _any_accepted(space, member, rule, _samples(kind, space, targets), presumed, now_ms)
    )


def _representatives(space: Space, actor: int, facts: Facts, now_ms: int) -> Iterable[int]:
    """One of each kind of member: hundreds who ask or are invited need not be tried one by one."""
    kinds = {
        (
            member.account_id == actor,
            facts.about(member.account_id),
            replace(
                member,
                account_id=0,
                seat=member.seat and 1,
                asking_since_ms=member.asking_since_ms and 1,
                consented_at_ms=member.consented_at_ms and 1,
                grace_until_ms=member.grace_until_ms and 1,
                removed_until_ms=None,
                had_asked=False,
                muted_until_ms=member.muted_until_ms and now_ms + 1,
            ),
        ): member.account_id
        for member in space.members.values()
    }
    return kinds.values()


def _any_accepted(
    space: Space, actor: Member, rule: Rule, samples: Iterable[c.Command], facts: Facts, now_ms: int
) -> bool:
    try:
        _require_heard(space, actor, rule)
    except RefusalError:
        return False
    for command in samples:
        try:
            rule.move(Turn(space, facts, now_ms), actor, command)
        except RefusalError:
            continue
        return True
    return False


def _samples(kind: type[c.Command], space: Space, targets: Iterable[int]) -> Iterator[c.Command]:
    """Commands of a kind such that, if any would be accepted, one of these would."""
    if issubclass(kind, c.AccountCommand):
        for target in targets:
            yield kind(account=str(target))
            if issubclass(kind, c.Invite):
                yield kind(account=str(target), role="listener")
            elif issubclass(kind, c.Mute):
                yield kind(account=str(target), seconds=1)
    elif issubclass(kind, c.Pin):
        yield kind(post="1")
    elif issubclass(kind, c.Edit):
        yield kind(title=space.title)
    elif issubclass(kind, c.Ask | c.Accept | c.Consent):
        yield kind(recording_consent=True)
    else:
        yield kind()
