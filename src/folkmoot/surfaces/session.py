"""The web client's own way in: sign in, who am I, sign out. A session is a token in an HttpOnly cookie."""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.params import JSONBody

from folkmoot.accounts import actions, queries
from folkmoot.accounts.passkeys import actions as passkeys
from folkmoot.accounts.passwords import Passwords
from folkmoot.gate import ANONYMOUS, Action, Gate, Serves, Standing, Viewer
from folkmoot.gate.queries import sanction_of
from folkmoot.gate.standings import REASONS
from folkmoot.surfaces.browser import browser_cookie
from folkmoot.surfaces.http import SESSION_COOKIE, serves, why_signed_out
from folkmoot.surfaces.limits import Limits, client_address
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.sign_in import (
    SecondFactor,
    SecondFactorNeeded,
    SignIn,
    by_passkey,
    by_password,
    by_second_factor,
    refuse_other_sites,
    relying_party,
    session_cookie,
)

PATH = "/api/folkmoot/v1"


class SessionSite(msgspec.Struct):
    """The server, as far as every page needs it."""

    title: str
    registrations: str
    source_url: str
    version: str
    base_url: str
    mail: bool  # whether the server sends letters, such as a link for a new password


class Session(msgspec.Struct):
    """Who the browser is signed in as. `account` is null for nobody, and for an account that is not shown.
    `reason`: why one stands as one does, or why one is signed in no more. `second_factor`: what is to come yet."""

    account: entities.Account | None
    username: str | None
    role: str | None
    standing: str | None
    reason: str
    site: SessionSite
    second_factor: SecondFactorNeeded | None = None


class PasskeyAnswer(msgspec.Struct):
    """What `navigator.credentials.get` gave, by its `toJSON`."""

    passkey: dict[str, Any]


@post(f"{PATH}/session", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=200)
async def sign_in(
    data: JSONBody[SignIn],
    request: Request[Any, Any, Any],
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> Response[Session]:
    """Sign in with name and password; the answer sets the session cookie. 202 where a second factor is needed."""
    opened = await by_password(request, services, passwords, limits, data)
    return await answer(request, services, gate, opened, status=200)


@post(f"{PATH}/session/second-factor", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=200)
async def go_on(
    data: JSONBody[SecondFactor], request: Request[Any, Any, Any], services: Services, gate: Gate, limits: Limits
) -> Response[Session]:
    """Go on with a sign-in: by a code of the program, a recovery code, or a passkey."""
    opened = await by_second_factor(request, services, limits, data)
    return await answer(request, services, gate, opened, status=200)


@post(f"{PATH}/session/passkey/options", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=200)
async def passkey_options(
    request: Request[Any, Any, Any], services: Services, gate: Gate, limits: Limits
) -> Response[dict[str, Any]]:
    """What a browser needs to sign in with a passkey and nothing else; good for ten minutes, once."""
    refuse_other_sites(request)
    limits.passkey(client_address(request))
    permit = gate.permit_system(Action.SIGN_IN, "passkey")
    options = await gate.act(permit, lambda acting: passkeys.ask(acting, relying_party(services)))
    return Response(options, headers=NO_STORE)


@post(f"{PATH}/session/passkey", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=200)
async def sign_in_by_passkey(
    data: JSONBody[PasskeyAnswer], request: Request[Any, Any, Any], services: Services, gate: Gate, limits: Limits
) -> Response[Session]:
    """Sign in with a passkey that has asked its owner for a PIN or a finger."""
    limits.passkey(client_address(request))
    return await answer(request, services, gate, await by_passkey(request, services, data.passkey), status=200)


@get(f"{PATH}/session", opt=serves(Serves.NOBODY))
async def who_am_i(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> Response[Session]:
    """Who is signed in, if anybody: never an error."""
    session = await _describe(services, viewer)
    session.reason = session.reason or why_signed_out(request)
    return Response(session, headers=NO_STORE)


@delete(f"{PATH}/session", opt=serves(Serves.NOBODY, Action.SIGN_IN))
async def sign_out(viewer: Viewer, gate: Gate) -> Response[None]:
    """End the session, and whatever was opened with it."""
    token_id = viewer.token_id
    if token_id is not None:
        permit = gate.permit_system(Action.SIGN_IN, "sign-out")
        await gate.act(permit, lambda acting: actions.sign_out(acting, token_id))
    answer: Response[None] = Response(None, status_code=204)
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer


async def answer(
    request: Request[Any, Any, Any],
    services: Services,
    gate: Gate,
    opened: str | SecondFactorNeeded,
    *,
    status: int | None = None,
) -> Response[Session]:
    """`status`: by default 202 for an account that waits, or whose second factor is to come; else 200."""
    if isinstance(opened, SecondFactorNeeded):
        nobody = await _describe(services, ANONYMOUS)
        nobody.second_factor = opened
        return Response(nobody, status_code=202, headers=NO_STORE)
    secret = opened
    viewer = await gate.identify(secret)
    waits = viewer.standing is Standing.AWAITING_APPROVAL
    return Response(
        await _describe(services, viewer),
        status_code=status or (202 if waits else 200),
        headers=NO_STORE,
        cookies=[session_cookie(services, secret), browser_cookie(request, services)],
    )


async def _describe(services: Services, viewer: Viewer) -> Session:
    site = services.site
    shown = SessionSite(
        site.title, site.registrations, site.source_url, site.version, site.base_url, services.outbox.is_open
    )
    if viewer.account_id is None:
        return Session(None, None, None, None, "", shown)
    async with services.database.read() as read:
        own = await queries.by_ids(read, [viewer.account_id])
        admitted = await services.gate.admit(read, viewer, own)
        sanction = await sanction_of(read, viewer.account_id)
    return Session(
        account=present.account(admitted[0], site) if admitted else None,
        username=own[0].username if own else None,
        role=viewer.role.value,
        standing=viewer.standing.value,
        reason=reason_shown(viewer.standing, sanction.reason if sanction else ""),
        site=shown,
    )


def reason_shown(standing: Standing, written: str) -> str:
    """Why somebody stands as they do, as it is told to them."""
    if standing is Standing.ACTIVE:
        return ""
    # What a waiting account's row holds is its own request, not an answer to it.
    if standing is Standing.AWAITING_APPROVAL or not written:
        return REASONS.get(standing, "")
    return written


HANDLERS: list[Any] = [sign_in, go_on, passkey_options, sign_in_by_passkey, who_am_i, sign_out]
