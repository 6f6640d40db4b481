"""The web application: every surface's handlers, what they are given, and the rules that hold for all of them."""

from typing import Any

from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.datastructures import MutableScopeHeaders
from litestar.di import Provide
from litestar.types import Message, Scope

from folkmoot.gate import Gate
from folkmoot.surfaces import static
from folkmoot.surfaces.http import EXCEPTION_HANDLERS, provide_permit, provide_viewer, register_routes
from folkmoot.surfaces.services import Services

BODY_BYTES_MAX = 1_000_000
# One line for each surface module.
OWN_API: list[Any] = []
HANDLERS: list[Any] = [*OWN_API, *static.HANDLERS]

SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "worker-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=()",
}
_CORS = CORSConfig(
    allow_origins=["*"],
    allow_credentials=False,
    expose_headers=["Link", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"],
)


def build_app(services: Services) -> Litestar:
    """Build the application and enter its routes in the gate's register; raises Unregistered for a silent one."""

    def provide_services() -> Services:
        return services

    def provide_gate() -> Gate:
        return services.gate

    app = Litestar(
        route_handlers=HANDLERS,
        dependencies={
            "services": Provide(provide_services, sync_to_thread=False),
            "gate": Provide(provide_gate, sync_to_thread=False),
            "viewer": Provide(provide_viewer),
            "permit": Provide(provide_permit),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        before_send=[_secure],
        cors_config=_CORS,
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
    )
    register_routes(app, services.register)
    return app


async def _secure(message: Message, _scope: Scope) -> None:
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
