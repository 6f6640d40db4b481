"""Who is who, and who may be here."""

from enum import StrEnum

from msgspec.structs import replace

from folkmoot.spaces.changes.change import MemberChange, with_members
from folkmoot.spaces.model import Member, Role, Space


class WentOutBecause(StrEnum):
    STANDING_LOST = "standing_lost"
    BLOCKED = "blocked"


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
        return replace(with_members(super().onto(space), previous), host_id=self.account_id, notice=None)


PeopleChange = Removed | LetBackIn | Silenced | SilenceEnded | WentOut | RoleChanged | HostChanged
