"""One command on its way through the rules, and the moves that several commands share."""

from folkmoot.gate.model import Action
from folkmoot.spaces.changes import AnyChange
from folkmoot.spaces.changes.life import Ended, HoldEnded, HoldStarted, RosterChanged
from folkmoot.spaces.changes.people import LetBackIn, SilenceEnded
from folkmoot.spaces.changes.seats import Muted, SeatTaken, SeatVacated, VacatedBecause
from folkmoot.spaces.listening import resolve_audience
from folkmoot.spaces.model import (
    FIRST_CONNECT_GRACE_MS,
    HOLD_MS,
    STAGE_PLACES_MAX,
    AccountFacts,
    EndReason,
    Facts,
    Member,
    MutedBy,
    Role,
    Space,
    SpaceState,
    SpeakPolicy,
)
from folkmoot.spaces.refusals import Code, RefusalError


class Turn:
    """Holds the state so far and what was said to have happened. Short-lived and private to one call: seen from
    outside the rules are a function. A handler checks first and says afterwards; a refusal drops the turn."""

    def __init__(self, space: Space, facts: Facts, now_ms: int) -> None:
        self.before = space
        self.space = space
        self.facts = facts
        self.now_ms = now_ms
        self.changes: list[AnyChange] = []

    def say(self, change: AnyChange) -> None:
        self.space = change.onto(self.space)
        self.changes.append(change)

    def facts_about(self, account_id: int) -> AccountFacts:
        facts = self.facts.about(account_id)
        if facts is None:
            raise RefusalError(Code.NO_SUCH_ACCOUNT)
        return facts

    def take_seat(self, account_id: int, role: Role) -> None:
        seat = self.space.next_seat
        connect_by_ms = self.now_ms + FIRST_CONNECT_GRACE_MS
        self.say(SeatTaken(account_id=account_id, seat=seat, role=role, connect_by_ms=connect_by_ms))
        if not self.space.member(account_id).keeps(Action.SPEAK):
            self.say(Muted(account_id=account_id, seat=seat, by=MutedBy.HOST))

    def vacate(self, member: Member, reason: VacatedBecause) -> None:
        if member.seat is not None:
            self.say(SeatVacated(account_id=member.account_id, seat=member.seat, reason=reason))

    def let_time_pass(self) -> None:
        """Whoever was muted or removed for a time that is over is so no more."""
        for member in list(self.space.members.values()):
            now = member.as_of(self.now_ms)
            if member.removed and not now.removed:
                self.say(LetBackIn(account_id=member.account_id, by=None))
            if member.muted_until_ms is not None and now.muted_until_ms is None:
                self.say(SilenceEnded(account_id=member.account_id, by=None))

    def end(self, reason: EndReason) -> None:
        for member in self.space.stage:
            self.vacate(member, VacatedBecause.ENDED)
        self.say(Ended(at_ms=self.now_ms, reason=reason))

    def settle(self) -> None:
        """What follows from every change alike: the hold, and the roster's version."""
        if self.space.state is SpaceState.LIVE:
            held = self.space.hold_until_ms is not None
            commanded = any(member.role.commands and member.connected for member in self.space.stage)
            if not commanded and not held:
                self.say(HoldStarted(until_ms=self.now_ms + HOLD_MS))
            elif commanded and held:
                self.say(HoldEnded())
        if self.space.roster != self.before.roster:
            self.say(RosterChanged(version=self.space.roster_version + 1))


def require(holds: bool, otherwise: Code) -> None:
    if not holds:
        raise RefusalError(otherwise)


def require_can_be_heard(turn: Turn, member: Member) -> None:
    """This account may come on stage as far as its person goes: the one check on every way up."""
    facts = turn.facts_about(member.account_id)
    require(not member.removed, Code.REMOVED)
    require(not facts.blocked, Code.BLOCKED)


def require_may_speak(turn: Turn, member: Member) -> None:
    """May ask, and be let up. Who was ever invited to speak by name may under every policy."""
    require_can_be_heard(turn, member)
    facts = turn.facts_about(member.account_id)
    require(resolve_audience(turn.space, member.account_id, facts), Code.NOT_IN_AUDIENCE)
    policy = turn.space.speak_policy
    require(member.guest_speaker or policy is not SpeakPolicy.INVITED, Code.SPEAKING_BY_INVITATION)
    followed = policy is not SpeakPolicy.FOLLOWED or facts.followed_by_host
    require(member.guest_speaker or followed, Code.SPEAKING_BY_FOLLOW)


def require_way_up(turn: Turn) -> None:
    """The stage is there and takes one more."""
    require(turn.space.state is SpaceState.LIVE, Code.NOT_LIVE)
    require(not turn.space.locked, Code.ROOM_LOCKED)
    require(turn.space.places_taken < STAGE_PLACES_MAX, Code.STAGE_FULL)
