"""Mastodon's entities for accounts, programs and the server: JSON field = attribute name.

Source: https://docs.joinmastodon.org/entities/. Ids are strings, times RFC 3339 in UTC with milliseconds. Fields of
things that this server has none of are there with the value that says so, for clients read them without asking.
"""

from typing import Any

import msgspec


class Role(msgspec.Struct):
    """A role that is shown beside a name."""

    id: str
    name: str
    color: str = ""


class Field(msgspec.Struct):
    """A row of a profile's table."""

    name: str
    value: str
    verified_at: str | None = None


class CustomEmoji(msgspec.Struct):
    """A picture that stands for `:shortcode:`."""

    shortcode: str
    url: str
    static_url: str
    visible_in_picker: bool = True
    category: str | msgspec.UnsetType = msgspec.UNSET


class Account(msgspec.Struct, kw_only=True):
    """A person as anybody sees them."""

    id: str
    username: str
    acct: str
    display_name: str
    locked: bool
    bot: bool
    discoverable: bool
    indexable: bool
    group: bool
    created_at: str
    note: str  # HTML
    url: str
    uri: str
    avatar: str
    avatar_static: str
    header: str
    header_static: str
    followers_count: int
    following_count: int
    statuses_count: int
    last_status_at: str | None  # a date: "2027-01-15"
    hide_collections: bool = False
    emojis: list[CustomEmoji] = []
    fields: list[Field] = []
    roles: list[Role] = []


class Source(msgspec.Struct, kw_only=True):
    """A profile as its owner wrote it, and their defaults for new posts."""

    note: str  # plain text
    fields: list[Field] = []
    privacy: str = "public"
    sensitive: bool = False
    language: str | None = None
    quote_policy: str = "public"
    follow_requests_count: int = 0
    hide_collections: bool = False
    discoverable: bool = True
    indexable: bool = False
    attribution_domains: list[str] = []


class CredentialRole(msgspec.Struct, kw_only=True):
    """One's own role; `permissions` is Mastodon's bit set, as a string."""

    id: str
    name: str
    color: str = ""
    permissions: str = "0"
    highlighted: bool = False


class CredentialAccount(Account, kw_only=True):
    """One's own account."""

    source: Source
    role: CredentialRole


class MutedAccount(Account, kw_only=True):
    """Somebody whom one mutes."""

    mute_expires_at: str | None


class FamiliarFollowers(msgspec.Struct, kw_only=True):
    """Those who follow an account and whom one follows."""

    id: str
    accounts: list[Account]


class Suggestion(msgspec.Struct, kw_only=True):
    """Somebody to follow, and why."""

    source: str  # before Mastodon 4.3: staff, past_interactions, global
    sources: list[str]
    account: Account


class Relationship(msgspec.Struct, kw_only=True):
    """How the asking account and another stand to each other."""

    id: str
    following: bool
    showing_reblogs: bool
    notifying: bool
    languages: list[str] | None
    followed_by: bool
    blocking: bool
    blocked_by: bool
    muting: bool
    muting_notifications: bool
    muting_expires_at: str | None
    requested: bool
    requested_by: bool
    domain_blocking: bool
    endorsed: bool
    note: str


class Application(msgspec.Struct, kw_only=True):
    """The program that a post was written with."""

    name: str
    website: str | None = None


class VerifiedApplication(Application, kw_only=True):
    """A program as it sees itself."""

    id: str
    scopes: list[str]
    redirect_uri: str  # one a line: what older clients read
    redirect_uris: list[str]
    vapid_key: str = ""


class CredentialApplication(VerifiedApplication, kw_only=True):
    """A program that has just registered: the only time that its secret is shown."""

    client_id: str
    client_secret: str
    client_secret_expires_at: int = 0


class Token(msgspec.Struct, kw_only=True):
    """RFC 6749, 5.1, with Mastodon's `created_at` in Unix seconds."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105  (the type of a token is no secret)
    scope: str
    created_at: int


class Instance(msgspec.Struct, kw_only=True):
    """The server, as `GET /api/v2/instance` describes it."""

    domain: str
    title: str
    version: str
    source_url: str
    description: str
    usage: dict[str, Any]
    thumbnail: dict[str, Any]
    icon: list[dict[str, str]] = []
    languages: list[str] = []
    configuration: dict[str, Any]
    registrations: dict[str, Any]
    api_versions: dict[str, int]
    contact: dict[str, Any]
    rules: list[dict[str, str]] = []
