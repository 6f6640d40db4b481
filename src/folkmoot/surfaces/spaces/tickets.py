"""Listen tickets: who a listener is, for players that can't send a token or cookie. Short-lived, revocable."""

import msgspec

from folkmoot.gate import Refused, Stamp
from folkmoot.gate.register import Key
from folkmoot.surfaces import signed

TICKET_SECONDS = 300


class Ticket(msgspec.Struct, frozen=True):
    """What a ticket says. `stamps` include the account's, the Space's and the membership's."""

    space_id: int
    stamps: tuple[Stamp, ...]


def issue(key: bytes, ticket: Ticket, now_ms: int) -> str:
    claims = {"stamps": msgspec.to_builtins(ticket.stamps)}
    return signed.sign(key, Key.LISTEN_TICKET, f"space:{ticket.space_id}", now_ms // 1000 + TICKET_SECONDS, claims)


def read(key: bytes, text: str, space_id: int, now_ms: int) -> Ticket:
    """The ticket, or Refused: forged, over, or for another Space. The stamps are still to be compared."""
    try:
        claims = signed.read(key, [Key.LISTEN_TICKET], f"space:{space_id}", text, now_ms)
        return Ticket(space_id, msgspec.convert(claims["stamps"], tuple[Stamp, ...]))
    except (KeyError, ValueError) as error:
        raise _over() from error


def _over() -> Refused:
    return Refused("ticket_over", "This listen ticket is over or not for this Space. Join again.", status=401)
