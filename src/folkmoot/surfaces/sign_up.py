"""Making an account, from the web client and from programs: one way for both."""

from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.params import JSONBody

from folkmoot.accounts import actions, letters, rules
from folkmoot.accounts.passwords import Passwords
from folkmoot.gate import Acting, Action, Gate, Refused, Serves
from folkmoot.moderation.evasion import actions as evasion
from folkmoot.moderation.networks.model import Severity
from folkmoot.surfaces import invite_links
from folkmoot.surfaces.browser import arriving_from
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.limits import Limits, client_address
from folkmoot.surfaces.networks import address_of
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH, Session, answer
from folkmoot.surfaces.sign_in import as_it_is, open_for, refuse_other_sites


class SignUp(msgspec.Struct):
    """A new account. `reason` where the owner approves accounts; `owner_secret` from the one-time link; `invite`:
    the code of a link that somebody here has made."""

    username: str
    password: str
    email: str | None = None
    reason: str = ""
    owner_secret: str | None = None
    invite: str | None = None


@post(f"{PATH}/accounts", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=200)
async def sign_up(
    data: JSONBody[SignUp],
    request: Request[Any, Any, Any],
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> Response[Session]:
    """Make an account and sign in with it. 202 if it waits for a person who looks, 403 if the server takes none."""
    refuse_other_sites(request)
    account_id = await make_account(data, request, services, passwords, limits)
    return await answer(
        request, services, gate, await open_for(request, services, await as_it_is(services, account_id))
    )


async def make_account(
    asked: SignUp, request: Request[Any, Any, Any], services: Services, passwords: Passwords, limits: Limits
) -> int:
    """A new account, and a letter to confirm its address; return its id. Raises Refused: 403 where the server takes
    none, or none from there; 422 for what can't be; 429."""
    if services.site.registrations == "closed" and asked.owner_secret is None and asked.invite is None:
        raise Refused("registrations_closed", "This server takes no new accounts.")
    limits.sign_up(client_address(request))
    held = await _is_held_by_network(request, services, asked)
    invite_id = None if asked.invite is None else invite_links.read(services, asked.invite)
    username = rules.clean_username(asked.username)
    password = rules.clean_password(asked.password, username)
    email, reason = rules.clean_email(asked.email), rules.clean_reason(asked.reason)
    new = actions.NewAccount(username, await passwords.hash(password), email, reason, asked.owner_secret)
    entry = actions.Entry(services.site.registrations, services.site.inviting, invite_id)
    arriving = arriving_from(request, services, email)

    async def make(acting: Acting) -> int:
        account_id = await evasion.sign_up(acting, new, arriving, entry, held=held)
        if email is not None:
            await services.outbox.put(acting.tx, letters.CONFIRM, account=str(account_id))
        return account_id

    return await services.gate.act(services.gate.permit_system(Action.SIGN_IN, "sign-up"), make)


async def _is_held_by_network(request: Request[Any, Any, Any], services: Services, asked: SignUp) -> bool:
    """Whether a person has to look because of where it comes from. Raises Refused 403 where nobody may."""
    stop = await services.networks.find(address_of(request))
    if stop is None or asked.owner_secret is not None:
        return False
    if stop.severity is Severity.SIGN_UP:
        raise Refused(
            "network_stopped",
            f"Nobody can sign up from your network ({stop.network}): {stop.reason.rstrip('.')}. "
            "Sign up from another one, or ask whoever runs this server.",
        )
    return True


HANDLERS: list[Any] = [sign_up]
