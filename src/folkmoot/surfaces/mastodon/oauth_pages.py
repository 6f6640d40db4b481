"""The pages of `/oauth/authorize`: a person signs in, sees what a program asks for, and decides. No scripts."""

import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, PackageLoader, select_autoescape
from litestar import Request, Response, get, post
from litestar.enums import MediaType
from litestar.openapi import ResponseSpec
from litestar.response import Redirect

from folkmoot.accounts.oauth import actions, queries, rules
from folkmoot.accounts.oauth.model import AuthorizationRequest, OAuthError
from folkmoot.accounts.passwords import Passwords
from folkmoot.accounts.queries import by_ids
from folkmoot.gate import ANONYMOUS, Action, Gate, Refused, Serves, Viewer
from folkmoot.surfaces.browser import browser_cookie
from folkmoot.surfaces.http import SESSION_COOKIE, bearer_token, parse, serves
from folkmoot.surfaces.limits import Limits, TooMany, limit_headers
from folkmoot.surfaces.security import NO_STORE, content_security_policy
from folkmoot.surfaces.services import Services, Site
from folkmoot.surfaces.sign_in import (
    SecondFactor,
    SecondFactorNeeded,
    SignIn,
    by_password,
    by_second_factor,
    session_cookie,
)

PATH = "/oauth/authorize"
_TEMPLATES = Environment(
    loader=PackageLoader("folkmoot.surfaces.mastodon"), autoescape=select_autoescape(), trim_blocks=True
)
_SENTENCES = {
    "read": "read what you can read",
    "write": "post and change things in your name",
    "follow": "follow, block and mute people for you",
    "push": "send you notifications",
    "profile": "see who you are",
    "admin:read": "read what moderators read, as far as you are one",
    "admin:write": "moderate in your name, as far as you may",
}


class Query(msgspec.Struct, omit_defaults=True):
    """RFC 6749, 4.1.1, with PKCE (RFC 7636) and Mastodon's `force_login`."""

    client_id: str = ""
    redirect_uri: str = ""
    response_type: str = ""
    scope: str | None = None
    state: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    force_login: str | None = None

    def encoded(self) -> str:
        """The same query without `force_login`: whoever signed in has done that."""
        kept: dict[str, str] = msgspec.to_builtins(self)
        return urlencode({name: value for name, value in kept.items() if name != "force_login"})


class Decision(msgspec.Struct):
    """What the consent form sends."""

    csrf: str = ""
    decision: str = ""


class _ForProgram(Exception):
    """An error that travels back to the program, now that its address is known to be its own."""

    def __init__(self, query: Query, error: OAuthError) -> None:
        super().__init__(error.error)
        self.query = query
        self.error = error


Page = Response[str] | Redirect


def _page(
    site: Site, template: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: Any
) -> Response[str]:
    return Response(
        _TEMPLATES.get_template(template).render(site=site, **values),
        media_type=MediaType.HTML,
        status_code=status,
        headers=NO_STORE | (headers or {}),
    )


def _refused(request: Request[Any, Any, Any], refusal: Refused) -> Response[str]:
    headers = limit_headers(refusal.verdict) if isinstance(refusal, TooMany) else {}
    site = request.app.state.equipment.services.site
    return _page(site, "refused.html", status=refusal.status, headers=headers, sentence=refusal.sentence)


def _for_program(_request: Request[Any, Any, Any], failure: _ForProgram) -> Redirect:
    error = {"error": failure.error.error, "error_description": failure.error.description}
    return _back(failure.query.redirect_uri, error, failure.query.state)


_ANSWERS: dict[str, Any] = {
    "status_code": 200,
    "responses": {303: ResponseSpec(None)},
    "exception_handlers": {Refused: _refused, TooMany: _refused, _ForProgram: _for_program},
}


@get(PATH, opt=serves(Serves.NOBODY, Action.AUTHORIZE), **_ANSWERS)
async def ask(request: Request[Any, Any, Any], viewer: Viewer, services: Services, gate: Gate) -> Page:
    """The consent page, or the sign-in form before it."""
    query = _query(request)
    asked = await _check(services, query, viewer)
    if viewer.account_id is None or query.force_login == "true":
        return _sign_in_page(services.site, query, asked)
    secret = _session_secret(request, viewer, asked)
    gate.permit(viewer, Action.AUTHORIZE)
    async with services.database.read() as read:
        own = await gate.admit(read, viewer, await by_ids(read, [viewer.account_id]))
    return _page(
        services.site,
        "consent.html",
        # Browsers hold a form to this also where its answer redirects.
        headers={"Content-Security-Policy": _policy(asked)},
        asked=asked,
        username=own[0].item.username if own else "",
        sentences=_sentences(asked.scopes),
        website=asked.application.website,
        shows_code=asked.redirect_uri == rules.OUT_OF_BAND,
        query=query.encoded(),
        csrf=_csrf(secret, query),
    )


@post(f"{PATH}/sign-in", opt=serves(Serves.NOBODY, Action.SIGN_IN), **_ANSWERS)
async def sign_in(
    request: Request[Any, Any, Any], services: Services, passwords: Passwords, limits: Limits
) -> Page:
    """The sign-in form: back to the consent page with a session, or the form again with what was wrong."""
    query = _query(request)
    asked = await _check(services, query, ANONYMOUS)
    form = await parse(request, SignIn)
    try:
        opened = await by_password(request, services, passwords, limits, form)
    except Refused as refusal:
        if refusal.status != 401:
            raise
        return _sign_in_page(services.site, query, asked, wrong=refusal.sentence, username=form.username)
    if isinstance(opened, SecondFactorNeeded):
        return _second_factor_page(services.site, query, asked, opened)
    return _signed_in(request, services, query, opened)


@post(f"{PATH}/second-factor", opt=serves(Serves.NOBODY, Action.SIGN_IN), **_ANSWERS)
async def go_on(request: Request[Any, Any, Any], services: Services, limits: Limits) -> Page:
    """The form for a code: on to the consent page, or the form again."""
    query = _query(request)
    asked = await _check(services, query, ANONYMOUS)
    form = await parse(request, SecondFactor)
    try:
        secret = await by_second_factor(request, services, limits, form)
    except Refused as refusal:
        if refusal.code == "ticket_over":
            return _sign_in_page(services.site, query, asked, wrong=refusal.sentence)
        if refusal.status != 401:
            raise
        again = SecondFactorNeeded(form.ticket, ["totp", "recovery"])
        return _second_factor_page(services.site, query, asked, again, wrong=refusal.sentence)
    return _signed_in(request, services, query, secret)


@post(PATH, opt=serves(Serves.NOBODY, Action.AUTHORIZE), **_ANSWERS)
async def decide(request: Request[Any, Any, Any], viewer: Viewer, services: Services, gate: Gate) -> Page:
    """The consent form: a code for the program, or its refusal."""
    query = _query(request)
    asked = await _check(services, query, viewer)
    form = await parse(request, Decision)
    permit = gate.permit(viewer, Action.AUTHORIZE)
    secret = _session_secret(request, viewer, asked)
    if not hmac.compare_digest(form.csrf.encode(), _csrf(secret, query).encode()):
        raise Refused("cross_site", "This form is out of date. Go back to the application and begin again.")
    if form.decision != "allow":
        raise _ForProgram(query, OAuthError("access_denied", "The request was denied."))
    code = await gate.act(permit, lambda acting: actions.make_code(acting, asked))
    if asked.redirect_uri == rules.OUT_OF_BAND:
        return _page(services.site, "code.html", asked=asked, code=code)
    return _back(asked.redirect_uri, {"code": code}, asked.state)


def _signed_in(request: Request[Any, Any, Any], services: Services, query: Query, secret: str) -> Redirect:
    return Redirect(
        f"{PATH}?{query.encoded()}",
        status_code=303,
        headers=NO_STORE,
        cookies=[session_cookie(services, secret), browser_cookie(request, services)],
    )


def _query(request: Request[Any, Any, Any]) -> Query:
    return msgspec.convert(dict(request.query_params.multi_items()), Query)


async def _check(services: Services, query: Query, viewer: Viewer) -> AuthorizationRequest:
    """Raises Refused as long as it isn't certain whose address this is: nobody is redirected there.

    Nor is anybody who hasn't signed in: a program is registered by whoever likes, and a wrong request would make
    this server a redirector (RFC 9700, 4.11.2).
    """
    async with services.database.read() as read:
        application = await queries.by_client_id(read, query.client_id)
        is_stopped = application is not None and not await queries.is_running(read, application.id)
    if application is None:
        raise Refused("invalid_client", "This application is not registered here.", status=400)
    if is_stopped:
        raise actions.stopped()
    if query.redirect_uri not in application.redirect_uris:
        raise Refused(
            "invalid_redirect_uri", "The application asks for an address that is not its own.", status=400
        )
    try:
        return rules.check_request(
            application,
            redirect_uri=query.redirect_uri,
            response_type=query.response_type,
            scopes=query.scope,
            state=query.state,
            code_challenge=query.code_challenge,
            code_challenge_method=query.code_challenge_method,
        )
    except OAuthError as error:
        if viewer.account_id is None or query.redirect_uri == rules.OUT_OF_BAND:
            raise Refused(error.error, error.description, status=400) from error
        raise _ForProgram(query, error) from error


def _session_secret(request: Request[Any, Any, Any], viewer: Viewer, asked: AuthorizationRequest) -> str:
    """The session in which a person decides. A program's token is none, however it is sent: it could give itself
    more than it has."""
    secret = request.cookies.get(SESSION_COOKIE)
    if (
        not secret
        or bearer_token(request) is not None
        or viewer.application_id is not None
        or not rules.covers(viewer.scopes, asked.scopes)
    ):
        raise Refused("sign_in_first", "Sign in in the browser first.")
    return secret


def _csrf(secret: str, query: Query) -> str:
    """Bound to the session and to what was asked: no other page knows the one or can change the other."""
    return hmac.new(secret.encode(), f"{PATH}?{query.encoded()}".encode(), hashlib.sha256).hexdigest()


def _sign_in_page(
    site: Site, query: Query, asked: AuthorizationRequest, *, wrong: str = "", username: str = ""
) -> Response[str]:
    return _page(
        site,
        "sign_in.html",
        status=401 if wrong else 200,
        asked=asked,
        query=query.encoded(),
        wrong=wrong,
        username=username,
    )


def _second_factor_page(
    site: Site, query: Query, asked: AuthorizationRequest, needed: SecondFactorNeeded, *, wrong: str = ""
) -> Response[str]:
    return _page(
        site,
        "second_factor.html",
        status=401 if wrong else 200,
        asked=asked,
        query=query.encoded(),
        wrong=wrong,
        ticket=needed.ticket,
        takes_codes="totp" in needed.methods or "recovery" in needed.methods,
        passkey=msgspec.json.encode(needed.passkey).decode() if needed.passkey else "",
    )


def _back(redirect_uri: str, answer: dict[str, str], state: str | None) -> Redirect:
    values = answer if state is None else {**answer, "state": state}
    joint = "&" if "?" in redirect_uri else "?"
    # 303: the browser must not send the form on (RFC 9700, 4.12).
    return Redirect(f"{redirect_uri}{joint}{urlencode(values)}", status_code=303, headers=NO_STORE)


def _policy(asked: AuthorizationRequest) -> str:
    if asked.redirect_uri == rules.OUT_OF_BAND:
        return content_security_policy()
    return content_security_policy(form_action=f"'self' {rules.form_target(asked.redirect_uri)}")


def _sentences(scopes: str) -> list[str]:
    sentences = []
    for scope in scopes.split():
        kind = next(one for one in _SENTENCES if scope == one or scope.startswith(f"{one}:"))
        part = scope.removeprefix(kind).removeprefix(":")
        sentences.append(f"{_SENTENCES[kind]} – only: {part}" if part else _SENTENCES[kind])
    return sentences


HANDLERS: list[Any] = [ask, sign_in, go_on, decide]
