"""Stints on stage: a seat taken, heard or not, and left."""

from enum import StrEnum

from msgspec.structs import replace

from folkmoot.spaces.changes.change import MemberChange
from folkmoot.spaces.model import Member, MutedBy, Role, Space


class VacatedBecause(StrEnum):
    STEPPED_DOWN = "stepped_down"
    REMOVED = "removed"
    CONNECTION_LOST = "connection_lost"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    STANDING_LOST = "standing_lost"
    BLOCKED = "blocked"
    ENDED = "ended"


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


SeatChange = SeatTaken | SeatVacated | Connected | Disconnected | Muted | Unmuted
