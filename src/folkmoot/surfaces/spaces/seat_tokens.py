"""Bearer tokens of one seat on stage: for a speaker whose network changed, and for programs such as OBS.

A token is signed with the stamps it was made under: the account's, the seat's, the membership's
and the Space's. It opens nothing but this seat, and nothing at all once one of their counters has been raised. A
resume token works once: using it raises a counter of its own, in a write transaction.
"""

from enum import StrEnum

import msgspec

from folkmoot.gate import Acting, Refused, Stamp
from folkmoot.gate.actions import revoke
from folkmoot.gate.register import Key
from folkmoot.surfaces import signed

# A seat that stays unconnected is given up after 30 s, and its tokens with it: this bounds one that is never left.
LASTS_SECONDS = 12 * 60 * 60
_PREFIX = "fmseat_"


class TokenKind(StrEnum):
    RESUME = "resume"  # connects the same seat again, once
    PROGRAM = "program"  # for OBS and the like, until another one is made


_KEYS = {TokenKind.RESUME: Key.RESUME_TOKEN, TokenKind.PROGRAM: Key.PUBLISHING_TOKEN}


class SeatToken(msgspec.Struct, frozen=True):
    """What a token says. A connection made with it hangs on `stamps`.

    A resume token: using it up raises `once`, and it goes on for what began with the connection `continues`, not
    for anything newer.
    """

    kind: TokenKind
    space_id: int
    seat: int
    stamps: tuple[Stamp, ...]
    once: Stamp | None = None
    continues: str | None = None


def is_one(text: str) -> bool:
    """Whether a bearer token is meant as a token of a seat, rather than as an account's access token."""
    return text.startswith(_PREFIX)


def issue(key: bytes, seat_token: SeatToken, now_ms: int) -> str:
    claims = {"token": msgspec.to_builtins(seat_token)}
    expires_s = now_ms // 1000 + LASTS_SECONDS
    return _PREFIX + signed.sign(key, _KEYS[seat_token.kind], f"seat:{seat_token.space_id}", expires_s, claims)


def read(key: bytes, text: str, space_id: int, now_ms: int) -> SeatToken:
    """The token, or Refused 401: forged, over, or for another Space. The stamps are still to be compared."""
    try:
        encoded = text.removeprefix(_PREFIX)
        claims = signed.read(key, _KEYS.values(), f"seat:{space_id}", encoded, now_ms)
        return msgspec.convert(claims["token"], SeatToken)
    except (KeyError, ValueError) as error:
        raise over() from error


def over() -> Refused:
    return Refused(
        "seat_token_over",
        "This token was used already, has ended, or is for another seat. Connect as yourself instead.",
        status=401,
    )


async def use_up(acting: Acting, once: Stamp) -> Stamp:
    """Use a resume token up; return the stamp for the next one.

    Raises Refused 401 if it, or a later one, was used before.
    """
    counter = await revoke(acting, once.subject)
    if counter != once.counter + 1:
        raise over()
    return Stamp(once.subject, counter)
