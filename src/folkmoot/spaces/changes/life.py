"""What happens to a Space as a whole, from its start to its end."""

from collections.abc import Iterable

from msgspec.structs import replace

from folkmoot.spaces.changes.change import Change
from folkmoot.spaces.model import EndReason, Member, Notice, Space, SpaceState


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


LifeChange = (
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
    | Noticed
    | HostLost
)
