"""What can happen to a Space. Each change says it in full and knows what it makes of the state (`onto`).

The rules alter a Space through these and nothing else, so the list of changes *is* the difference between two
states: whoever follows the events can replay it, and no alteration can go unsaid. They are tagged ("change") so
that they can be written into the events table as they are.
"""

from folkmoot.gate.model import audience_subject, member_subject, seat_subject, space_subject
from folkmoot.spaces.changes.asking import AskingChange, InvitationClosed
from folkmoot.spaces.changes.life import Ended, HostLost, LifeChange
from folkmoot.spaces.changes.people import HostChanged, PeopleChange, Removed, RoleChanged, WentOut
from folkmoot.spaces.changes.seats import SeatChange, SeatVacated
from folkmoot.spaces.model import Audience, EndReason, Space

AnyChange = LifeChange | AskingChange | PeopleChange | SeatChange
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
