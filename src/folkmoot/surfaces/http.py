"""What every HTTP surface shares: how a route says whom it serves, who is asking, and the form of an error.

A route carries `opt=serves(...)`; `register_routes` reads it when the application is built, and a route without one
stops the start. The viewer and the permit reach a handler as dependencies, made from that same declaration, so a
handler cannot forget to ask.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, ValidationException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.types import ExceptionHandlersMap, Guard

from folkmoot.accounts.oauth.rules import covers
from folkmoot.accounts.second_factor.queries import factors_of
from folkmoot.gate import (
    ANONYMOUS,
    Action,
    Gate,
    Permit,
    Refused,
    Register,
    Serves,
    Surface,
    Unregistered,
    Viewer,
    invalid,
)
from folkmoot.surfaces import under_way
from folkmoot.surfaces.forms import as_sent, in_turn, nested, part_names
from folkmoot.surfaces.security import NO_STORE

Body = TypeVar("Body")
AnyRequest = Request[Any, Any, Any]
SESSION_COOKIE = "folkmoot_session"
SURFACE = "surface"
WORDS_BYTES_MAX = 1_000_000
"""Of a body, and of what isn't files in a body that holds some."""
FIELDS_MAX = 5_000
_VIEWER = "viewer"
_ENDED = "ended"


class Declaration(msgspec.Struct, frozen=True):
    """What a route says of itself: whom it serves, which action it is, which OAuth scope a token needs for it."""

    serves: Serves
    action: Action
    scope: str
    token_in_query: bool = False


def serves(
    whom: Serves, action: Action = Action.READ, scope: str = "", *, token_in_query: bool = False
) -> dict[str, Any]:
    """The `opt` of a route handler: `@get(path, opt=serves(Serves.SIGNED_IN, scope="read:statuses"))`.

    `token_in_query`: also `access_token` in the address (RFC 6750, 2.3), where browsers send no header of ours.
    """
    return {SURFACE: Declaration(whom, action, scope, token_in_query)}


def register_routes(app: Litestar, register: Register) -> None:
    """Enter every route of the application in the gate's register; raise Unregistered for one that is silent."""
    for route in app.routes:
        # Others (a WebSocket, a mounted ASGI application) have one `route_handler`, which this would pass over.
        if not isinstance(route, HTTPRoute):
            raise Unregistered(f"{route.path} is not an HTTP route: register it as what it is")
        for handler in route.route_handlers:
            declaration = handler.opt.get(SURFACE)
            for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                if declaration is None:
                    raise Unregistered(f"{method} {route.path} does not say whom it serves")
                name = f"{method} {route.path_format}"
                register.add(Surface("route", name, declaration.serves, declaration.action, declaration.scope))


async def provide_viewer(request: Request[Any, Any, Any], gate: Gate) -> Viewer:
    """Who asks: a bearer token, the web client's session cookie, or nobody.

    Raises Refused 401 without a credential where one is needed, or with one that opens nothing (any more); 403 for
    a scope that is too small, a standing that may not open this, or a cookie on a request from another site.
    """
    known: Viewer | None = request.scope["state"].get(_VIEWER)
    if known is not None:
        return known
    declaration: Declaration = request.route_handler.opt[SURFACE]
    if declaration.serves is Serves.ALIKE:
        return ANONYMOUS
    viewer = await _identify(request, gate, declaration)
    under_way.hold(request, viewer.stamps)
    services = request.app.state.equipment.services
    services.used.note(viewer.token_id)
    if declaration.serves in (Serves.NOBODY, Serves.ANYONE) and viewer.account_id is None:
        return viewer
    if declaration.serves is not Serves.NOBODY:
        gate.permit(viewer, declaration.action)
        require_scope(viewer, declaration.scope)
    if declaration.serves is Serves.MODERATOR and services.site.moderators_second_factor:
        await _require_second_factor(gate, viewer)
    return viewer


async def _require_second_factor(gate: Gate, viewer: Viewer) -> None:
    async with gate.database.read() as read:
        factors = await factors_of(read, viewer.id)
    if not factors.any:
        raise Refused(
            "second_factor_missing",
            "Moderators of this server need a second factor: set one up in the settings, under Security.",
        )


def asked_before_the_body(gate: Callable[[], Gate]) -> Guard:
    """A guard for all routes. Litestar reads the body that a handler takes as `data` before it makes dependencies:
    whoever may not send it would be heard to its end."""

    async def ask(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        declaration: Declaration | None = handler.opt.get(SURFACE)
        takes_data = isinstance(handler, HTTPRouteHandler) and "data" in handler.parsed_fn_signature.parameters
        if takes_data and declaration is not None and declaration.serves is not Serves.NOBODY:
            connection.scope["state"][_VIEWER] = await provide_viewer(cast(AnyRequest, connection), gate())

    return ask


async def provide_permit(request: Request[Any, Any, Any], gate: Gate, viewer: Viewer) -> Permit:
    """The permit for the action that the route declares."""
    return gate.permit(viewer, request.route_handler.opt[SURFACE].action)


async def _identify(request: Request[Any, Any, Any], gate: Gate, declaration: Declaration) -> Viewer:
    bearer = bearer_token(request) or (declaration.token_in_query and request.query_params.get("access_token"))
    if bearer:
        return await gate.identify(bearer)
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie:
        return ANONYMOUS
    if request.method not in under_way.READING:
        _require_same_origin(request)
    try:
        return await gate.identify(cookie)
    except Refused as refused:
        # A session that ended must not lock its browser out of what anybody may read.
        if declaration.serves in (Serves.ANYONE, Serves.NOBODY):
            request.scope["state"][_ENDED] = refused
            return ANONYMOUS
        raise


async def by_cookie(connection: ASGIConnection[Any, Any, Any, Any], gate: Gate) -> Viewer:
    """Who opens a WebSocket from our own pages: browsers send the cookie along from everybody's (RFC 6455, 10.2).

    Raises Refused 403 for other pages, 401 for a session that is over.
    """
    cookie = connection.cookies.get(SESSION_COOKIE)
    if not cookie:
        return ANONYMOUS
    _require_same_origin(connection)
    return await gate.identify(cookie)


def why_signed_out(request: AnyRequest) -> str:
    """What to say to a browser whose session was one of the suspended, and is over with that; else nothing."""
    ended: Refused | None = request.scope["state"].get(_ENDED)
    return ended.sentence if ended is not None and ended.code == "sign_in_anew" else ""


def bearer_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The token of `Authorization: Bearer …` (RFC 6750), if there is one."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _require_same_origin(request: ASGIConnection[Any, Any, Any, Any]) -> None:
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site") == "same-origin":
        return
    if origin is None or urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused("cross_site", "This request came from another site and was not carried out.")


def require_scope(viewer: Viewer, scope: str) -> None:
    """Raises Refused 403 for a credential without the OAuth scope. A session of the web client has them all."""
    if scope and not covers(viewer.scopes, scope):
        raise Refused("insufficient_scope", "This action is outside the authorized scopes")


def require_own_pages(viewer: Viewer) -> None:
    """Raises Refused 403 for a program: it may act for somebody, not speak for them about themselves."""
    if viewer.application_id is not None:
        raise Refused("insufficient_scope", "A program can't do this. Do it on this server's own pages.")


class ReadableRequest(Request[Any, Any, Any]):
    """A request whose JSON body is refused, whatever makes it unreadable."""

    async def json(self) -> Any:
        """The body as JSON. Raises Refused 422 for what Litestar would let through as our own failure."""
        try:
            return await super().json()
        except _UNREADABLE as error:
            raise _unreadable(error) from error


# What msgspec says of text that is not UTF-8, and of lists a thousand deep.
_UNREADABLE = (UnicodeDecodeError, RecursionError)


def _unreadable(error: Exception) -> Refused:
    why = "not UTF-8" if isinstance(error, UnicodeDecodeError) else "nested too deeply"
    return invalid(f"the body is {why}")


async def parse(request: Request[Any, Any, Any], kind: type[Body]) -> Body:
    """The request's body as JSON, form or multipart, whichever it says it is, checked against `kind`.

    Mastodon clients send all three (forms.py: how names of fields nest, and values are cast). Raises Refused 422
    with the first thing that is wrong.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "multipart/form-data":
        _require_few_words(request)
    try:
        if content_type == "application/json":
            return as_sent(msgspec.json.decode(await request.body() or b"{}"), kind)
        return as_sent(await _form(request, content_type), kind)
    except msgspec.MsgspecError as error:
        raise invalid(str(error)) from error
    except _UNREADABLE as error:
        raise _unreadable(error) from error


async def _form(request: Request[Any, Any, Any], content_type: str) -> dict[str, Any]:
    """In the order in which it was sent, as far as that is known: Litestar keeps it of the query, not of forms."""
    items: list[tuple[str, Any]] = list(request.query_params.items())
    if content_type == "application/x-www-form-urlencoded":
        items += _pairs((await request.body()).decode())
    else:
        # What is no larger than words is read as a whole first: of files, only the form itself is.
        length = request.content_length
        body = await request.body() if length is not None and length <= WORDS_BYTES_MAX else b""
        form = await request.form()
        order = part_names(body, request.content_type[1].get("boundary", ""))
        items += in_turn({name: form.getall(name) for name in dict.fromkeys(form)}, order)
    if sum(len(value) for _, value in items if isinstance(value, str)) > WORDS_BYTES_MAX:
        raise RequestEntityTooLarge
    return nested(items)


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise invalid(f"the body has more than {FIELDS_MAX} fields") from error


def _require_few_words(request: AnyRequest) -> None:
    """Where a route takes large bodies, that is for the files in them. Raises 411 and 413."""
    if (request.route_handler.resolve_request_max_body_size() or 0) <= WORDS_BYTES_MAX:
        return
    length = request.headers.get("content-length", "" if "transfer-encoding" in request.headers else "0")
    if not length.isdigit():
        raise Refused("length_required", "Say how long the body is (Content-Length).", status=411)
    if int(length) > WORDS_BYTES_MAX:
        raise RequestEntityTooLarge


class ErrorBody(msgspec.Struct):
    """Mastodon's form of an error, with a stable `code` for programs."""

    error: str
    code: str


def _refused(_request: Request[Any, Any, Any], refusal: Refused) -> Response[ErrorBody]:
    headers = dict(NO_STORE)  # a cache may otherwise keep a 404 or a 410 as long as it sees fit (RFC 9111, 4.2.2)
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="folkmoot"'
    headers |= refusal.headers
    return Response(ErrorBody(refusal.sentence, refusal.code), status_code=refusal.status, headers=headers)


def _invalid(_request: Request[Any, Any, Any], error: ValidationException) -> Response[ErrorBody]:
    details = error.extra if isinstance(error.extra, list) else []
    first = details[0] if details and isinstance(details[0], dict) else {}
    where = f" ({first['key']})" if first.get("key") else ""
    sentence = f"Validation failed: {first.get('message', error.detail)}{where}"
    return Response(ErrorBody(sentence, "validation_failed"), status_code=422)


def _http_error(_request: Request[Any, Any, Any], error: HTTPException) -> Response[ErrorBody]:
    sentence = "Record not found" if error.status_code == 404 else error.detail
    body = ErrorBody(sentence, f"http_{error.status_code}")
    return Response(body, status_code=error.status_code, headers=NO_STORE)


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    Refused: _refused,
    ValidationException: _invalid,
    HTTPException: _http_error,
}
