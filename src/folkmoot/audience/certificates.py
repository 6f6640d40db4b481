"""The certificate that the server shows: read, checked, and read again when its files change."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL

from folkmoot.audience.records import SUITES

EXPIRES_SOON_DAYS = 14
_RELEASE_BUFFERS = 0x10  # SSL_MODE_RELEASE_BUFFERS: a connection that rests has no buffers
_ALPN = b"http/1.1"

Keylog = Callable[[SSL.Connection, bytes], None]

logger = logging.getLogger(__name__)


class CertificateError(Exception):
    """The certificate can't be used; the message is one sentence that says which file, and why."""


class Loaded(msgspec.Struct, frozen=True):
    """A certificate in use, and how its files looked when it was read."""

    context: SSL.Context
    expires: datetime.datetime
    looked: tuple[tuple[int, int], ...]


class Certificate:
    """A chain (PEM, the server's own certificate first) and its key (PEM, without a password).

    `context` makes connections: TLS 1.3 and nothing older, since everything that plays sound today speaks it, and
    its records are simple enough to be made elsewhere. Session tickets are on; early data, which can be replayed,
    is not.
    """

    def __init__(self, chain: Path, key: Path, keylog: Keylog) -> None:
        """Raises CertificateError."""
        self._chain = chain
        self._key = key
        self._keylog = keylog
        self._refused: tuple[tuple[int, int], ...] | None = None
        self._loaded = self._load(self._look())

    @property
    def context(self) -> SSL.Context:
        return self._loaded.context

    @property
    def expires(self) -> datetime.datetime:
        return self._loaded.expires

    def renew(self, now: datetime.datetime) -> None:
        """Reads the files again if they changed. One that can't be used is logged once, and the old one stays;
        where they can't be read now, they are tried again."""
        try:
            looks = self._look()
            if looks in (self._loaded.looked, self._refused):
                return
            self._refused = looks
            self._loaded = self._load(looks)
        except CertificateError as error:
            if isinstance(error.__cause__, OSError):  # no file is free, for one: the files say nothing of that
                self._refused = None
            logger.warning("the certificate in use stays: %s", error)
        else:
            logger.info("the certificate was read again; it is good until %s", self.expires.date())
            self.warn(now)

    def warn(self, now: datetime.datetime) -> None:
        """Logs that the certificate is over, or soon will be."""
        days = (self.expires - now).days
        if days < EXPIRES_SOON_DAYS:
            state = "has expired: browsers refuse it" if self.expires <= now else f"expires in {days} days"
            logger.warning("the certificate %s %s", self._chain, state)

    def _look(self) -> tuple[tuple[int, int], ...]:
        """The files' times and sizes: links that are pointed elsewhere count as changed."""
        try:
            stats = [path.stat() for path in (self._chain, self._key)]
        except OSError as error:
            raise CertificateError(f"{error.filename} can't be read ({error.strerror}).") from error
        return tuple((stat.st_mtime_ns, stat.st_ino) for stat in stats)

    def _load(self, looked: tuple[tuple[int, int], ...]) -> Loaded:
        try:
            chain_pem, key_pem = self._chain.read_bytes(), self._key.read_bytes()
        except OSError as error:
            raise CertificateError(f"{error.filename} can't be read ({error.strerror}).") from error
        try:
            first, *others = x509.load_pem_x509_certificates(chain_pem)
        except ValueError as error:
            raise CertificateError(f"{self._chain} holds no certificate in PEM form.") from error
        context = self._context()
        context.use_certificate(first)
        for other in others:
            context.add_extra_chain_cert(other)
        try:
            context.use_privatekey(cast(ec.EllipticCurvePrivateKey, load_pem_private_key(key_pem, None)))
            context.check_privatekey()
        except TypeError as error:
            raise CertificateError(
                f"{self._key} has a password: keep it without one, readable by Folkmoot."
            ) from error
        except (ValueError, SSL.Error) as error:
            raise CertificateError(f"{self._key} holds no key of the certificate in {self._chain}.") from error
        return Loaded(context, first.not_valid_after_utc, looked)

    def _context(self) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.set_tls13_ciphersuites(":".join(SUITES).encode())
        context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
        context.set_mode(_RELEASE_BUFFERS)
        context.set_session_id(b"folkmoot")
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # the tickets hold all there is
        context.set_alpn_select_callback(_select)
        context.set_keylog_callback(self._keylog)
        return context


def _select(_connection: SSL.Connection, offered: list[bytes]) -> bytes | SSL._NoOverlappingProtocols:
    return _ALPN if _ALPN in offered else SSL.NO_OVERLAPPING_PROTOCOLS
