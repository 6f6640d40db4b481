"""Sealing what is pushed (RFC 8291, RFC 8188), and saying who sends it (VAPID, RFC 8292). Pure but for chance."""

import base64
import binascii
import json
import os
from collections.abc import Mapping

import http_ece
import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from folkmoot.notifications.push.model import Keys

KEY = "web-push"
"""The name of the key by which push services know this server."""
SPEAKS_FOR_S = 12 * 3600
_CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_AUTH_BYTES = 16


class Sealed(msgspec.Struct, frozen=True):
    """A body, and the headers that say how it is sealed."""

    body: bytes
    headers: dict[str, str]


class Sender:
    """This server, to push services. `secret`: 32 bytes."""

    def __init__(self, secret: bytes, base_url: str) -> None:
        # Any number below the curve's order is a private key; of 32 random bytes hardly any is not.
        self._key = ec.derive_private_key(int.from_bytes(secret) % (_ORDER - 1) + 1, _CURVE)
        self._subject = base_url
        self.public_key = encode(_raw(self._key))

    def authorization(self, origin: str, now_s: int) -> str:
        """A token for one push service ("https://push.example"), as RFC 7519 writes it with ES256."""
        claims = {"aud": origin, "exp": now_s + SPEAKS_FOR_S, "sub": self._subject}
        signed = ".".join(_json(part) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{encode(r.to_bytes(32) + s.to_bytes(32))}"

    def seal(self, content: bytes, keys: Keys, *, origin: str, now_s: int, standard: bool) -> Sealed:
        """For one browser, with a key of this moment. Raises ValueError for keys that are none."""
        receiver, auth = public_key(keys.p256dh), secret_of(keys.auth)
        own = ec.generate_private_key(_CURVE)
        token = self.authorization(origin, now_s)
        if standard:
            body = http_ece.encrypt(content, private_key=own, dh=receiver, auth_secret=auth, version="aes128gcm")
            named = f"vapid t={token}, k={self.public_key}"
            return Sealed(body, {"Content-Encoding": "aes128gcm", "Authorization": named})
        salt, shown = os.urandom(16), encode(_raw(own))
        body = http_ece.encrypt(
            content, salt=salt, private_key=own, keyid=shown, dh=receiver, auth_secret=auth, version="aesgcm"
        )
        headers = {
            "Content-Encoding": "aesgcm",
            "Encryption": f"salt={encode(salt)}",
            "Crypto-Key": f"dh={shown};p256ecdsa={self.public_key}",
            "Authorization": f"WebPush {token}",
        }
        return Sealed(body, headers)


def public_key(text: str) -> bytes:
    """A P-256 point, uncompressed. Raises ValueError for what is none."""
    raw = decode(text)
    ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, raw)
    return raw


def secret_of(text: str) -> bytes:
    """Raises ValueError for what is not 16 bytes."""
    raw = decode(text)
    if len(raw) != _AUTH_BYTES:
        raise ValueError("the secret that a browser shares has 16 bytes")
    return raw


def encode(raw: bytes) -> str:
    """base64url without padding (RFC 4648, 5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """base64url or base64, padded or not. Raises ValueError."""
    try:
        plain = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
        return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def _raw(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _json(part: Mapping[str, object]) -> str:
    return encode(json.dumps(part, separators=(",", ":")).encode())
