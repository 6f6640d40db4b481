"""The headers that every answer carries."""

from collections.abc import Mapping

from litestar.types import HTTPResponseStartEvent

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


def content_security_policy(**directives: str) -> str:
    """The strict policy (CSP 3), with single directives in place of its own: `form_action="'self' app:"`."""
    changed = {name.replace("_", "-"): value for name, value in directives.items()}
    assert changed.keys() <= _POLICY.keys()
    return "; ".join(f"{name} {value}" for name, value in (_POLICY | changed).items())


SECURITY_HEADERS = {
    "Content-Security-Policy": content_security_policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=()",
}
HSTS = "max-age=31536000"
"""RFC 6797: browsers come back by HTTPS for a year. For servers whose address is one of HTTPS."""
NO_STORE = {"Cache-Control": "no-store"}


def add_missing(message: HTTPResponseStartEvent, headers: Mapping[str, str]) -> None:
    """Let an answer carry those of the headers that it has not."""
    there = {name.lower() for name, _ in message["headers"]}
    added = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    message["headers"] = [*message["headers"], *(one for one in added if one[0] not in there)]
