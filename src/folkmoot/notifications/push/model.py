"""Where something is pushed to. Plain data."""

from enum import StrEnum

import msgspec

from folkmoot.notifications.model import Kind

ENDPOINT_CHARACTERS_MAX = 2_000
ALERTS = tuple(dict.fromkeys(kind.type for kind in Kind))
"""The types that a subscription can ask for."""


class From(StrEnum):
    """Of whom a subscription wants to be told: what the API calls its policy."""

    ALL = "all"
    FOLLOWED = "followed"
    FOLLOWER = "follower"
    NONE = "none"


class Keys(msgspec.Struct, frozen=True):
    """What seals for one browser (RFC 8291, 2.1), base64url: its P-256 public key, uncompressed, and 16 bytes."""

    p256dh: str
    auth: str


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One of a token. `standard`: RFC 8291, rather than the draft that older programs know."""

    id: int
    token_id: int
    account_id: int
    endpoint: str
    keys: Keys
    standard: bool
    policy: From
    alerts: dict[str, bool]
