"""A passkey, and the server as passkeys know it. Plain data."""

from urllib.parse import urlsplit

import msgspec

NAME_CHARACTERS_MAX = 60
PASSKEYS_MAX = 20


class Passkey(msgspec.Struct, frozen=True):
    """What its owner sees of it. Times are Unix ms. `signs_in_alone`: without the password, too."""

    id: int
    name: str
    created_at_ms: int
    used_at_ms: int | None
    signs_in_alone: bool = True


class RelyingParty(msgspec.Struct, frozen=True):
    """This server: a passkey made for one domain says nothing to another."""

    id: str  # the domain
    origin: str
    title: str

    @classmethod
    def of(cls, base_url: str, title: str) -> "RelyingParty":
        return cls(urlsplit(base_url).hostname or "", base_url, title)
