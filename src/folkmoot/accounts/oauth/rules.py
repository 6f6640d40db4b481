"""What OAuth 2 allows here: scopes, redirect addresses, PKCE. Pure.

Sources: RFC 6749, RFC 7636 (PKCE), RFC 8252 (native programs), RFC 9700 (best current practice), Mastodon's scopes.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable

from folkmoot.accounts.oauth.model import Application, AuthorizationRequest, OAuthError

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
CODE_LASTS_MS = 10 * 60 * 1000
REDIRECT_URIS_MAX = 20
REDIRECT_URI_CHARACTERS_MAX = 2000
NAME_CHARACTERS_MAX = 60
DEFAULT_SCOPES = "read"

_READ = "accounts blocks bookmarks favourites filters follows lists mutes notifications search statuses"
_WRITE = (
    "accounts blocks bookmarks conversations favourites filters follows lists media mutes notifications reports"
)
_ADMIN = "accounts reports domain_allows domain_blocks canonical_email_blocks email_domain_blocks ip_blocks"
SCOPES: tuple[str, ...] = (
    "read",
    *(f"read:{part}" for part in _READ.split()),
    "write",
    *(f"write:{part}" for part in [*_WRITE.split(), "statuses"]),
    "follow",
    "push",
    "profile",
    *(f"admin:{verb}{part}" for verb in ("read", "write") for part in ("", *(f":{one}" for one in _ADMIN.split()))),
)
# The old scope for everything between two accounts.
_FOLLOW = frozenset(f"{verb}:{part}" for verb in ("read", "write") for part in ("follows", "blocks", "mutes"))

_PARENTS = {"profile": "read"} | {scope: scope.rpartition(":")[0] for scope in SCOPES if scope.count(":") == 2}

# RFC 3986 without user information, without a fragment, and without anything that a header, a page or a URL parser
# could read in two ways (quotes, backslashes, spaces, non-ASCII).
_WEB_ADDRESS = re.compile(
    r"(?P<origin>https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)"
    r"(?:[/?][A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]*)?"
)
_OWN_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):[A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]*", re.IGNORECASE)
# Schemes that a browser would run, read or nest, rather than hand to a program.
_REFUSED_SCHEMES = re.compile(
    r"about|blob|chrome|chrome-extension|data|feed|file|filesystem|ftp|https?|intent|jar|javascript|mailto"
    r"|moz-extension|resource|sms|tel|urn|vbscript|view-source|wss?",
    re.IGNORECASE,
)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def clean_scopes(scopes: str | None) -> str:
    """The scopes asked for, each once, in their order. Raises OAuthError `invalid_scope` for an unknown one."""
    asked = list(dict.fromkeys((scopes or DEFAULT_SCOPES).split())) or [DEFAULT_SCOPES]
    for scope in asked:
        if scope not in SCOPES:
            raise OAuthError("invalid_scope", "The requested scope is invalid, unknown, or malformed.")
    return " ".join(asked)


def covers(granted: Iterable[str], asked: str) -> bool:
    """Whether every scope of `asked` is among the granted ones or within one of them."""
    held = frozenset(granted)
    within = held | _FOLLOW if "follow" in held else held
    return all(scope in within or _PARENTS.get(scope, scope.partition(":")[0]) in held for scope in asked.split())


def check_redirect_uri(address: str) -> None:
    """Whether a browser may be sent there with a code. Raises OAuthError `invalid_redirect_uri`."""
    if address == OUT_OF_BAND:
        return
    if len(address) <= REDIRECT_URI_CHARACTERS_MAX:
        if _WEB_ADDRESS.fullmatch(address):
            return
        own = _OWN_SCHEME.fullmatch(address)
        if own and not _REFUSED_SCHEMES.fullmatch(own["scheme"]):
            return
    raise OAuthError("invalid_redirect_uri", "The redirect address is invalid.", status=422)


def clean_website(address: str | None) -> str | None:
    """A program's site, for a link: a web address or nothing. Raises OAuthError `invalid_request`."""
    if not address:
        return None
    if len(address) > REDIRECT_URI_CHARACTERS_MAX or not _WEB_ADDRESS.fullmatch(address.partition("#")[0]):
        raise OAuthError("invalid_request", "The website must be a valid web address.", status=422)
    return address.partition("#")[0]


def form_target(redirect_uri: str) -> str:
    """The source expression for `form-action`: where the answer to a consent form leads (CSP 3, 2.3.1)."""
    web = _WEB_ADDRESS.fullmatch(redirect_uri)
    if web and "[" not in web["origin"]:
        return web["origin"]
    return redirect_uri.partition(":")[0].lower() + ":"  # CSP has no form for IPv6 addresses either


def check_request(
    application: Application,
    *,
    redirect_uri: str,
    response_type: str,
    scopes: str | None,
    state: str | None,
    code_challenge: str | None,
    code_challenge_method: str | None,
) -> AuthorizationRequest:
    """A request for an authorization code whose redirect address has been matched already.

    Raises OAuthError, which is for the program: it travels in the redirect.
    """
    if response_type != "code":
        raise OAuthError("unsupported_response_type", "Only the response type “code” is supported.")
    asked = clean_scopes(scopes)
    if not covers(application.scopes.split(), asked):
        raise OAuthError("invalid_scope", "The application was not registered for this scope.")
    if code_challenge is None and code_challenge_method is not None:
        raise OAuthError("invalid_request", "A code_challenge_method without a code_challenge.")
    if code_challenge is not None and code_challenge_method != "S256":
        raise OAuthError("invalid_request", "The code_challenge_method has to be S256.")
    if code_challenge is not None and not _CHALLENGE.fullmatch(code_challenge):
        raise OAuthError("invalid_request", "The code_challenge is not the base64url of a SHA-256.")
    return AuthorizationRequest(application, redirect_uri, asked, state, code_challenge)


def meets_challenge(verifier: str | None, challenge: str | None) -> bool:
    """PKCE, S256 (RFC 7636, 4.6). A verifier for a request that had no challenge is a sign of a downgrade."""
    if challenge is None:
        return verifier is None
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        return False
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return hmac.compare_digest(hashed, challenge)
