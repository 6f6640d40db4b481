"""Spaces to test on, and what must be true of every step that the rules take."""

from msgspec.structs import replace

from folkmoot.spaces import commands as c
from folkmoot.spaces.changes import AnyChange, revoked_subjects
from folkmoot.spaces.changes.people import LetBackIn
from folkmoot.spaces.changes.seats import Muted, SeatTaken, SeatVacated, Unmuted
from folkmoot.spaces.invariants import invariants
from folkmoot.spaces.model import AccountFacts, Audience, Draft, Facts, Role, Space, SpaceState, SpeakPolicy
from folkmoot.spaces.refusals import Code, Refused
from folkmoot.spaces.rules import Outcome, apply, create, observe

HOST, ANNA, BERT, CARL, DORA = range(1, 6)
NOW_MS = 1_700_000_000_000
POOL = range(1, 17)


def facts(*, followed: tuple[int, ...] = (), blocked: tuple[int, ...] = (), pool: range = POOL) -> Facts:
    return Facts(
        accounts={
            account: AccountFacts(followed_by_host=account in followed, blocked=account in blocked)
            for account in pool
        }
    )


def closed(policy: SpeakPolicy = SpeakPolicy.EVERYONE, audience: Audience = Audience.PUBLIC) -> Draft:
    return Draft(title="Ours", speak_policy=policy, audience=audience, recorded=False)


EVERYBODY = facts(pool=range(1, 1_000))


class Room:
    """A Space with a present: gives commands, checks each step, keeps the state."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.facts = EVERYBODY
        self.now_ms = NOW_MS
        self.changes: tuple[AnyChange, ...] = ()

    def do(self, actor: int, command: c.Command) -> tuple[AnyChange, ...]:
        return self._accepted(apply(self.space, actor, command, self.facts, self.now_ms))

    def see(self, observation: c.Observation) -> tuple[AnyChange, ...]:
        return self._accepted(observe(self.space, observation, self.now_ms))

    def _accepted(self, result: Outcome | Refused) -> tuple[AnyChange, ...]:
        assert isinstance(result, Outcome), result
        check_step(self.space, result)
        self.space, self.changes = result.space, result.changes
        return result.changes

    def revoked(self) -> set[str]:
        """The subjects that ended with what happened last."""
        return {subject for change in self.changes for subject in revoked_subjects(self.space, change)}

    def refused(self, actor: int, command: c.Command) -> Code:
        result = apply(self.space, actor, command, self.facts, self.now_ms)
        assert isinstance(result, Refused), result.changes
        return result.code

    def seat(self, account: int) -> int | None:
        return self.space.member(account).seat

    def speak(self, account: int, host: int = HOST) -> int:
        """Bring somebody on stage, connected. Returns the seat."""
        self.do(account, c.Ask(recording_consent=True))
        self.do(host, c.LetUp(account=str(account)))
        return self.connect(account)

    def connect(self, account: int) -> int:
        seat = self.seat(account)
        assert seat is not None
        self.see(c.SeatConnected(seat))
        return seat

    def pass_ms(self, milliseconds: int) -> tuple[AnyChange, ...]:
        self.now_ms += milliseconds
        return self.see(c.Tick())


def scheduled(draft: Draft | None = None) -> Room:
    space = create(5, HOST, draft or Draft(title="The evening"), NOW_MS)
    assert isinstance(space, Space), space
    assert invariants(space) == []
    return Room(space)


def live(draft: Draft | None = None) -> Room:
    room = scheduled(draft)
    room.do(HOST, c.Start())
    room.connect(HOST)
    return room


def check_step(before: Space, outcome: Outcome) -> None:
    """The parts of the list in `spaces/rules.py` that only two states together show."""
    after = outcome.space
    assert invariants(after) == []
    if before.state.terminal:
        # Only that a removal runs out.
        assert all(isinstance(change, LetBackIn) for change in outcome.changes)
        assert replace(after, members=before.members) == before
    replayed = before
    for change in outcome.changes:
        replayed = change.onto(replayed)
    assert replayed == after
    _check_seats(before, outcome)
    _check_said(before, outcome)
    if before.locked and after.locked:
        newcomers = _seats(after).keys() - _seats(before).keys()
        assert all(before.member(account).role.commands for account in newcomers)
    still_removed = {account for account, member in before.members.items() if member.removed}
    assert not still_removed & set(after.roster)


def _seats(space: Space) -> dict[int, int]:
    return {member.account_id: member.seat for member in space.members.values() if member.seat is not None}


def _check_seats(before: Space, outcome: Outcome) -> None:
    """What was said about seats is the difference, and new numbers are the next ones."""
    old, new = set(_seats(before).items()), set(_seats(outcome.space).items())
    taken = [(said.account_id, said.seat) for said in outcome.changes if isinstance(said, SeatTaken)]
    vacated = [(said.account_id, said.seat) for said in outcome.changes if isinstance(said, SeatVacated)]
    assert set(taken) == new - old
    assert set(vacated) == old - new
    assert [seat for _, seat in taken] == list(range(before.next_seat, outcome.space.next_seat))


def _check_said(before: Space, outcome: Outcome) -> None:
    """Each difference was said in the words that people outside wait for, once, and nothing else was."""
    after, words = outcome.space, [type(change).__name__ for change in outcome.changes]
    assert ("HoldStarted" in words) == (before.hold_until_ms is None and after.hold_until_ms is not None)
    if "HoldEnded" in words:
        assert before.hold_until_ms is not None
        assert after.hold_until_ms is None
    assert ("Ended" in words) == (before.state is not after.state is SpaceState.ENDED)
    assert ("Locked" in words) == (after.locked and not before.locked)
    assert ("HostChanged" in words) == (before.host_id != after.host_id)
    assert (words[-1:] == ["RosterChanged"]) == (before.roster != after.roster)
    assert after.roster_version - before.roster_version == words.count("RosterChanged")
    muted = {said.account_id for said in outcome.changes if isinstance(said, Muted)}
    unmuted = {said.account_id for said in outcome.changes if isinstance(said, Unmuted)}
    assert muted == _silent(after) - _silent(before)
    assert unmuted == (_silent(before) - _silent(after)) & _seats(after).keys()


def _silent(space: Space) -> set[int]:
    return {member.account_id for member in space.members.values() if member.muted_by}


def co_host(room: Room, account: int) -> None:
    room.speak(account)
    room.do(HOST, c.MakeCoHost(account=str(account)))
    assert room.space.member(account).role is Role.CO_HOST
