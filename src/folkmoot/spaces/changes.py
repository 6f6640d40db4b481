"""What can happen to a Space. Each change says it in full and knows what it makes of the state (`onto`).

The rules alter a Space through these and nothing else, so the list of changes *is* the difference between two
states: whoever follows the events can replay it, and no alteration can go unsaid. They are tagged ("change") so
that they can be written into the events table as they are.
"""

import re
from abc import abstractmethod
from collections.abc import Iterable
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from folkmoot.gate.model import audience_subject, member_subject, seat_subject, space_subject
from folkmoot.spaces.model import Audience, EndReason, Member, MutedBy, Notice, Role, Space, SpaceState


class VacatedBecause(StrEnum):
    STEPPED_DOWN = "stepped_down"
    REMOVED = "removed"
    CONNECTION_LOST = "connection_lost"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    STANDING_LOST = "standing_lost"
    BLOCKED = "blocked"
    ENDED = "ended"


class InvitationAnswer(StrEnum):
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class WentOutBecause(StrEnum):
    STANDING_LOST = "standing_lost"
    BLOCKED = "blocked"


def _with_members(space: Space, *members: Member) -> Space:
    kept = dict(space.members)
    for member in members:
        if member.blank:
            kept.pop(member.account_id, None)
        else:
            kept[member.account_id] = member
    return replace(space, members=kept)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Change(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag=_snake):
    """Something that happened."""

    @abstractmethod
    def onto(self, space: Space) -> Space:
        """The Space when this has happened to it."""


class MemberChange(Change, frozen=True):
    """Something that happened to one account."""

    account_id: int

    @abstractmethod
    def of(self, member: Member) -> Member:
        """What becomes of its membership."""

    def onto(self, space: Space) -> Space:
        member = space.member(self.account_id)
        return _with_members(space, self.of(member))


# A Space's life


class Started(Change, frozen=True):
    at_ms: int

    def onto(self, space: Space) -> Space:
        return replace(space, state=SpaceState.LIVE, started_at_ms=self.at_ms)


def _quiet(members: Iterable[Member]) -> dict[int, Member]:
    """Nobody asks or is invited to a Space that is over; guests stay guests, for the replay is theirs too."""
    quiet = [
        replace(member, asking_since_ms=None, invited_as=None, consented_at_ms=None, muted_until_ms=None)
        for member in members
    ]
    return {member.account_id: member for member in quiet if not member.blank}


class Ended(Change, frozen=True):
    """The Space is over. Seats were vacated by changes of their own before; asks and open invitations lapse."""

    at_ms: int
    reason: EndReason

    def onto(self, space: Space) -> Space:
        return replace(
            space,
            state=SpaceState.ENDED,
            ended_at_ms=self.at_ms,
            ended_reason=self.reason,
            hold_until_ms=None,
            members=_quiet(space.members.values()),
        )


class Cancelled(Change, frozen=True):
    at_ms: int

    def onto(self, space: Space) -> Space:
        return replace(
            space,
            state=SpaceState.CANCELLED,
            ended_at_ms=self.at_ms,
            members=_quiet(space.members.values()),
        )


class HoldStarted(Change, frozen=True):
    """No host or co-host is connected on stage: unless one comes, the Space ends at that time."""

    until_ms: int

    def onto(self, space: Space) -> Space:
        return replace(space, hold_until_ms=self.until_ms)


class HoldEnded(Change, frozen=True):
    def onto(self, space: Space) -> Space:
        return replace(space, hold_until_ms=None)


class RosterChanged(Change, frozen=True):
    """Always last, and at most once in a list: somebody's seat, role, mute or connection changed, or something
    was taken out."""

    version: int

    def onto(self, space: Space) -> Space:
        return replace(space, roster_version=self.version)


class Redacted(Change, frozen=True):
    """Something was taken out of the sound, and is silence by now."""

    def onto(self, space: Space) -> Space:
        return space


class Locked(Change, frozen=True):
    def onto(self, space: Space) -> Space:
        return replace(space, locked=True)


class Unlocked(Change, frozen=True):
    def onto(self, space: Space) -> Space:
        return replace(space, locked=False)


class Pinned(Change, frozen=True):
    post_id: int

    def onto(self, space: Space) -> Space:
        return replace(space, pinned_post_id=self.post_id)


class Unpinned(Change, frozen=True):
    def onto(self, space: Space) -> Space:
        return replace(space, pinned_post_id=None)


class Edited(Change, frozen=True):
    title: str
    topics: tuple[str, ...]

    def onto(self, space: Space) -> Space:
        return replace(space, title=self.title, topics=self.topics)


# Asking, inviting, agreeing


class Asked(MemberChange, frozen=True):
    at_ms: int

    def of(self, member: Member) -> Member:
        return replace(member, asking_since_ms=self.at_ms, consented_at_ms=None)


class AskWithdrawn(MemberChange, frozen=True):
    """The ask is gone without a seat: taken back, or no longer possible."""

    def of(self, member: Member) -> Member:
        return replace(member, asking_since_ms=None, consented_at_ms=None)


class Invited(MemberChange, frozen=True):
    """An invitation on stage answers an ask; one to listen leaves it standing."""

    role: Role
    by: int

    def of(self, member: Member) -> Member:
        asking_since_ms = member.asking_since_ms if self.role is Role.LISTENER else None
        guest_as = Role.LISTENER if self.role is Role.LISTENER and not member.guest_speaker else Role.SPEAKER
        return replace(member, invited_as=self.role, guest_as=guest_as, asking_since_ms=asking_since_ms)


class InvitationClosed(MemberChange, frozen=True):
    """Whoever declines the stage may still listen as a guest; withdrawing takes the guest's place too."""

    answer: InvitationAnswer

    def of(self, member: Member) -> Member:
        not_coming = self.answer is InvitationAnswer.DECLINED and member.invited_as is Role.LISTENER
        stays = not (not_coming or self.answer is InvitationAnswer.WITHDRAWN)
        consented_at_ms = member.consented_at_ms if self.answer is InvitationAnswer.ACCEPTED else None
        guest_as = member.guest_as if stays else None
        return replace(member, invited_as=None, guest_as=guest_as, consented_at_ms=consented_at_ms)


class Consented(MemberChange, frozen=True):
    at_ms: int

    def of(self, member: Member) -> Member:
        return replace(member, consented_at_ms=self.at_ms)


class ConsentWithdrawn(MemberChange, frozen=True):
    def of(self, member: Member) -> Member:
        return replace(member, consented_at_ms=None)


# Who is who, and who may be here


class Removed(MemberChange, frozen=True):
    """Out, and kept out until let back, or until a time: whatever this account held in the Space is void."""

    by: int
    until_ms: int | None = None

    def of(self, member: Member) -> Member:
        return Member(
            account_id=member.account_id,
            removed=True,
            removed_until_ms=self.until_ms,
            had_asked=member.asking,
            muted_until_ms=member.muted_until_ms,
        )


class LetBackIn(MemberChange, frozen=True):
    """By somebody, or (None) because the time is over."""

    by: int | None

    def of(self, member: Member) -> Member:
        return replace(member, removed=False, removed_until_ms=None, had_asked=False)


class Silenced(MemberChange, frozen=True):
    """Muted for a time, on whatever seat. A seat that they have now is muted by a change of its own."""

    by: int
    until_ms: int

    def of(self, member: Member) -> Member:
        return replace(member, muted_until_ms=self.until_ms)


class SilenceEnded(MemberChange, frozen=True):
    """By somebody, or (None) because the time is over. The microphone stays shut until its owner opens it."""

    by: int | None

    def of(self, member: Member) -> Member:
        return replace(member, muted_until_ms=None)


class WentOut(MemberChange, frozen=True):
    """Off stage, queue and co-hosts by something that happened outside the Space. Not removed: when the block or
    the sanction is lifted nothing here stands in the way. A guest who is suspended is still one afterwards."""

    reason: WentOutBecause

    def of(self, member: Member) -> Member:
        guest_as = None if self.reason is WentOutBecause.BLOCKED else member.guest_as
        return Member(account_id=member.account_id, guest_as=guest_as, muted_until_ms=member.muted_until_ms)


class RoleChanged(MemberChange, frozen=True):
    """To or from co-host."""

    role: Role

    def of(self, member: Member) -> Member:
        return replace(member, role=self.role)


class HostChanged(MemberChange, frozen=True):
    """`account_id` hosts from now on; the one who did becomes `previous_role`. What was said of them is over."""

    previous: int
    previous_role: Role

    def of(self, member: Member) -> Member:
        return replace(member, role=Role.HOST)

    def onto(self, space: Space) -> Space:
        previous = replace(space.member(self.previous), role=self.previous_role)
        return replace(_with_members(super().onto(space), previous), host_id=self.account_id, notice=None)


class Noticed(Change, frozen=True):
    """Everybody is told something."""

    notice: Notice

    def onto(self, space: Space) -> Space:
        return replace(space, notice=self.notice)


class HostLost(Change, frozen=True):
    """The host's account lost its standing and there is no co-host: nobody is shown the Space any more. It stays
    the host's, who may be back before the hold ends it."""

    account_id: int

    def onto(self, space: Space) -> Space:
        return space


class SeatTaken(MemberChange, frozen=True):
    """A new stint on stage, awaiting its connection until `connect_by_ms`. It settles any ask."""

    seat: int
    role: Role
    connect_by_ms: int

    def of(self, member: Member) -> Member:
        seated = replace(member, role=self.role, seat=self.seat, asking_since_ms=None)
        return replace(seated, grace_until_ms=self.connect_by_ms)

    def onto(self, space: Space) -> Space:
        return replace(super().onto(space), next_seat=self.seat + 1)


class SeatVacated(MemberChange, frozen=True):
    """The stint is over. Host and co-hosts keep their role, a speaker is a listener again."""

    seat: int
    reason: VacatedBecause

    def of(self, member: Member) -> Member:
        role = member.role if member.role.commands else Role.LISTENER
        off = replace(member, role=role, seat=None, grace_until_ms=None)
        return replace(off, muted_by=None, consented_at_ms=None)


class Connected(MemberChange, frozen=True):
    seat: int

    def of(self, member: Member) -> Member:
        return replace(member, grace_until_ms=None)


class Disconnected(MemberChange, frozen=True):
    """The seat is kept until `until_ms`."""

    seat: int
    until_ms: int

    def of(self, member: Member) -> Member:
        return replace(member, grace_until_ms=self.until_ms)


class Muted(MemberChange, frozen=True):
    seat: int
    by: MutedBy

    def of(self, member: Member) -> Member:
        return replace(member, muted_by=self.by)


class Unmuted(MemberChange, frozen=True):
    seat: int

    def of(self, member: Member) -> Member:
        return replace(member, muted_by=None)


AnyChange = (
    Started
    | Ended
    | Cancelled
    | HoldStarted
    | HoldEnded
    | RosterChanged
    | Redacted
    | Locked
    | Unlocked
    | Pinned
    | Unpinned
    | Edited
    | Asked
    | AskWithdrawn
    | Invited
    | InvitationClosed
    | Consented
    | ConsentWithdrawn
    | Removed
    | LetBackIn
    | Silenced
    | SilenceEnded
    | WentOut
    | RoleChanged
    | HostChanged
    | Noticed
    | HostLost
    | SeatTaken
    | SeatVacated
    | Connected
    | Disconnected
    | Muted
    | Unmuted
)
"""The union to decode events with."""


def revoked_subjects(space: Space, change: AnyChange) -> tuple[str, ...]:
    """The subjects whose leases end with a change: a seat, a membership, the audience, or all of the Space.

    `space` is the state after the command. The caller raises the counters in the transaction that writes the
    change.
    """
    match change:
        case SeatVacated(account_id=account_id, seat=seat):
            return (seat_subject(space.id, seat), *_no_longer_named(space, account_id))
        case Removed(account_id=account_id) | WentOut(account_id=account_id):
            return (member_subject(space.id, account_id),)
        case InvitationClosed(account_id=account_id) | RoleChanged(account_id=account_id):
            return _no_longer_named(space, account_id)
        case HostChanged(previous=previous):
            # Another host follows others: whoever listens comes again and is asked.
            audience = (audience_subject(space.id),) if space.audience is Audience.FOLLOWED else ()
            return (*audience, *_no_longer_named(space, previous))
        case HostLost() | Ended(reason=EndReason.HOST_SUSPENDED | EndReason.REMOVED):
            return (space_subject(space.id),)
        case _:
            return ()


def _no_longer_named(space: Space, account_id: int) -> tuple[str, ...]:
    """Who is in a closed Space by name no more: whether anything else lets them in, the gate is asked anew."""
    if space.audience is Audience.PUBLIC or space.member(account_id).belongs:
        return ()
    return (member_subject(space.id, account_id),)
