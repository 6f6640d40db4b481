"""One's e-mail address: see it, exchange it for another, confirm it."""

from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.params import JSONBody

from folkmoot.accounts import confirmation, letters, rules
from folkmoot.accounts.passwords import Passwords
from folkmoot.gate import Action, Gate, Permit, Refused, Serves
from folkmoot.moderation.evasion import actions as evasion
from folkmoot.surfaces.http import parse, require_own_pages, serves
from folkmoot.surfaces.limits import Limits, client_address
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH
from folkmoot.surfaces.sign_in import refuse_other_sites, require_own_password


class OwnEmail(msgspec.Struct):
    """`pending`: an address that counts once the link in the letter to it was opened."""

    address: str | None
    confirmed: bool
    pending: str | None


class ChangeEmail(msgspec.Struct):
    """Another address; the password, because whoever reads what comes there can set a new one."""

    email: str
    password: str


class ConfirmEmail(msgspec.Struct):
    """The secret of the link in the letter."""

    secret: str


class Resend(msgspec.Struct):
    """Mastodon's: the address to confirm, which is the one that waits."""

    email: str | None = None


@get(f"{PATH}/email", opt=serves(Serves.ROOM, Action.SIGN_IN))
async def show_email(permit: Permit, services: Services) -> Response[OwnEmail]:
    """One's e-mail address, and whether it is confirmed."""
    require_own_pages(permit.viewer)
    return await _shown(permit, services)


@post(f"{PATH}/email", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=200)
async def change_email(
    data: JSONBody[ChangeEmail],
    request: Request[Any, Any, Any],
    permit: Permit,
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> Response[OwnEmail]:
    """Give another address. It counts once it is confirmed; where the server sends no mail, at once."""
    require_own_pages(permit.viewer)
    email = _required(data.email)
    await require_own_password(request, services, passwords, limits, permit.viewer.id, data.password)
    mailbox = services.marks.mailbox(email)
    limits.letter(client_address(request), mailbox.hex())
    await gate.act(permit, lambda acting: evasion.change_email(acting, email, mailbox, services.outbox))
    return await _shown(permit, services)


@post(f"{PATH}/email/letters", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=202)
async def send_again(
    request: Request[Any, Any, Any], permit: Permit, services: Services, gate: Gate, limits: Limits
) -> None:
    """Have the letter with the link sent again. An earlier link works no more."""
    require_own_pages(permit.viewer)
    await _send_again(request, permit, services, gate, limits)


@post(f"{PATH}/email-link", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=204)
async def confirm_email(
    data: JSONBody[ConfirmEmail], request: Request[Any, Any, Any], services: Services, gate: Gate
) -> None:
    """Confirm an address by the link that came to it, in whatever browser."""
    refuse_other_sites(request)
    permit = gate.permit_system(Action.SIGN_IN, "confirmation")
    await gate.act(permit, lambda acting: confirmation.confirm(acting, data.secret, services.marks.mailbox))


@post("/api/v1/emails/confirmations", opt=serves(Serves.ROOM, Action.SIGN_IN, "write:accounts"), status_code=200)
async def confirmations(
    request: Request[Any, Any, Any], permit: Permit, services: Services, gate: Gate, limits: Limits
) -> dict[str, Any]:
    """Have the letter sent again, as long as the address isn't confirmed; 403 once it is, and for another `email`:
    that takes the password, in the settings."""
    asked = await parse(request, Resend)
    own = await _email(permit, services)
    if own.is_confirmed:
        raise Refused(
            "confirmed_already", "This address is confirmed already. Another one is given in the settings."
        )
    # Whoever reads what comes to an address can set a new password: no program decides which one that is.
    if asked.email and _required(asked.email) != (own.pending or own.address):
        raise Refused("password_needed", "Another address is given in the settings, with the password.")
    await _send_again(request, permit, services, gate, limits)
    return {}


@get("/api/v1/emails/check_confirmation", opt=serves(Serves.ROOM, Action.SIGN_IN, "read:accounts"))
async def check_confirmation(permit: Permit, services: Services) -> Response[bool]:
    """Whether one's address is confirmed: `true` or `false`."""
    return Response((await _email(permit, services)).is_confirmed, media_type=MediaType.JSON, headers=NO_STORE)


async def _send_again(
    request: Request[Any, Any, Any], permit: Permit, services: Services, gate: Gate, limits: Limits
) -> None:
    if not services.outbox.is_open:
        raise Refused("no_mail", "This server sends no mail. Its moderators can give you a link.", status=503)
    own_id = str(permit.viewer.id)
    limits.letter(client_address(request), own_id)
    await gate.act(permit, lambda acting: services.outbox.put(acting.tx, letters.CONFIRM, account=own_id))


async def _email(permit: Permit, services: Services) -> confirmation.Email:
    async with services.database.read() as read:
        return await confirmation.email_of(read, permit.viewer.id)


async def _shown(permit: Permit, services: Services) -> Response[OwnEmail]:
    found = await _email(permit, services)
    return Response(OwnEmail(found.address, found.is_confirmed, found.pending), headers=NO_STORE)


def _required(text: str) -> str:
    email = rules.clean_email(text.strip())
    if email is None:
        raise Refused("email_invalid", "This is not an e-mail address.", status=422)
    return email


OWN: list[Any] = [show_email, change_email, send_again, confirm_email]
HANDLERS: list[Any] = [confirmations, check_confirmation]
