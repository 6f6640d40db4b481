"""What is true of every state of a Space, as checks. The list in words stands in `spaces/rules.py`.

What is true of a step from one state to the next (a locked room, removed people, growing seat numbers) can't be
seen in one state: `tests/spaces/` checks those.
"""

from collections.abc import Iterator

from folkmoot.spaces.listening import resolve_audience
from folkmoot.spaces.model import (
    ASKING_MAX,
    CO_HOSTS_MAX,
    GUESTS_MAX,
    INVITATIONS_OPEN_MAX,
    STAGE_PLACES_MAX,
    AccountFacts,
    Member,
    Role,
    Space,
    SpaceState,
)


def invariants(space: Space) -> list[str]:
    """What doesn't hold, as sentences; empty when all is well."""
    broken = [*_of_places(space), *_of_command(space), *_of_time(space)]
    for member in space.members.values():
        broken.extend(f"account {member.account_id}: {fault}" for fault in _of_member(space, member))
    return broken


def _of_places(space: Space) -> Iterator[str]:
    members = space.members.values()
    if space.places_taken > STAGE_PLACES_MAX or len(space.stage) > STAGE_PLACES_MAX:
        yield "more than 13 places are taken"
    if len(space.queue) > ASKING_MAX:
        yield "the queue is longer than its bound"
    if space.invitations_open > INVITATIONS_OPEN_MAX:
        yield "more invitations are open than may be"
    if sum(member.guest for member in members) > GUESTS_MAX:
        yield "there are more guests than may be"
    seats = [member.seat for member in members if member.seat is not None]
    if len(set(seats)) != len(seats):
        yield "two people hold one seat"
    if any(not 1 <= seat < space.next_seat for seat in seats):
        yield "a seat was not given out in order"


def _of_command(space: Space) -> Iterator[str]:
    hosts = [member.account_id for member in space.members.values() if member.role is Role.HOST]
    if hosts != [space.host_id]:
        yield f"host_id is {space.host_id}, hosts are {hosts}"
    if len(space.co_hosts) > CO_HOSTS_MAX:
        yield "there are too many co-hosts"


def _of_time(space: Space) -> Iterator[str]:
    live = space.state is SpaceState.LIVE
    commanded = any(member.role.commands and member.connected for member in space.members.values())
    if (space.hold_until_ms is not None) != (live and not commanded):
        yield "a hold is set exactly while a live Space has no host or co-host connected on stage"
    if live and space.started_at_ms is None:
        yield "a live Space has no start"
    if space.state.terminal != (space.ended_at_ms is not None):
        yield "a Space that is over has an end, and no other has"
    if (space.state is SpaceState.ENDED) != (space.ended_reason is not None):
        yield "an ended Space has a reason, and no other has"


def _of_member(space: Space, member: Member) -> Iterator[str]:
    if space.members.get(member.account_id) is not member:
        yield "is filed under another account"
    if member.blank:
        yield "is remembered for nothing"
    if space.state is not SpaceState.LIVE and (member.on_stage or member.asking):
        yield "is on a stage, or asks to be, that isn't live"
    if space.state.terminal and member.invited_as is not None:
        yield "is invited to a Space that is over"
    if member.role is not Role.LISTENER and (member.asking or member.invited_as is not None):
        yield "asks for, or is invited to, what they have"
    if member.on_stage and space.recorded and member.consented_at_ms is None:
        yield "is on a recorded stage without having agreed"
    yield from _of_seat(member)
    yield from _of_removed(space, member)


def _of_seat(member: Member) -> Iterator[str]:
    if not member.role.commands and (member.role is Role.SPEAKER) != member.on_stage:
        yield "speakers are those on stage who don't host"
    if not member.on_stage and (member.grace_until_ms is not None or member.muted_by is not None):
        yield "has a grace or a mute without a seat"
    if member.on_stage and member.muted_until_ms is not None and member.muted_by is None:
        yield "is muted for a time, yet can be heard"


def _of_removed(space: Space, member: Member) -> Iterator[str]:
    if member.removed_until_ms is not None and not member.removed:
        yield "has an end of a removal without one"
    if space.state.terminal and member.muted_until_ms is not None:
        yield "is muted in a Space that is over"
    if not member.removed:
        return
    if member.role is not Role.LISTENER or member.on_stage or member.asking or member.guest:
        yield "is removed, yet here"
    if member.invited_as is not None:
        yield "is removed, yet invited"
    if resolve_audience(space, member.account_id, AccountFacts(followed_by_host=True)):
        yield "is removed, yet may listen"
