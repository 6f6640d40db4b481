"""Programs that act for people, and what they ask for. Plain data."""

import msgspec

from folkmoot.gate.model import Sanction


class Application(msgspec.Struct, frozen=True):
    """A registered program."""

    id: int
    client_id: str
    client_secret_hash: bytes
    name: str
    website: str | None
    redirect_uris: tuple[str, ...]
    scopes: str


class Registered(msgspec.Struct, frozen=True):
    """A program as moderators see it: how many tokens it holds that people gave it, what it stands under `now`."""

    application: Application
    created_at_ms: int
    tokens: int
    now: Sanction


class NewApplication(msgspec.Struct, frozen=True):
    """What registering needs, as `rules` cleaned it."""

    name: str
    website: str | None
    redirect_uris: tuple[str, ...]
    scopes: str


class AuthorizationRequest(msgspec.Struct, frozen=True):
    """What a program asks a person for, checked (RFC 6749, 4.1.1; RFC 7636)."""

    application: Application
    redirect_uri: str
    scopes: str
    state: str | None
    code_challenge: str | None  # S256


class OAuthError(Exception):
    """An error in OAuth's own words (RFC 6749, 4.1.2.1 and 5.2)."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status
