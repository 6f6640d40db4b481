"""How a browser gets its session: password, then a second factor where there is one; or a passkey by itself."""

from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request
from litestar.datastructures import Cookie

from folkmoot.accounts import actions, letters, links, queries, rules
from folkmoot.accounts.links import Purpose
from folkmoot.accounts.passkeys import actions as passkeys
from folkmoot.accounts.passkeys.model import RelyingParty
from folkmoot.accounts.passwords import Passwords
from folkmoot.accounts.second_factor import actions as factors
from folkmoot.accounts.second_factor.queries import factors_of
from folkmoot.accounts.sessions import actions as sessions
from folkmoot.gate import Acting, Action, Refused, Viewer
from folkmoot.moderation.evasion import actions as evasion
from folkmoot.surfaces.browser import arriving_from, browser_name
from folkmoot.surfaces.http import SESSION_COOKIE
from folkmoot.surfaces.limits import Limits, client_address
from folkmoot.surfaces.services import Services

AnyRequest = Request[Any, Any, Any]


class SignIn(msgspec.Struct):
    """Name and password."""

    username: str
    password: str


class SecondFactorNeeded(msgspec.Struct):
    """The password was right. `ticket` is good for ten minutes; `methods`: totp, passkey, recovery; `passkey`: what
    the browser's `PublicKeyCredential.parseRequestOptionsFromJSON` takes, where the account has one."""

    ticket: str
    methods: list[str]
    passkey: dict[str, Any] | None = None


class SecondFactor(msgspec.Struct):
    """How a sign-in goes on: a code of the program, a recovery code, or what a passkey answered (its `toJSON`)."""

    ticket: str
    code: str | None = None
    passkey: dict[str, Any] | None = None


def relying_party(services: Services) -> RelyingParty:
    return RelyingParty.of(services.site.base_url, services.site.title)


async def by_password(
    request: AnyRequest, services: Services, passwords: Passwords, limits: Limits, asked: SignIn
) -> str | SecondFactorNeeded:
    """Check a password and open a session; return the cookie's value, or what is needed besides.

    Raises Refused: 401 for a wrong name or password (in the same time), 403 for an account that may not sign in or
    a form on another site, 429 for too many tries.
    """
    refuse_other_sites(request)
    viewer = await _who_knows(request, services, passwords, limits, asked)
    if viewer is None:
        raise Refused("wrong_credentials", "The username or the password is wrong.", status=401)
    return await enter(request, services, viewer)


async def account_of(
    request: AnyRequest, services: Services, passwords: Passwords, limits: Limits, asked: SignIn
) -> int | None:
    """Whose name and password these are; None for a wrong one. Raises Refused 429 for too many tries."""
    viewer = await _who_knows(request, services, passwords, limits, asked)
    return None if viewer is None else viewer.id


async def _who_knows(
    request: AnyRequest, services: Services, passwords: Passwords, limits: Limits, asked: SignIn
) -> Viewer | None:
    """The account as it was when this was its password: looking takes a while, and one changed meanwhile opens
    nothing."""
    name = rules.fold(asked.username[: rules.USERNAME_CHARACTERS_MAX + 1])
    address = client_address(request)
    limits.sign_in(address, name)
    async with services.database.read() as read:
        found = await queries.credentials_of(read, name)
        viewer = await services.gate.as_account(read, found[0] if found else 0)
    if not await passwords.verify(asked.password, found[1] if found else None) or found is None:
        return None
    limits.signed_in(address, name)
    return viewer


async def require_own_password(
    request: AnyRequest, services: Services, passwords: Passwords, limits: Limits, account_id: int, password: str
) -> str:
    """Whoever has a session need not be who it belongs to; return the username. Raises Refused 422, 429."""
    async with services.database.read() as read:
        (own,) = await queries.by_ids(read, [account_id])
    if await account_of(request, services, passwords, limits, SignIn(own.username, password)) is None:
        raise Refused("wrong_credentials", "The password is wrong.", status=422)
    return own.username


async def enter(request: AnyRequest, services: Services, viewer: Viewer) -> str | SecondFactorNeeded:
    """Whoever showed the password, or a link that stands for it: a session, or a ticket to go on with."""
    account_id = viewer.id
    async with services.database.read() as read:
        have = await factors_of(read, account_id)
    if not have.any:
        return await open_for(request, services, viewer)

    async def ticket(acting: Acting) -> SecondFactorNeeded:
        secret = await links.make(acting, Purpose.SIGN_IN, account_id)
        options = None
        if have.passkeys:
            options = await passkeys.ask_after_password(acting, relying_party(services), account_id, secret)
        return SecondFactorNeeded(secret, have.methods, options)

    return await services.gate.act(services.gate.permit(viewer, Action.SIGN_IN), ticket)


async def by_second_factor(request: AnyRequest, services: Services, limits: Limits, asked: SecondFactor) -> str:
    """Go on with a ticket; return the cookie's value. Raises Refused: 401 for a ticket that is over, a wrong or
    used code, another's passkey; 429 for too many tries."""
    refuse_other_sites(request)
    async with services.database.read() as read:
        found = await links.look(read, Purpose.SIGN_IN, asked.ticket)
        if found is None or found.account_id is None:
            raise _ticket_over()
        viewer = await services.gate.as_account(read, found.account_id)
    limits.second_factor(found.account_id)

    async def check(acting: Acting) -> int:
        link = await links.use(acting, Purpose.SIGN_IN, asked.ticket)
        if link is None or link.account_id is None:
            raise _ticket_over()
        if asked.passkey is not None:
            party, whose = relying_party(services), link.account_id
            await passkeys.check(acting, party, asked.passkey, asked.ticket, alone=False, account_id=whose)
        else:
            code = asked.code or ""
            await factors.use_code(acting, link.account_id, code, services.seal, services.outbox)
        return link.account_id

    account_id = await services.gate.act(services.gate.permit_system(Action.SIGN_IN, "second factor"), check)
    limits.second_factor_was_right(account_id)
    return await open_for(request, services, viewer)


async def by_passkey(request: AnyRequest, services: Services, answer: dict[str, Any]) -> str:
    """A passkey that asked its owner for a PIN or a finger is two factors. Raises Refused 401."""
    refuse_other_sites(request)

    async def check(acting: Acting) -> Viewer:
        """The account as it was when this was its passkey: one that is taken away meanwhile opens nothing."""
        account_id = await passkeys.sign_in(acting, relying_party(services), answer)
        return await services.gate.as_account(acting.tx, account_id)

    viewer = await services.gate.act(services.gate.permit_system(Action.SIGN_IN, "passkey"), check)
    return await open_for(request, services, viewer)


async def as_it_is(services: Services, account_id: int) -> Viewer:
    """An account to open a session for, whatever it was before."""
    async with services.database.read() as read:
        return await services.gate.as_account(read, account_id)


async def open_for(request: AnyRequest, services: Services, viewer: Viewer) -> str:
    """A session for an account; who owns it hears of a browser that is new to it. Raises Refused 401 where its
    credentials have changed since `viewer` was read."""
    account_id = viewer.id
    arriving = arriving_from(request, services)

    async def open_and_remember(acting: Acting) -> str:
        secret = await actions.sign_in(acting)
        if await evasion.remember(acting, account_id, arriving):
            await letters.tell(acting, services.outbox, account_id, "signed_in")
        await sessions.name(acting, secret, browser_name(request.headers.get("user-agent", "")))
        return secret

    return await services.gate.act(services.gate.permit(viewer, Action.SIGN_IN), open_and_remember)


def refuse_other_sites(request: AnyRequest) -> None:
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


def _ticket_over() -> Refused:
    return Refused("ticket_over", "That took too long, or your password was changed. Sign in anew.", status=401)
