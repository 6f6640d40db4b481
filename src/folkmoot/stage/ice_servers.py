"""STUN and TURN servers, with credentials that are made when they are needed and soon worth nothing.

The scheme is draft-uberti-behave-turn-rest-00, which coturn calls `use-auth-secret`: the TURN server and we share a
secret, the name says until when it is good, the password is the name's HMAC. Nothing is stored anywhere.
"""

import base64
import hashlib
import hmac

import msgspec

_PSEUDONYM_HEX = 16


class IceServer(msgspec.Struct, frozen=True):
    """A STUN or TURN server, as in a browser's RTCIceServer. Only TURN has a name and a password."""

    url: str
    username: str | None = None
    credential: str | None = None


class IceServers(msgspec.Struct, frozen=True):
    """The servers of the settings: `stun:`, `turn:` and `turns:` addresses (RFC 7064, RFC 7065).

    `secret` is shared with the TURN servers; what is made of it is good for `valid_s`.
    """

    urls: tuple[str, ...] = ()
    secret: str = ""
    valid_s: int = 3600

    def __repr__(self) -> str:
        return f"IceServers(urls={self.urls!r})"

    def for_use(self, who: str, now_s: float) -> tuple[IceServer, ...]:
        """The servers with credentials for `who`, whose name a TURN server sees only as a pseudonym."""
        pseudonym = hashlib.blake2b(who.encode(), key=self.secret.encode()[:64]).hexdigest()[:_PSEUDONYM_HEX]
        username = f"{int(now_s) + self.valid_s}:{pseudonym}"
        credential = turn_credential(self.secret, username)
        return tuple(
            IceServer(url, username, credential) if url.startswith("turn") else IceServer(url) for url in self.urls
        )


def turn_credential(secret: str, username: str) -> str:
    """The password of a time-limited name: base64 of its HMAC-SHA1 (draft-uberti-behave-turn-rest-00, 2.2)."""
    return base64.b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()
