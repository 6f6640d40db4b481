"""The web application: every surface's handlers, what they are given, and the rules that hold for all of them."""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import psycopg
import structlog
from litestar import Litestar, Request, Response, get
from litestar.config.cors import CORSConfig
from litestar.datastructures import MutableScopeHeaders, State
from litestar.di import Provide
from litestar.enums import OpenAPIMediaType
from litestar.exceptions.base_exceptions import LitestarDeprecationWarning
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.serialization import encode_json
from litestar.types import ExceptionHandlersMap, Message, Scope
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, StatementError

from folkmoot import __version__
from folkmoot.accounts.oauth.model import OAuthError
from folkmoot.accounts.passwords import Passwords
from folkmoot.gate import Gate, Refused, Serves, Unregistered
from folkmoot.storage.database import DatabaseBusy, DatabaseFull, Unstorable
from folkmoot.surfaces.described.document import document
from folkmoot.surfaces.handlers import FOR_PROGRAMS, OTHERS, OWN_API
from folkmoot.surfaces.http import (
    EXCEPTION_HANDLERS,
    SURFACE,
    WORDS_BYTES_MAX,
    ErrorBody,
    ReadableRequest,
    asked_before_the_body,
    provide_permit,
    provide_viewer,
    register_routes,
    serves,
)
from folkmoot.surfaces.limits import Limits, Metering, TooMany, too_many
from folkmoot.surfaces.mastodon import oauth
from folkmoot.surfaces.mastodon.paging import ID_MAX
from folkmoot.surfaces.mastodon.streams.sockets import SOCKET, register_sockets
from folkmoot.surfaces.mastodon.trending import Trending
from folkmoot.surfaces.networks import AtTheGate
from folkmoot.surfaces.pages import pages
from folkmoot.surfaces.security import HSTS, SECURITY_HEADERS, add_missing
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces.listen import STREAMS, register_listen
from folkmoot.surfaces.spaces.offers import say_what_is_taken
from folkmoot.surfaces.under_way import UnderWay

log = structlog.get_logger(__name__)

# Clients that are web pages elsewhere use tokens, never our cookie: any origin, no credentials.
_CORS = CORSConfig(
    allow_origins=["*"],
    allow_credentials=False,
    expose_headers=[
        "Link",
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
        "Retry-After",
        "Location",
        "Folkmoot-Resume-Token",
    ],
)


class Equipment:
    """What handlers and the metering are given: one for each application, in its `state.equipment`.

    Tests put other things into an application that is built: building is most of what a short test would take.
    """

    def __init__(self, services: Services, passwords: Passwords) -> None:
        self.use(services, passwords)

    def use(self, services: Services, passwords: Passwords) -> None:
        """Give these from now on; what was counted against limits is forgotten."""
        self.services = services
        self.passwords = passwords
        self.limits = Limits(services.clock_ms)
        self.trending = Trending(services.clock_ms)

    def close(self) -> None:
        self.passwords.close()


def build_app(services: Services, *, passwords: Passwords | None = None) -> Litestar:
    """Build the application and enter its routes in the gate's register; raises Unregistered for a silent one."""
    equipment = Equipment(services, passwords or Passwords())
    app = _litestar(
        route_handlers=[*OWN_API, *OTHERS, openapi],
        dependencies={
            "services": _given(lambda: equipment.services),
            "gate": Provide(_gate, sync_to_thread=False),
            "passwords": _given(lambda: equipment.passwords),
            "limits": _given(lambda: equipment.limits),
            "trending": _given(lambda: equipment.trending),
            "viewer": Provide(provide_viewer),
            "permit": Provide(provide_permit),
        },
        middleware=[
            AtTheGate(lambda: equipment.services.networks),
            UnderWay(lambda: equipment.services.leases),
            Metering(lambda: equipment.limits),
        ],
        guards=[asked_before_the_body(lambda: equipment.services.gate)],
        exception_handlers=_EXCEPTION_HANDLERS,
        before_request=_refuse_impossible_ids,
        before_send=[_secure, _say_all_methods, say_what_is_taken],
        on_shutdown=[equipment.close],
        state=State({"equipment": equipment}),
        cors_config=_CORS,
        request_max_body_size=WORDS_BYTES_MAX,
        request_class=ReadableRequest,
        openapi_config=None,
        logging_config=None,
    )
    register_routes(app, services.register)
    register_listen(services.register)
    register_sockets(services.register)
    _require_that_routes_ask(app)
    return app


@cache
def openapi_document() -> bytes:
    """The OpenAPI document of all that programs may ask for, as JSON: also what the web client's types of our own
    API are generated from."""
    described = _litestar(
        route_handlers=list(OWN_API),
        # Only their names count: a parameter that is a dependency is no parameter of the API.
        dependencies={
            name: _given(lambda: None) for name in ("services", "gate", "passwords", "limits", "viewer", "permit")
        },
        openapi_config=OpenAPIConfig(title="Folkmoot", version=__version__),
        logging_config=None,
    )
    own = described.openapi_schema.to_schema()
    return encode_json(document(own, OWN_API, FOR_PROGRAMS, [*STREAMS, SOCKET]))


@get(
    "/api/folkmoot/v1/openapi.json",
    opt=serves(Serves.NOBODY),
    media_type=OpenAPIMediaType.OPENAPI_JSON,
    sync_to_thread=True,
)
def openapi() -> bytes:
    """The OpenAPI document. It is made once, in a second, which others needn't wait for."""
    return openapi_document()


def _litestar(**configuration: Any) -> Litestar:
    with warnings.catch_warnings():
        # Handlers take what they are given by its name. Litestar 3 will want each marked (`NamedDependency[…]`,
        # `FromPath[…]`), which says nothing more; the version is held below it.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        return Litestar(**configuration)


def _given(what: Callable[[], Any]) -> Provide:
    return Provide(what, sync_to_thread=False)


def _gate(services: Services) -> Gate:
    """By way of the services, so that a route's viewer, gate and services are made one after the other: Litestar
    makes what needs nothing of each other in tasks, which cost more than what they make."""
    return services.gate


def _require_that_routes_ask(app: Litestar) -> None:
    """Who is asking is found out for handlers that take it: one that serves somebody has to."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            declaration = handler.opt.get(SURFACE) if isinstance(handler, HTTPRouteHandler) else None
            if declaration is None or declaration.serves is Serves.NOBODY:
                continue
            if not {"viewer", "permit"} & handler.parsed_fn_signature.parameters.keys():
                raise Unregistered(f"{route.path} serves {declaration.serves} and never asks who is there")


async def _refuse_impossible_ids(request: Request[Any, Any, Any]) -> None:
    """A number that no id can be is no row, rather than an error of the database's driver."""
    if any(isinstance(value, int) and value > ID_MAX for value in request.path_params.values()):
        raise Refused("not_found", "Record not found.", status=404)


_POLICY = b"content-security-policy"


async def _secure(message: Message, scope: Scope) -> None:
    if message["type"] == "http.response.start":
        equipment: Equipment = scope["litestar_app"].state.equipment
        is_https = equipment.services.site.base_url.startswith("https://")
        headers = SECURITY_HEADERS | ({"Strict-Transport-Security": HSTS} if is_https else {})
        if any(name.lower() == _POLICY and b"frame-ancestors *" in value for name, value in message["headers"]):
            # It would say the opposite to browsers that know only this one.
            del headers["X-Frame-Options"]
        add_missing(message, headers)


async def _say_all_methods(message: Message, scope: Scope) -> None:
    """`Allow` in the answer to OPTIONS: Litestar's own names only those of the first handler of an address."""
    if message["type"] == "http.response.start" and scope.get("method") == "OPTIONS":
        headers = MutableScopeHeaders.from_message(message)
        methods = (one.methods for one in scope["litestar_app"].routes if one.path_format == scope["path_template"])
        if "Allow" in headers:
            headers["Allow"] = ", ".join(sorted(next(methods)))


def _busy(_request: Request[Any, Any, Any], _error: DatabaseBusy) -> Response[ErrorBody]:
    body = ErrorBody("The server is busy. Try again in a moment.", "busy")
    return Response(body, status_code=503, headers={"Retry-After": "1"})


def _away(request: Request[Any, Any, Any], error: DBAPIError) -> Response[ErrorBody]:
    if not isinstance(error.orig, (psycopg.OperationalError, psycopg.InterfaceError)):
        return _failed(request, error)  # SQLite's file is there, so it is a fault of ours
    log.error("database away", method=request.method, path=request.url.path, exc_info=error)
    body = ErrorBody("The server's database does not answer. Try again in a moment.", "database_away")
    return Response(body, status_code=503, headers={"Retry-After": "5"})


def _full(_request: Request[Any, Any, Any], _error: DatabaseFull) -> Response[ErrorBody]:
    body = ErrorBody("The server's disk is full: nothing was kept of this. Tell its operator.", "disk_full")
    return Response(body, status_code=507)


def _unstorable(_request: Request[Any, Any, Any], error: Unstorable) -> Response[ErrorBody]:
    return Response(ErrorBody(f"Validation failed: {error}.", "validation_failed"), status_code=422)


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    if isinstance(error, StatementError):
        error.hide_parameters = True  # what was bound can be a password's hash, an address, a private text
    # The path without its query: a code or a state can be in that.
    log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return Response(ErrorBody("Something went wrong here. It has been logged.", "internal"), status_code=500)


def _as_page(handler: Any) -> Any:
    """For programs the error as it is; for a person who looks at a page, the page, with the error's status."""

    def handle(request: Request[Any, Any, Any], error: Any) -> Response[Any]:
        answer: Response[Any] = handler(request, error)
        if not pages.is_page_request(request) or answer.status_code not in (401, 403, 404):
            return answer
        equipment: Equipment = request.app.state.equipment
        return pages.error_page(equipment.services, answer.status_code)

    return handle


_EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    **{kind: _as_page(handler) for kind, handler in EXCEPTION_HANDLERS.items()},
    TooMany: too_many,
    OAuthError: oauth.oauth_error,
    DatabaseBusy: _busy,
    DatabaseFull: _full,
    Unstorable: _unstorable,
    OperationalError: _away,
    InterfaceError: _away,
    Exception: _failed,
}
