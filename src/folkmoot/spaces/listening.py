"""Who may see and hear a Space. Pure, and apart from the machine: listening alone changes nothing in a Space."""

from folkmoot.gate import Action, Kind, Refused
from folkmoot.gate.standings import TOLD
from folkmoot.spaces.model import AccountFacts, Audience, Space


def resolve_audience(space: Space, account_id: int | None, facts: AccountFacts | None) -> bool:
    """Whether somebody may see and hear the Space, live or later. `account_id` None is anybody without an account.

    Public: everybody except the removed (who can only be known when identified). Followed: whom the host follows.
    Invited: guests. Who has a role in the Space may always.
    """
    member = None if account_id is None else space.members.get(account_id)
    if member is not None and not member.keeps(Action.LISTEN):
        return False
    if space.audience is Audience.PUBLIC:
        return True
    if member is not None and member.belongs:
        return True
    return space.audience is Audience.FOLLOWED and facts is not None and facts.followed_by_host


def require_not_removed(space: Space, account_id: int | None) -> None:
    """Who was removed hears nothing as oneself and takes nothing away, also where the Space is public and the gate
    shows it. Raises Refused 403."""
    if account_id is None:
        return
    member = space.member(account_id)
    if not member.keeps(Action.LISTEN):
        raise Refused("removed", TOLD[Kind.MEMBER][member.standing])
