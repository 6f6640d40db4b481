"""What every change of a Space is."""

import re
from abc import abstractmethod

import msgspec
from msgspec.structs import replace

from folkmoot.spaces.model import Member, Space


def with_members(space: Space, *members: Member) -> Space:
    """With these in place of what they were; those of whom nothing is to be kept are left out."""
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
        return with_members(space, self.of(member))
