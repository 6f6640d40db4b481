"""TLS 1.3 records made by ourselves, for connections whose handshake OpenSSL made (RFC 8446, 5.2, 5.3 and 7.3).

A listener gets sound and sends nothing: all that is left of TLS is one key, one nonce and a counter, in place of
OpenSSL's object for each connection. The same plaintext goes to many, so what they share is prepared once.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

ALERT = 21
APPLICATION_DATA = 23
CLOSE_NOTIFY = b"\x01\x00"  # level warning, description close_notify (RFC 8446, 6.1)
PLAINTEXT_BYTES_MAX = 2**14
RECORDS_MAX = 2**24
"""Less than what a key of AES-GCM may protect (RFC 8446, 5.5): nineteen days of ten writes a second."""

_HEADER_BYTES = 5
_TAG_BYTES = 16
_NONCE_BYTES = 12
_SEALED_BYTES_MAX = PLAINTEXT_BYTES_MAX + 256


class _Suite(msgspec.Struct, frozen=True):
    cipher: type[AESGCM] | type[ChaCha20Poly1305]
    key_bytes: int
    digest: str


SUITES = {
    "TLS_AES_128_GCM_SHA256": _Suite(AESGCM, 16, "sha256"),
    "TLS_AES_256_GCM_SHA384": _Suite(AESGCM, 32, "sha384"),
    "TLS_CHACHA20_POLY1305_SHA256": _Suite(ChaCha20Poly1305, 32, "sha256"),
}
"""By their IANA names. AES-128 comes first: it is the cheapest for both sides where processors know AES."""


class Sealing(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The sending side of a connection, as one process passes it to another. `number` is the next record's."""

    suite: str
    key: bytes
    iv: bytes
    number: int

    def __repr__(self) -> str:
        return f"Sealing({self.suite}, number={self.number})"  # never the key: it could reach a log


class Sealer:
    """The sending side of a connection where its records are made."""

    __slots__ = ("_cipher", "_iv", "_key", "_suite", "number")

    def __init__(self, sealing: Sealing) -> None:
        self._suite = sealing.suite
        self._key = bytearray(sealing.key)
        self._cipher = SUITES[sealing.suite].cipher(sealing.key)
        self._iv = int.from_bytes(sealing.iv, "big")
        self.number = sealing.number

    def seal(self, plaintext: Plaintext, into: Sequence[memoryview]) -> None:
        """Makes the next records, in buffers laid out by `Plaintext.slices`. Raises Worn after too many.

        The numbers are used up only when something of it is sent: whoever couldn't send a byte of it sets `number`
        back. That is no nonce used twice, since what was sealed under it never left the process.
        """
        number = self.number
        if number + len(plaintext.records) > RECORDS_MAX:
            raise Worn
        for (header, content), body in zip(plaintext.records, into, strict=True):
            nonce = (self._iv ^ number).to_bytes(_NONCE_BYTES, "big")
            self._cipher.encrypt_into(nonce, content, header, body)
            number += 1
        self.number = number

    def sealing(self) -> Sealing:
        """To pass it on."""
        return Sealing(self._suite, bytes(self._key), self._iv.to_bytes(_NONCE_BYTES, "big"), self.number)

    def wipe(self) -> None:
        """Overwrites the key. (OpenSSL does the same with its own copy when the cipher is let go.)"""
        self._key[:] = bytes(len(self._key))


class Worn(Exception):
    """A key has protected as much as it may."""


class Plaintext:
    """What many connections are to be sent, as (header, content) of each record: all that doesn't hang on a key."""

    def __init__(self, data: bytes, *, closing: bool = False) -> None:
        """`closing` adds close_notify, after which nothing may follow."""
        pieces = [data[at : at + PLAINTEXT_BYTES_MAX] for at in range(0, len(data), PLAINTEXT_BYTES_MAX)]
        self.records = [_record(piece, APPLICATION_DATA) for piece in pieces]
        if closing:
            self.records.append(_record(CLOSE_NOTIFY, ALERT))
        self.sealed_bytes = sum(_HEADER_BYTES + len(content) + _TAG_BYTES for _, content in self.records)

    def slices(self, buffer: memoryview) -> list[memoryview]:
        """Writes the headers into a buffer of `sealed_bytes`; returns where `Sealer.seal` puts the rest of each."""
        bodies, at = [], 0
        for header, content in self.records:
            end = at + _HEADER_BYTES + len(content) + _TAG_BYTES
            buffer[at : at + _HEADER_BYTES] = header
            bodies.append(buffer[at + _HEADER_BYTES : end])
            at = end
        return bodies


def sealing(suite: str, secret: bytes, number: int) -> Sealing:
    """From a SERVER_TRAFFIC_SECRET_0 and the number of records that were sent under it."""
    chosen = SUITES[suite]
    key = expand_label(chosen.digest, secret, b"key", chosen.key_bytes)
    return Sealing(suite, key, expand_label(chosen.digest, secret, b"iv", _NONCE_BYTES), number)


def expand_label(digest: str, secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label with an empty context (RFC 8446, 7.1), for no more bytes than the hash has."""
    full = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(full)]) + full + b"\x00"
    block = hmac.digest(secret, info + b"\x01", digest)
    assert length <= len(block)
    return block[:length]


def count_records(sealed: bytes) -> int:
    """How many records these whole ones are."""
    count = at = 0
    while at < len(sealed):
        count += 1
        at += _HEADER_BYTES + int.from_bytes(sealed[at + 3 : at + 5], "big")
    assert at == len(sealed)
    return count


def first_bytes(received: bytes | bytearray) -> int:
    """How long the first record of these bytes is, 0 where it isn't all here.

    One that says it is longer than a record may be (5.2) is no longer than its head: whoever reads it says so.
    """
    if len(received) < _HEADER_BYTES:
        return 0
    length = int.from_bytes(received[3:5], "big")
    count = _HEADER_BYTES + (length if length <= _SEALED_BYTES_MAX else 0)
    return count if len(received) >= count else 0


def _record(data: bytes, content_type: int) -> tuple[bytes, bytes]:
    header = bytes([APPLICATION_DATA, 3, 3]) + (len(data) + 1 + _TAG_BYTES).to_bytes(2, "big")
    return header, data + bytes([content_type])
