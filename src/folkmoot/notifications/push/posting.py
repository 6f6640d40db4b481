"""Posting to an address that somebody else chose: to no host of this network, without following, within limits."""

import asyncio
import socket
from urllib.parse import urlsplit

import msgspec

from folkmoot.media.addresses import is_public, parse
from folkmoot.media.remote import authorities

WITHIN_S = 10.0
HEAD_BYTES_MAX = 16 * 1024
_PORTS = {"https": 443, "http": 80}


class Unreachable(Exception):
    """Nobody answered there; it may be tried again."""


class Forbidden(Exception):
    """Nothing is sent there, and never will be."""


class Endpoint(msgspec.Struct, frozen=True):
    """An address, in its parts. `host` in ASCII."""

    scheme: str
    host: str
    port: int
    path: str  # with the query

    @property
    def origin(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{shown}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


def parse_endpoint(text: str, *, to_private: bool) -> Endpoint:
    """Raises Forbidden for what is no address of a push service: HTTPS, a host, nobody's name in it. What goes to a
    private network (`to_private`) may be HTTP."""
    if not text.isascii() or any(character <= " " or character == "\\" for character in text):
        raise Forbidden("The endpoint is not an address.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise Forbidden("The endpoint is not an address.") from error
    if parts.scheme not in (("https", "http") if to_private else ("https",)) or not parts.hostname:
        raise Forbidden("The endpoint is an HTTPS address.")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("The endpoint names no user.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], path)


async def post(endpoint: Endpoint, headers: dict[str, str], body: bytes, *, to_private: bool) -> int:
    """The status of the answer. Raises Forbidden for an address in a private network, Unreachable.

    The host is looked up once, and what was looked at is what is connected to.
    """
    try:
        async with asyncio.timeout(WITHIN_S):
            address = await _address(endpoint, to_private=to_private)
            return await _post(endpoint, address, headers, body)
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        raise Unreachable(f"{endpoint.host} did not answer: {type(error).__name__}.") from error


async def _address(endpoint: Endpoint, *, to_private: bool) -> str:
    found = await asyncio.get_running_loop().getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not addresses:
        raise Unreachable(f"{endpoint.host} has no address.")
    if not to_private and not all(is_public(parse(address)) for address in addresses):
        raise Forbidden(f"{endpoint.host} is in a private network.")
    return addresses[0]


async def _post(endpoint: Endpoint, address: str, headers: dict[str, str], body: bytes) -> int:
    is_sealed = endpoint.scheme == "https"
    reader, writer = await asyncio.open_connection(
        address,
        endpoint.port,
        ssl=authorities() if is_sealed else None,
        server_hostname=endpoint.host if is_sealed else None,
        limit=HEAD_BYTES_MAX,
    )
    try:
        lines = {
            "Host": endpoint.origin.partition("://")[2],
            "Content-Length": str(len(body)),
            "Connection": "close",
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"POST {endpoint.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body)
        await writer.drain()
        # "HTTP/1.1 201 Created"; what else it says is of no use to us.
        status = (await reader.readuntil(b"\n")).split(b" ", 2)
        return int(status[1]) if len(status) > 1 and status[0].startswith(b"HTTP/") else 0
    finally:
        writer.transport.abort()
