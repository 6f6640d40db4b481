"""Codes by time (RFC 6238) and recovery codes. Pure, the time an argument."""

import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES = 20  # RFC 4226, 4: 160 bits
STEP_MS = 30_000
DIGITS = 6
STEPS_AROUND = 1  # RFC 6238, 5.2: a clock that is a little off
RECOVERY_CODES = 10
_NONCE_BYTES = 12
# Without what is easily taken for another (Crockford's base 32).
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RECOVERY_CHARACTERS = 16
KEY = "second-factors"  # the name of the key's file


class Seal:
    """Keeps the secrets of codes unreadable without the server's key: AES-256-GCM, bound to the account."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, account_id: int, secret: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, str(account_id).encode())

    def open(self, account_id: int, sealed: bytes) -> bytes | None:
        """None for what was sealed with another key, or for somebody else."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], str(account_id).encode())
        except (InvalidTag, ValueError):
            return None


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def address(secret: bytes, username: str, issuer: str) -> str:
    """The otpauth:// address that a program reads from a QR code."""
    return _totp(secret).get_provisioning_uri(username, issuer)


def code_at(secret: bytes, now_ms: int) -> str:
    return _totp(secret).generate(now_ms // 1000).decode()


def step_of(secret: bytes, code: str, now_ms: int, last_step: int) -> int | None:
    """The step of 30 s that a code is of; None for a wrong one, and for one not newer than `last_step`: a code that
    was used is used up (RFC 6238, 5.2)."""
    given = code.encode("utf-8", "replace")
    now = now_ms // STEP_MS
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        if step > last_step and hmac.compare_digest(_totp(secret).generate(step * STEP_MS // 1000), given):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """80 random bits each, in groups for people who write them down."""
    return [
        _grouped("".join(secrets.choice(_ALPHABET) for _ in range(_RECOVERY_CHARACTERS)))
        for _ in range(RECOVERY_CODES)
    ]


def plain_code(code: str) -> str:
    """A code without the spaces, hyphens and capitals that people write."""
    return "".join(one for one in code.lower() if one.isalnum())


def _grouped(text: str) -> str:
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _totp(secret: bytes) -> TOTP:
    # SHA-1: what every program of codes knows (RFC 6238, 1.2); HMAC with it is not broken.
    return TOTP(secret, DIGITS, SHA1(), STEP_MS // 1000, enforce_key_length=False)  # noqa: S303
