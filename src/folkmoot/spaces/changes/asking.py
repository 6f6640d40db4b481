"""Asking for the stage, being invited to it, agreeing to be recorded."""

from enum import StrEnum

from msgspec.structs import replace

from folkmoot.spaces.changes.change import MemberChange
from folkmoot.spaces.model import Member, Role


class InvitationAnswer(StrEnum):
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


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


AskingChange = Asked | AskWithdrawn | Invited | InvitationClosed | Consented | ConsentWithdrawn
