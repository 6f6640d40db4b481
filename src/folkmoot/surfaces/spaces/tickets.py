"""Listen tickets: who a listener is, for players that can't send a token or cookie. Signed, short-lived, revocable.

A ticket is a JWT (RFC 7519, HS256) with the stamps it was given under: when one of their counters rises, it opens
nothing any more.
"""

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from folkmoot.gate import Refused, Stamp

TICKET_SECONDS = 300


class Ticket(msgspec.Struct, frozen=True):
    """What a ticket says. `stamps` include the account's, the Space's and the membership's."""

    space_id: int
    stamps: tuple[Stamp, ...]


def issue(key: bytes, ticket: Ticket, now_ms: int) -> str:
    claims = {
        "aud": f"space:{ticket.space_id}",
        "exp": now_ms // 1000 + TICKET_SECONDS,
        "stamps": msgspec.to_builtins(ticket.stamps),
    }
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(key))


def read(key: bytes, text: str, space_id: int, now_ms: int) -> Ticket:
    """The ticket, or Refused: forged, over, or for another Space. The stamps are still to be compared."""
    try:
        claims = jwt.decode(text, OctKey.import_key(key), algorithms=["HS256"]).claims
        if claims["aud"] != f"space:{space_id}" or claims["exp"] * 1000 <= now_ms:
            raise _over()
        return Ticket(space_id, msgspec.convert(claims["stamps"], tuple[Stamp, ...]))
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise _over() from error


def _over() -> Refused:
    return Refused("ticket_over", "This listen ticket is over or not for this Space. Join again.", status=401)
