"""The one table of standing × action, and of standing × who sees what was published. Pure.

`docs/standings.md` is generated from here; a test compares them.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from folkmoot.gate.model import Action, Role, Sanction, Standing


class Shown(StrEnum):
    """Who sees what an account of a standing published."""

    EVERYONE = "everyone"
    FOLLOWERS = "followers"
    NOBODY = "nobody"


class Rights(msgspec.Struct, frozen=True):
    """What a standing keeps: actions, and how what one published is shown."""

    actions: frozenset[Action]
    shown: Shown


_EVERYTHING = frozenset(Action)
_ROOM = frozenset({Action.SIGN_IN, Action.SEE_STANDING, Action.APPEAL, Action.EXPORT, Action.TAKE_BACK_CONSENT})

TABLE: dict[Standing, Rights] = {
    Standing.ACTIVE: Rights(_EVERYTHING, Shown.EVERYONE),
    Standing.LIMITED: Rights(_EVERYTHING, Shown.FOLLOWERS),
    Standing.AWAITING_APPROVAL: Rights(_ROOM, Shown.NOBODY),
    Standing.SUSPENDED: Rights(_ROOM, Shown.NOBODY),
    Standing.DEACTIVATED: Rights(_ROOM | {Action.COME_BACK}, Shown.NOBODY),
    Standing.LOCKED: Rights(frozenset({Action.SEE_STANDING}), Shown.NOBODY),
}

# The strictest of the sanctions in force is the standing. Each of these keeps whatever the ones before it keep (a
# test holds that), so a further sanction never gives a right, and one that is over by the clock never takes one.
STRICTEST_FIRST = (
    Standing.LOCKED,
    Standing.SUSPENDED,
    Standing.AWAITING_APPROVAL,
    Standing.DEACTIVATED,
    Standing.LIMITED,
    Standing.ACTIVE,
)

# What can be given an end: the others wait for the person, or for somebody who has looked.
ENDING = frozenset({Standing.LIMITED, Standing.SUSPENDED})

# Roles narrow one action; they widen nothing that a standing took away.
MODERATORS = frozenset({Role.MODERATOR, Role.OWNER})

REASONS: dict[Standing, str] = {
    Standing.AWAITING_APPROVAL: "This account is waiting for the server's owner to approve it.",
    Standing.SUSPENDED: "This account is suspended.",
    Standing.DEACTIVATED: "This account was deactivated by its owner.",
    Standing.LOCKED: "This account is locked because its credentials may be stolen. "
    "Ask this server's moderators for a link to set a new password.",
}


def may(standing: Standing, role: Role, action: Action) -> bool:
    """Whether an account of this standing and role keeps the action."""
    if action is Action.MODERATE and role not in MODERATORS:
        return False
    return action in TABLE[standing].actions


def loses_rights(before: Standing, after: Standing) -> bool:
    """Whether a change takes a right away, so that everything held under the old standing has to end."""
    return bool(TABLE[before].actions - TABLE[after].actions)


def holding(sanctions: Iterable[Sanction], now_ms: int) -> Sanction:
    """The one that an account stands under now: the strictest in force, of equals the one that ends last.

    Without one the account is active. Nothing else remembers: whatever is lifted or over leaves what is below it.
    """
    return min(
        (sanction for sanction in sanctions if sanction.in_force(now_ms)),
        key=lambda one: (
            STRICTEST_FIRST.index(one.standing),
            one.until_ms is not None,
            -(one.until_ms or 0),
            -one.id,
        ),
        default=Sanction(Standing.ACTIVE),
    )


def may_sanction(role: Role, other: Role) -> bool:
    """Whether somebody of a role may decide about somebody of another: an owner about everybody, a moderator about
    members. Moderators don't decide about one another; an owner does."""
    return role is Role.OWNER or (role is Role.MODERATOR and other is Role.MEMBER)
