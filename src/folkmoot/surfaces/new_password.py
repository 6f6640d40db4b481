"""Changing a password, and setting a new one by a link: from a letter, or from a moderator."""

from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.params import JSONBody

from folkmoot.accounts import actions, letters, queries, rules
from folkmoot.accounts.passwords import Passwords
from folkmoot.accounts.sessions import actions as sessions
from folkmoot.gate import Acting, Action, Gate, Permit, Refused, Serves
from folkmoot.surfaces.browser import browser_name
from folkmoot.surfaces.http import require_own_pages, serves
from folkmoot.surfaces.limits import Limits, client_address
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH, Session, answer
from folkmoot.surfaces.sign_in import as_it_is, enter, refuse_other_sites, require_own_password


class ChangePassword(msgspec.Struct):
    """The password as it is, and as it shall be."""

    current: str
    new: str


class SetPassword(msgspec.Struct):
    """The secret of a link that a moderator gave out, and the password as it shall be."""

    secret: str
    new: str


class AskReset(msgspec.Struct):
    """The address to which the link goes, if it is one that an account here has confirmed."""

    email: str


@post(f"{PATH}/password", opt=serves(Serves.ROOM, Action.SIGN_IN), status_code=200)
async def change_password(
    data: JSONBody[ChangePassword],
    request: Request[Any, Any, Any],
    permit: Permit,
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> Response[Session]:
    """Change one's password. All other sessions and programs are signed out; the answer renews this session."""
    require_own_pages(permit.viewer)
    own_id = permit.viewer.id
    username = await require_own_password(request, services, passwords, limits, own_id, data.current)
    password_hash = await passwords.hash(rules.clean_password(data.new, username))

    async def change(acting: Acting) -> str:
        secret = await actions.change_own_password(acting, password_hash)
        await sessions.name(acting, secret, browser_name(request.headers.get("user-agent", "")))
        await letters.tell(acting, services.outbox, acting.actor_id, "password_changed")
        return secret

    secret = await gate.act(permit, change)
    return await answer(request, services, gate, secret, status=200)


@post(f"{PATH}/password-link", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=200)
async def set_password(
    data: JSONBody[SetPassword],
    request: Request[Any, Any, Any],
    services: Services,
    gate: Gate,
    passwords: Passwords,
) -> Response[Session]:
    """Set a new password by a link from a letter or a moderator, once, and sign in. It unlocks a locked account."""
    refuse_other_sites(request)
    async with services.database.read() as read:
        username = await queries.username_of_password_link(read, data.secret)
    if username is None:
        raise actions.password_link_spent()
    password_hash = await passwords.hash(rules.clean_password(data.new, username))

    async def change(acting: Acting) -> int:
        account_id = await actions.set_password_by_link(acting, data.secret, password_hash)
        await letters.tell(acting, services.outbox, account_id, "password_changed")
        return account_id

    account_id = await gate.act(gate.permit_system(Action.SIGN_IN, "password link"), change)
    viewer = await as_it_is(services, account_id)
    return await answer(request, services, gate, await enter(request, services, viewer), status=200)


@post(f"{PATH}/password-reset", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=202)
async def ask_reset(
    data: JSONBody[AskReset], request: Request[Any, Any, Any], services: Services, gate: Gate, limits: Limits
) -> None:
    """Have a link for a new password sent. The answer is the same whoever has that address. 503 without mail."""
    refuse_other_sites(request)
    email = rules.clean_email(data.email.strip())
    if email is None:
        raise Refused("email_invalid", "This is not an e-mail address.", status=422)
    if not services.outbox.is_open:
        raise Refused("no_mail", "This server sends no mail. Ask its moderators for a link.", status=503)
    mark = services.marks.mailbox(email).hex()
    limits.letter(client_address(request), mark)
    permit = gate.permit_system(Action.SIGN_IN, "password reset")
    await gate.act(permit, lambda acting: services.outbox.put(acting.tx, letters.RESET, mark=mark))


HANDLERS: list[Any] = [change_password, set_password, ask_reset]
