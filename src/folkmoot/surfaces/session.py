"""The web client's own way in: sign up, sign in, who am I, sign out. A session is a token in an HttpOnly cookie."""

from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody

from folkmoot.accounts import actions, queries, rules
from folkmoot.accounts.passwords import Passwords
from folkmoot.gate import Acting, Action, Gate, Permit, Refused, Serves, Standing, Viewer
from folkmoot.gate.queries import sanction_of
from folkmoot.gate.standings import REASONS
from folkmoot.moderation.evasion import actions as evasion
from folkmoot.moderation.networks.model import Severity
from folkmoot.surfaces import invite_links
from folkmoot.surfaces.browser import arriving_from, browser_cookie
from folkmoot.surfaces.http import SESSION_COOKIE, serves, why_signed_out
from folkmoot.surfaces.limits import Limits, client_address
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.networks import address_of
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services

PATH = "/api/folkmoot/v1"


class SignIn(msgspec.Struct):
    """Name and password."""

    username: str
    password: str


class SignUp(msgspec.Struct):
    """A new account. `reason` where the owner approves accounts; `owner_secret` from the one-time link; `invite`:
    the code of a link that somebody here has made."""

    username: str
    password: str
    email: str | None = None
    reason: str = ""
    owner_secret: str | None = None
    invite: str | None = None


class ChangePassword(msgspec.Struct):
    """The password as it is, and as it shall be."""

    current: str
    new: str


class SetPassword(msgspec.Struct):
    """The secret of a link that a moderator gave out, and the password as it shall be."""

    secret: str
    new: str


class SessionSite(msgspec.Struct):
    """The server, as far as every page needs it."""

    title: str
    registrations: str
    source_url: str
    version: str
    base_url: str


class Session(msgspec.Struct):
    """Who the browser is signed in as. `account` is null for nobody, and for an account that is not shown.
    `reason`: why one stands as one does, or why one is signed in no more."""

    account: entities.Account | None
    username: str | None
    role: str | None
    standing: str | None
    reason: str
    site: SessionSite


async def open_session(
    request: Request[Any, Any, Any],
    services: Services,
    passwords: Passwords,
    limits: Limits,
    asked: SignIn,
) -> str:
    """Check a password and open a session; return the cookie's value.

    Raises Refused: 401 for a wrong name or password (in the same time), 403 for an account that may not sign in or
    a form on another site, 429 for too many tries.
    """
    refuse_other_sites(request)
    account_id = await account_of(request, services, passwords, limits, asked)
    if account_id is None:
        raise Refused("wrong_credentials", "The username or the password is wrong.", status=401)
    return await _open_for(request, services, account_id)


async def account_of(
    request: Request[Any, Any, Any], services: Services, passwords: Passwords, limits: Limits, asked: SignIn
) -> int | None:
    """Whose name and password these are; None for a wrong one. Raises Refused 429 for too many tries."""
    name = rules.fold(asked.username[: rules.USERNAME_CHARACTERS_MAX + 1])
    address = client_address(request)
    limits.sign_in(address, name)
    async with services.database.read() as read:
        found = await queries.credentials_of(read, name)
    if not await passwords.verify(asked.password, found[1] if found else None) or found is None:
        return None
    limits.signed_in(address, name)
    return found[0]


def refuse_other_sites(request: Request[Any, Any, Any]) -> None:
    """Before there is a session that could be abused, a form on another site could still open one: its owner's.

    Browsers send `Origin` with every POST; a program that sends none has no visitor to betray.
    """
    if request.headers.get("sec-fetch-site") == "same-origin":
        return
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused("cross_site", "This request came from another site and was not carried out.")


def session_cookie(services: Services, secret: str) -> Cookie:
    return Cookie(
        key=SESSION_COOKIE,
        value=secret,
        max_age=actions.SESSION_LASTS_MS // 1000,
        path="/",
        httponly=True,
        secure=services.site.base_url.startswith("https://"),
        samesite="lax",
    )


@post(f"{PATH}/session", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=200)
async def sign_in(
    data: JSONBody[SignIn],
    request: Request[Any, Any, Any],
    services: Services,
    gate: Gate,
    passwords: Passwords,
    limits: Limits,
) -> Response[Session]:
    """Sign in with name and password; the answer sets the session cookie."""
    secret = await open_session(request, services, passwords, limits, data)
    return await _answer(request, services, gate, secret, status=200)


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
    if permit.viewer.application_id is not None:
        raise Refused("insufficient_scope", "A program can't change a password. Do it on this server's own pages.")
    async with services.database.read() as read:
        (own,) = await queries.by_ids(read, [permit.viewer.id])
    current = SignIn(own.username, data.current)
    if await account_of(request, services, passwords, limits, current) is None:
        raise Refused("wrong_credentials", "The current password is wrong.", status=422)
    password_hash = await passwords.hash(rules.clean_password(data.new, own.username))
    secret = await gate.act(permit, lambda acting: actions.change_own_password(acting, password_hash))
    return await _answer(request, services, gate, secret, status=200)


@post(f"{PATH}/password-link", opt=serves(Serves.NOBODY, Action.SIGN_IN), status_code=200)
async def set_password(
    data: JSONBody[SetPassword],
    request: Request[Any, Any, Any],
    services: Services,
    gate: Gate,
    passwords: Passwords,
) -> Response[Session]:
    """Set a new password by a link from a moderator, once, and sign in. It unlocks an account that was locked."""
    refuse_other_sites(request)
    async with services.database.read() as read:
        username = await queries.username_of_password_link(read, data.secret)
    if username is None:
        raise actions.password_link_spent()
    password_hash = await passwords.hash(rules.clean_password(data.new, username))
    account_id = await gate.act(
        gate.permit_system(Action.SIGN_IN, "password link"),
        lambda acting: actions.set_password_by_link(acting, data.secret, password_hash),
    )
    return await _answer(request, services, gate, await _open_for(request, services, account_id), status=200)


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
    if services.site.registrations == "closed" and data.owner_secret is None and data.invite is None:
        raise Refused("registrations_closed", "This server takes no new accounts.")
    limits.sign_up(client_address(request))
    held = await _is_held_by_network(request, services, data)
    invite_id = None if data.invite is None else invite_links.read(services, data.invite)
    username = rules.clean_username(data.username)
    password = rules.clean_password(data.password, username)
    email, reason = rules.clean_email(data.email), rules.clean_reason(data.reason)
    new = actions.NewAccount(username, await passwords.hash(password), email, reason, data.owner_secret)
    entry = actions.Entry(services.site.registrations, services.site.inviting, invite_id)
    arriving = arriving_from(request, services, email)
    account_id = await gate.act(
        gate.permit_system(Action.SIGN_IN, "sign-up"),
        lambda acting: evasion.sign_up(acting, new, arriving, entry, held=held),
    )
    return await _answer(request, services, gate, await _open_for(request, services, account_id))


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


async def _open_for(request: Request[Any, Any, Any], services: Services, account_id: int) -> str:
    async with services.database.read() as read:
        viewer = await services.gate.as_account(read, account_id)
    arriving = arriving_from(request, services)

    async def open_and_remember(acting: Acting) -> str:
        await evasion.remember(acting, account_id, arriving)
        return await actions.sign_in(acting)

    return await services.gate.act(services.gate.permit(viewer, Action.SIGN_IN), open_and_remember)


async def _answer(
    request: Request[Any, Any, Any], services: Services, gate: Gate, secret: str, *, status: int | None = None
) -> Response[Session]:
    """`status`: by default 202 for an account that waits, else 200."""
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
    shown = SessionSite(site.title, site.registrations, site.source_url, site.version, site.base_url)
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


HANDLERS: list[Any] = [sign_in, who_am_i, sign_out, sign_up, change_password, set_password]
