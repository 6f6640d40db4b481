"""The one table of standing × action, and of standing × who sees what was published. Pure.

`docs/standings.md` is generated from here; a test compares them.
"""

from enum import StrEnum

import msgspec

from folkmoot.gate.model import Action, Role, Standing


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
    {Action.SIGN_IN, Action.SEE_STANDING, Action.APPEAL, Action.EXPORT, Action.TAKE_BACK_CONSENT}
)

TABLE: dict[Standing, Rights] = {
    Standing.ACTIVE: Rights(_EVERYTHING, Shown.EVERYONE),
    Standing.LIMITED: Rights(_EVERYTHING, Shown.FOLLOWERS),
    Standing.AWAITING_APPROVAL: Rights(frozenset({Action.SIGN_IN, Action.SEE_STANDING}), Shown.NOBODY),
    Standing.SUSPENDED: Rights(_ROOM, Shown.NOBODY),
    Standing.DEACTIVATED: Rights(_ROOM - {Action.APPEAL}, Shown.NOBODY),
    Standing.LOCKED: Rights(frozenset({Action.SEE_STANDING}), Shown.NOBODY),
}

# What can be given an end. Whatever it came on top of is over by then, so nothing else has one.
ENDING = frozenset({Standing.LIMITED, Standing.SUSPENDED})

# Roles narrow one action; they widen nothing that a standing took away.
MODERATORS = frozenset({Role.MODERATOR, Role.OWNER})

REASONS: dict[Standing, str] = {
    Standing.AWAITING_APPROVAL: "This account is waiting for the server's owner to approve it.",
    Standing.SUSPENDED: "This account is suspended.",
    Standing.DEACTIVATED: "This account was deactivated by its owner.",
    Standing.LOCKED: "This account is locked because its credentials may be stolen.",
}


def may(standing: Standing, role: Role, action: Action) -> bool:
    """Whether an account of this standing and role keeps the action."""
    if action is Action.MODERATE and role not in MODERATORS:
        return False
    return action in TABLE[standing].actions


def loses_rights(before: Standing, after: Standing) -> bool:
    """Whether a change takes a right away, so that everything held under the old standing has to end."""
    return bool(TABLE[before].actions - TABLE[after].actions)


def effective(standing: Standing, until_ms: int | None, now_ms: int) -> Standing:
    """A standing whose time is over is none."""
    return Standing.ACTIVE if until_ms is not None and until_ms <= now_ms else standing
