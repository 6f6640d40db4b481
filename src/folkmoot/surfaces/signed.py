"""What this server signs for people to show again. Nobody else makes such keys; each is of a kind in the register.

A key is a JWT (RFC 7519, HS256) whose type is its kind (RFC 8725, 3.11), with the stamps that it was made under:
when one of their counters rises, it opens nothing any more. Whoever reads one compares them.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from folkmoot.gate.register import Key

_SEAL_BYTES = 18


class Unreadable(ValueError):
    """Forged, over, of another kind, or for something else."""


def sign(secret: bytes, kind: Key, audience: str, expires_s: int, claims: dict[str, Any]) -> str:
    """A key for one audience ("space:1234") until a Unix time in seconds."""
    content = {**claims, "aud": audience, "exp": expires_s}
    return jwt.encode({"alg": "HS256", "typ": kind.value}, content, OctKey.import_key(secret))


def read(secret: bytes, kinds: Collection[Key], audience: str, text: str, now_ms: int) -> dict[str, Any]:
    """The claims of a key of one of these kinds. Raises Unreadable. Its stamps are still to be compared."""
    try:
        token = jwt.decode(text, OctKey.import_key(secret), algorithms=["HS256"])
        kind, claims = Key(token.header.get("typ", "")), token.claims
        if kind not in kinds or claims["aud"] != audience or claims["exp"] * 1000 <= now_ms:
            raise Unreadable
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise Unreadable from error
    return claims


def seal(secret: bytes, text: str) -> str:
    """Shows that this server wrote a text itself. It stands for nobody, and opens nothing of anybody's."""
    made = hmac.digest(secret, b"sealed:" + text.encode(), hashlib.sha256)[:_SEAL_BYTES]
    return base64.urlsafe_b64encode(made).decode()


def is_sealed(secret: bytes, text: str, sealed: str) -> bool:
    return hmac.compare_digest(seal(secret, text).encode(), sealed.encode())
