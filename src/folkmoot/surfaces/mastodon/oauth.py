"""OAuth 2 as the Mastodon API has it: programs register, exchange codes for tokens, and give tokens back.

Sources: RFC 6749, 7009 (revocation), 7636 (PKCE), 8414 (metadata); https://docs.joinmastodon.org/methods/oauth/.
Neither refresh tokens nor expiry: a token lives until it is revoked or its account loses a right.
"""

import base64
import binascii
import hmac
from typing import Any, TypeVar
from urllib.parse import unquote_plus

import msgspec
from litestar import Request, Response, get, post

from folkmoot.accounts.oauth import actions, queries, rules
from folkmoot.accounts.oauth.model import Application, NewApplication, OAuthError
from folkmoot.accounts.rules import clean_line
from folkmoot.gate import Action, Gate, Refused, Serves, Viewer, invalid
from folkmoot.storage.database import digest
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.limits import Limits, client_address
from folkmoot.surfaces.mastodon import entities, oauth_pages, present
from folkmoot.surfaces.mastodon.accounts import admit
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services, Site


class Register(msgspec.Struct):
    """`redirect_uris`: a list, or one a line."""

    client_name: str
    redirect_uris: str | list[str]
    scopes: str | None = None
    website: str | None = None


class TokenRequest(msgspec.Struct):
    """RFC 6749, 4.1.3 and 4.4.2."""

    grant_type: str = ""
    code: str = ""
    redirect_uri: str = ""
    scope: str | None = None
    code_verifier: str | None = None
    client_id: str | None = None
    client_secret: str | None = None


class RevokeRequest(msgspec.Struct):
    """RFC 7009, 2.1."""

    token: str = ""
    client_id: str | None = None
    client_secret: str | None = None


Body = TypeVar("Body")


class UserInfo(msgspec.Struct):
    """OpenID Connect Core 1.0, 5.1."""

    iss: str
    sub: str
    name: str
    preferred_username: str
    profile: str
    picture: str


class OAuthErrorBody(msgspec.Struct):
    """RFC 6749, 5.2."""

    error: str
    error_description: str


@post("/api/v1/apps", opt=serves(Serves.NOBODY, Action.AUTHORIZE), status_code=200)
async def register(
    request: Request[Any, Any, Any], gate: Gate, services: Services, limits: Limits
) -> Response[entities.CredentialApplication]:
    """Register a program. Its secret is shown this once."""
    limits.register_application(client_address(request))
    new = _clean(await parse(request, Register))
    permit = gate.permit_system(Action.AUTHORIZE, "oauth")
    application, secret = await gate.act(permit, lambda acting: actions.register(acting, new))
    shown = entities.CredentialApplication(
        **msgspec.structs.asdict(_verified(application, services.site)),
        client_id=application.client_id,
        client_secret=secret,
    )
    return Response(shown, headers=NO_STORE)


@get("/api/v1/apps/verify_credentials", opt=serves(Serves.NOBODY))
async def verify_application(viewer: Viewer, services: Services) -> entities.VerifiedApplication:
    """The program that a token was given to."""
    application = None
    if viewer.application_id is not None:
        async with services.database.read() as read:
            application = await queries.application(read, viewer.application_id)
    if application is None:
        raise Refused("invalid_token", "The access token is invalid", status=401)
    return _verified(application, services.site)


@post("/oauth/token", opt=serves(Serves.NOBODY, Action.AUTHORIZE), status_code=200)
async def token(request: Request[Any, Any, Any], services: Services, gate: Gate) -> Response[entities.Token]:
    """A token for an authorization code, or for the program itself."""
    asked = await _parse(request, TokenRequest)
    application = await _authenticate(request, services, asked.client_id, asked.client_secret)
    permit = gate.permit_system(Action.AUTHORIZE, "oauth")
    if asked.grant_type == "authorization_code":
        grant = await gate.act(
            permit,
            lambda acting: actions.exchange_code(
                acting,
                application,
                code=asked.code,
                redirect_uri=asked.redirect_uri,
                verifier=asked.code_verifier,
            ),
        )
    elif asked.grant_type == "client_credentials":
        scopes = rules.clean_scopes(asked.scope)
        if not rules.covers(application.scopes.split(), scopes):
            raise OAuthError("invalid_scope", "The application was not registered for this scope.")
        grant = await gate.act(permit, lambda acting: actions.grant_to_application(acting, application, scopes))
    else:
        raise OAuthError("unsupported_grant_type", "Use authorization_code or client_credentials.")
    if grant is None:
        raise OAuthError("invalid_grant", "The code is unknown, used, too old, or was made for another request.")
    shown = entities.Token(
        access_token=grant.access_token, scope=grant.scopes, created_at=grant.created_at_ms // 1000
    )
    return Response(shown, headers=NO_STORE)


@post("/oauth/revoke", opt=serves(Serves.NOBODY, Action.AUTHORIZE), status_code=200)
async def revoke(request: Request[Any, Any, Any], services: Services, gate: Gate) -> dict[str, str]:
    """End a token, and whatever was opened with it."""
    asked = await _parse(request, RevokeRequest)
    application = await _authenticate(request, services, asked.client_id, asked.client_secret)
    permit = gate.permit_system(Action.AUTHORIZE, "oauth")
    if not await gate.act(permit, lambda acting: actions.revoke_token(acting, application, asked.token)):
        raise OAuthError("unauthorized_client", "This token belongs to another application.", status=403)
    return {}


@get("/.well-known/oauth-authorization-server", opt=serves(Serves.NOBODY), sync_to_thread=False)
def metadata(services: Services) -> dict[str, Any]:
    """RFC 8414, with Mastodon's `app_registration_endpoint`."""
    base_url = services.site.base_url
    return {
        "issuer": base_url,
        "service_documentation": "https://docs.joinmastodon.org/",
        "authorization_endpoint": f"{base_url}/oauth/authorize",
        "token_endpoint": f"{base_url}/oauth/token",
        "app_registration_endpoint": f"{base_url}/api/v1/apps",
        "revocation_endpoint": f"{base_url}/oauth/revoke",
        "userinfo_endpoint": f"{base_url}/oauth/userinfo",
        "scopes_supported": list(rules.SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    }


@get("/oauth/userinfo", opt=serves(Serves.SIGNED_IN, scope="profile"))
async def userinfo(viewer: Viewer, services: Services) -> Response[UserInfo]:
    """Who has given the program its token, in the claims of OpenID Connect."""
    return await _userinfo(viewer, services)


@post("/oauth/userinfo", opt=serves(Serves.SIGNED_IN, scope="profile"), status_code=200)
async def userinfo_by_post(viewer: Viewer, services: Services) -> Response[UserInfo]:
    """The same (OpenID Connect Core 1.0, 5.3.1)."""
    return await _userinfo(viewer, services)


async def _userinfo(viewer: Viewer, services: Services) -> Response[UserInfo]:
    async with services.database.read() as read:
        own = present.account(await admit(services, read, viewer, str(viewer.id)), services.site)
    said = UserInfo(
        iss=services.site.base_url,
        sub=own.uri,
        name=own.display_name or own.username,
        preferred_username=own.username,
        profile=own.url,
        picture=own.avatar,
    )
    return Response(said, headers=NO_STORE)


def oauth_error(_request: Request[Any, Any, Any], error: OAuthError) -> Response[OAuthErrorBody]:
    """The exception handler for OAuthError."""
    headers = {"WWW-Authenticate": 'Basic realm="folkmoot"'} if error.status == 401 else {}
    return Response(
        OAuthErrorBody(error.error, error.description),
        status_code=error.status,
        headers=NO_STORE | headers,
    )


def _clean(asked: Register) -> NewApplication:
    addresses = asked.redirect_uris.split() if isinstance(asked.redirect_uris, str) else asked.redirect_uris
    if not 0 < len(addresses) <= rules.REDIRECT_URIS_MAX:
        raise invalid("Redirect URI can't be blank")
    name = clean_line(asked.client_name, "client_name", "An application's name", rules.NAME_CHARACTERS_MAX)
    if not name:
        raise invalid("Application name can't be blank")
    try:
        for address in addresses:
            rules.check_redirect_uri(address)
        scopes = rules.clean_scopes(asked.scopes)
        website = rules.clean_website(asked.website)
    except OAuthError as error:
        raise invalid(f"{error.description}") from error
    return NewApplication(name, website, tuple(dict.fromkeys(addresses)), scopes)


def _verified(application: Application, site: Site) -> entities.VerifiedApplication:
    return entities.VerifiedApplication(
        id=str(application.id),
        name=application.name,
        website=application.website,
        scopes=application.scopes.split(),
        redirect_uri="\n".join(application.redirect_uris),
        redirect_uris=list(application.redirect_uris),
        vapid_key=site.vapid_key,
    )


async def _parse(request: Request[Any, Any, Any], kind: type[Body]) -> Body:
    try:
        return await parse(request, kind)
    except Refused as refusal:
        raise OAuthError("invalid_request", refusal.sentence) from refusal


async def _authenticate(
    request: Request[Any, Any, Any], services: Services, client_id: str | None, secret: str | None
) -> Application:
    """The program that asks: by HTTP Basic or in the body (RFC 6749, 2.3.1). Raises OAuthError 401."""
    basic = _basic(request.headers.get("authorization", ""))
    client_id, secret = basic or (client_id or "", secret or "")
    async with services.database.read() as read:
        application = await queries.by_client_id(read, client_id)
        is_stopped = application is not None and not await queries.is_running(read, application.id)
    stored = application.client_secret_hash if application else b""
    if not hmac.compare_digest(digest(secret), stored) or application is None:
        raise OAuthError("invalid_client", "The client is unknown, or its secret is wrong.", status=401)
    if is_stopped:
        raise OAuthError("unauthorized_client", actions.stopped().sentence)
    return application


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)


HANDLERS: list[Any] = [
    register,
    verify_application,
    token,
    revoke,
    metadata,
    userinfo,
    userinfo_by_post,
    *oauth_pages.HANDLERS,
]
