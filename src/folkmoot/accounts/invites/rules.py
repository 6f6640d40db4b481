"""Who may invite, and for how many and how long. Pure."""

from typing import Literal

from folkmoot.gate import Refused, Role
from folkmoot.gate.standings import MODERATORS

Inviting = Literal["nobody", "moderators", "everybody"]
USES_MAX = 100
LASTS_S_MIN, LASTS_S_MAX = 3_600, 90 * 86_400
OPEN_MAX = 20


def may_invite(role: Role, inviting: Inviting) -> bool:
    """Whether the server's setting lets somebody of this role bring others."""
    return inviting == "everybody" or (inviting == "moderators" and role in MODERATORS)


def require_may_invite(role: Role, inviting: Inviting) -> None:
    """Raises Refused 403."""
    if not may_invite(role, inviting):
        who = "Nobody" if inviting == "nobody" else "Only moderators"
        raise Refused("not_inviting", f"{who} can invite people to this server.")


def check_invite(uses: int, lasts_s: int) -> None:
    """Raises Refused 422."""
    if not 1 <= uses <= USES_MAX:
        raise Refused("uses_invalid", f"An invite is for 1 to {USES_MAX} people.", status=422)
    if not LASTS_S_MIN <= lasts_s <= LASTS_S_MAX:
        raise Refused("lifetime_invalid", "An invite is good for an hour to 90 days.", status=422)
