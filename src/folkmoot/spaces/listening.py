"""Who may see and hear a Space. Pure, and apart from the machine: listening alone changes nothing in a Space."""

from folkmoot.spaces.model import AccountFacts, Audience, Role, Space


def resolve_audience(space: Space, account_id: int | None, facts: AccountFacts | None) -> bool:
    """Whether somebody may see and hear the Space, live or later. `account_id` None is anybody without an account.

    Public: everybody except the removed (who can only be known when identified). Followed: whom the host follows.
    Invited: guests. Who has a role in the Space may always.
    """
    member = None if account_id is None else space.members.get(account_id)
    if member is not None and member.removed:
        return False
    if space.audience is Audience.PUBLIC:
        return True
    if member is not None and (member.guest or member.role is not Role.LISTENER):
        return True
    return space.audience is Audience.FOLLOWED and facts is not None and facts.followed_by_host
