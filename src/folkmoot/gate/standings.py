"""The one table of standing × action, and of standing × who sees it, for each kind of thing. Pure.

`docs/standings.md` is generated from here; a test compares them.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from folkmoot.gate.model import Action, Kind, Role, Sanction, Standing


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
_ROOM = frozenset(
    {
        Action.SIGN_IN,
        Action.SEE_STANDING,
        Action.APPEAL,
        Action.EXPORT,
        Action.TAKE_BACK_CONSENT,
        Action.LEAVE,
    }
)
_ALL = Rights(_EVERYTHING, Shown.EVERYONE)

TABLE: dict[Standing, Rights] = {
    Standing.ACTIVE: _ALL,
    Standing.LIMITED: Rights(_EVERYTHING, Shown.FOLLOWERS),
    Standing.AWAITING_APPROVAL: Rights(_ROOM, Shown.NOBODY),
    Standing.SUSPENDED: Rights(_ROOM, Shown.NOBODY),
    Standing.DEACTIVATED: Rights(_ROOM | {Action.COME_BACK}, Shown.NOBODY),
    Standing.LOCKED: Rights(frozenset({Action.SEE_STANDING}), Shown.NOBODY),
}

# What is removed stays with those whom it concerns: its own people may see that and appeal, moderators look at it.
_OF_THE_REMOVED = _ROOM - {Action.SIGN_IN, Action.LEAVE} | {Action.REDACT, Action.MODERATE}

# For everything that can be under a sanction: which actions that concern it are left to people, whoever they are.
# What somebody does needs their own standing and that of what they do it to.
TABLES: dict[Kind, dict[Standing, Rights]] = {
    Kind.ACCOUNT: TABLE,
    Kind.SPACE: {
        Standing.ACTIVE: _ALL,
        Standing.MUTED: Rights(_EVERYTHING - {Action.SPEAK}, Shown.EVERYONE),
        Standing.REMOVED: Rights(_OF_THE_REMOVED, Shown.NOBODY),
    },
    # Of what somebody does in one Space. Who was removed sees a public one as everybody does without an account.
    Kind.MEMBER: {
        Standing.ACTIVE: _ALL,
        Standing.MUTED: Rights(_EVERYTHING - {Action.SPEAK}, Shown.EVERYONE),
        Standing.REMOVED: Rights(_OF_THE_REMOVED | {Action.READ, Action.REPORT}, Shown.EVERYONE),
    },
    Kind.CLIP: {
        Standing.ACTIVE: _ALL,
        Standing.REMOVED: Rights(_OF_THE_REMOVED | {Action.DELETE_POST}, Shown.NOBODY),
    },
    Kind.APPLICATION: {
        Standing.ACTIVE: _ALL,
        Standing.STOPPED: Rights(frozenset(), Shown.NOBODY),
    },
    # What an account of a host is under, besides what is decided about the account itself.
    Kind.HOST: {
        Standing.ACTIVE: _ALL,
        Standing.LIMITED: TABLE[Standing.LIMITED],
        Standing.SUSPENDED: TABLE[Standing.SUSPENDED],
    },
}

# The strictest of the sanctions in force is the standing. Of those that a kind knows, each keeps whatever the ones
# before it keep (a test holds that), so a further sanction never gives a right, and one that is over by the clock
# never takes one.
STRICTEST_FIRST = (
    Standing.STOPPED,
    Standing.REMOVED,
    Standing.LOCKED,
    Standing.SUSPENDED,
    Standing.AWAITING_APPROVAL,
    Standing.DEACTIVATED,
    Standing.MUTED,
    Standing.LIMITED,
    Standing.ACTIVE,
)

# What can be given an end: the others wait for the person, or for somebody who has looked.
ENDING: dict[Kind, frozenset[Standing]] = {
    Kind.ACCOUNT: frozenset({Standing.LIMITED, Standing.SUSPENDED}),
    Kind.SPACE: frozenset({Standing.MUTED}),
    Kind.MEMBER: frozenset({Standing.MUTED, Standing.REMOVED}),
    Kind.CLIP: frozenset(),
    Kind.APPLICATION: frozenset(),
    Kind.HOST: frozenset(),
}

# Roles narrow one action; they widen nothing that a standing took away.
MODERATORS = frozenset({Role.MODERATOR, Role.OWNER})

REASONS: dict[Standing, str] = {
    Standing.AWAITING_APPROVAL: "This account is waiting for the server's owner to approve it.",
    Standing.SUSPENDED: "This account is suspended.",
    Standing.DEACTIVATED: "This account was deactivated by its owner.",
    Standing.LOCKED: "This account is locked because its credentials may be stolen. "
    "Ask this server's moderators for a link to set a new password.",
}

# What people are told of a thing that isn't as it was: a tombstone, a silent room, a closed door.
TOLD: dict[Kind, dict[Standing, str]] = {
    Kind.SPACE: {
        Standing.MUTED: "This server's moderators have muted this Space.",
        Standing.REMOVED: "This Space was removed by this server's moderators.",
    },
    Kind.MEMBER: {
        Standing.MUTED: "A host has muted you for a time.",
        Standing.REMOVED: "You were removed from this Space.",
    },
    Kind.CLIP: {Standing.REMOVED: "This clip was removed by this server's moderators."},
    Kind.APPLICATION: {Standing.STOPPED: "This program was stopped by this server's moderators."},
    Kind.HOST: {
        Standing.LIMITED: "This server's moderators have limited this host.",
        Standing.SUSPENDED: "This server's moderators have suspended this host.",
    },
}


def may(standing: Standing, role: Role, action: Action) -> bool:
    """Whether an account of this standing and role keeps the action."""
    if action is Action.MODERATE and role not in MODERATORS:
        return False
    return action in TABLE[standing].actions


def keeps(kind: Kind, standing: Standing, action: Action) -> bool:
    """Whether a thing of this standing keeps an action that people do to it, or with it."""
    return action in TABLES[kind][standing].actions


def is_hidden(kind: Kind, standing: Standing) -> bool:
    """Whether nobody is shown it any more, so that whatever hangs on it ends."""
    return TABLES[kind][standing].shown is Shown.NOBODY


def loses_rights(before: Standing, after: Standing) -> bool:
    """Whether a change takes a right away, so that everything held under the old standing has to end."""
    return bool(TABLE[before].actions - TABLE[after].actions)


def is_stricter(one: Standing, other: Standing) -> bool:
    return STRICTEST_FIRST.index(one) < STRICTEST_FIRST.index(other)


_NOTHING = Sanction(Standing.ACTIVE)


def holding(sanctions: Iterable[Sanction], now_ms: int) -> Sanction:
    """The one that an account, a Space, … stands under now: the strictest in force, of equals the one that ends
    last. Without one it is active. Nothing else remembers: whatever is lifted or over leaves what is below it.
    """
    return min(
        (sanction for sanction in sanctions if sanction.in_force(now_ms)),
        key=lambda one: (
            STRICTEST_FIRST.index(one.standing),
            one.until_ms is not None,
            -(one.until_ms or 0),
            -one.id,
        ),
        default=_NOTHING,
    )


def may_sanction(role: Role, other: Role) -> bool:
    """Whether somebody of a role may decide about somebody of another: an owner about everybody, a moderator about
    members. Moderators don't decide about one another; an owner does."""
    return role is Role.OWNER or (role is Role.MODERATOR and other is Role.MEMBER)
