"""The code of an invite: signed, and kept nowhere. What it opens is asked of the database each time."""

from folkmoot.accounts.invites.model import Invite
from folkmoot.accounts.invites.queries import spent
from folkmoot.gate.register import Key
from folkmoot.surfaces import signed
from folkmoot.surfaces.services import Services

_AUDIENCE = "sign-up"


def link(services: Services, invite: Invite) -> str:
    """The address that its maker gives to others."""
    code = signed.sign(
        services.ticket_key, Key.INVITE, _AUDIENCE, -(-invite.expires_at_ms // 1000), {"invite": str(invite.id)}
    )
    return f"{services.site.base_url}/sign-up?invite={code}"


def read(services: Services, code: str) -> int:
    """The id of the invite. Raises Refused 403 for what is forged or over; whether it lets in is asked later."""
    try:
        claims = signed.read(services.ticket_key, [Key.INVITE], _AUDIENCE, code, services.clock_ms())
        return int(claims["invite"])
    except (KeyError, TypeError, ValueError) as error:
        raise spent() from error
