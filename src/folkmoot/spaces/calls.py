"""Calls somebody who listens, through the sound itself, to look at the Space at once: they were invited on stage,
muted, removed.

Tens of thousands listen and follow no events, and their looks together are bounded, so that each comes minutes
apart. A call travels in the notes of the sound, which all of them have anyway: 4 random bytes, and the first 4 of
their HMAC-SHA256 (RFC 2104) under a key that only the one who is called was given. For everybody else it is noise,
also beside other calls of the same person; in 36,000 listeners it wakes a wrong one every hundred thousandth time.
It gives no right: whoever looks is asked by the gate as always.
"""

import hmac
import secrets
from collections import deque
from collections.abc import Callable

from msgspec.structs import replace

from folkmoot.spaces.model import Member, Space
from folkmoot.stage.protocol import CALLS_MAX

CALLED_FOR_MS = 10_000
_HALF_BYTES = 4


def call_key(secret: bytes, space_id: int, account_id: int) -> bytes:
    """What one account knows its calls in one Space by: 32 bytes. `secret` is the server's."""
    return hmac.digest(secret, f"call:{space_id}:{account_id}".encode(), "sha256")


def call(key: bytes, chance: bytes) -> str:
    """The call, in hexadecimal: the 4 random bytes, and what only who has the key makes of them."""
    return (chance + hmac.digest(key, chance, "sha256")[:_HALF_BYTES]).hex()


def concerned(before: Space, after: Space) -> list[int]:
    """To whom something was done that they may not know of yet.

    Who was on stage, or led, follows the Space's events; who asks does too, and a thousand who take their asking
    back must not drown the call of one who is invited.
    """
    return [
        account_id
        for account_id in before.members.keys() | after.members.keys()
        if _only_listens(was := before.member(account_id)) and _done_to(was) != _done_to(after.member(account_id))
    ]


def _only_listens(member: Member) -> bool:
    return not (member.on_stage or member.role.commands)


def _done_to(member: Member) -> tuple[object, ...]:
    invited_as, until = member.invited_as, (member.removed_until_ms, member.muted_until_ms)
    return (member.role, member.on_stage, invited_as, member.removed, *until)


class Calls:
    """Who is called in one Space now, as far as its states tell one after the other.

    Each call is to be heard for 10 s, among the newest 32. Nothing of it is stored: whoever comes to keep a Space
    calls those anew whose invitation is open.
    """

    def __init__(self, secret: bytes, chance: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._secret = secret
        self._chance = chance
        self._before: Space | None = None
        self._calls: deque[tuple[str, int]] = deque(maxlen=CALLS_MAX)

    def after(self, space: Space, now_ms: int) -> list[str]:
        """What is to be heard now that this is the Space's state; the oldest call first."""
        for account_id in concerned(self._before or _without_invited(space), space):
            key = call_key(self._secret, space.id, account_id)
            self._calls.append((call(key, self._chance(_HALF_BYTES)), now_ms + CALLED_FOR_MS))
        self._before = space
        return [told for told, until_ms in self._calls if now_ms < until_ms]


def _without_invited(space: Space) -> Space:
    members = {one: member for one, member in space.members.items() if member.invited_as is None}
    return replace(space, members=members)
