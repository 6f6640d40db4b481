"""A push service on loopback, and the browser whose messages it keeps. It opens them by RFC 8291 itself, with no
code of what sealed them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from folkmoot.notifications.push.sealing import decode, encode

_CURVE = ec.SECP256R1()


class Browser:
    """Holds the keys of a subscription."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(_CURVE)
        self._public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self._auth = bytes(range(16))

    @property
    def keys(self) -> dict[str, str]:
        return {"p256dh": encode(self._public), "auth": encode(self._auth)}

    def open(self, body: bytes) -> Any:
        """RFC 8188, 2.1 (header: salt, record size, key's id) and RFC 8291, 3.4."""
        salt, id_bytes = body[:16], body[20]
        theirs = body[21 : 21 + id_bytes]
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, theirs))
        keying = _hkdf(self._auth, shared, b"WebPush: info\0" + self._public + theirs, 32)
        key = _hkdf(salt, keying, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _hkdf(salt, keying, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, body[21 + id_bytes :], None)
        return json.loads(plain.rstrip(b"\0")[:-1])  # after it a delimiter, 2 for the last record

    def open_draft(self, body: bytes, headers: dict[str, str]) -> Any:
        """draft-ietf-webpush-encryption-04, what older programs know."""
        salt = decode(headers["encryption"].removeprefix("salt="))
        theirs = decode(dict(part.split("=", 1) for part in headers["crypto-key"].split(";"))["dh"])
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, theirs))
        keying = _hkdf(self._auth, shared, b"Content-Encoding: auth\0", 32)
        context = b"P-256\0" + _sized(self._public) + _sized(theirs)
        key = _hkdf(salt, keying, b"Content-Encoding: aesgcm\0" + context, 16)
        nonce = _hkdf(salt, keying, b"Content-Encoding: nonce\0" + context, 12)
        plain = AESGCM(key).decrypt(nonce, body, None)
        return json.loads(plain[2 + int.from_bytes(plain[:2]) :])


def verified(token: str, server_key: str) -> dict[str, Any]:
    """The claims of who says to be the server with this key (RFC 8292). Raises for who isn't."""
    signed, _, signature = token.rpartition(".")
    raw = decode(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, decode(server_key))
    key.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
    claims: dict[str, Any] = json.loads(decode(signed.partition(".")[2]))
    return claims


class PushService:
    """What came, and what is answered."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.status = 201
        self.url = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        self.came.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(f"HTTP/1.1 {self.status} Well\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    service = PushService()
    server = await asyncio.start_server(service.take, "127.0.0.1", 0)
    async with server:
        service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/send/1"
        yield service


def _hkdf(salt: bytes, keying: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(keying)


def _sized(raw: bytes) -> bytes:
    return len(raw).to_bytes(2) + raw
