"""The client's address: the peer's, unless the peer is a proxy that the operator trusts to say whose it is."""

import ipaddress
import re
from collections.abc import Iterable, Iterator

from litestar.types import ASGIApp, Receive, Scope, Send

from folkmoot.media.addresses import Address, ipv4_within

Headers = Iterable[tuple[bytes, bytes]]

HOPS_MAX = 32
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_ELEMENT = re.compile(r'(?:"[^"]*"|[^,"])+')
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*("[^"]*"|[^;\s]*)', re.IGNORECASE)
_NODE = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\w+)?|([0-9.]+)(?::\w+)?|([0-9A-Fa-f:.]+)")


class ClientAddresses:
    """Reads `X-Forwarded-For`, or where that is missing `Forwarded` (RFC 7239), from the right, past proxies that
    are trusted, to the first that is not.

    A trusted proxy has to overwrite or extend the one that it sends and to drop the other. What is no address (a
    name, `unknown`) ends the search: then it was the last one that is known.
    """

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = [ipaddress.ip_network(network) for network in trusted]

    def __call__(self, peer: str, headers: Headers) -> str:
        """The address that limits are counted for. What an untrusted peer claims counts for nothing."""
        known = _address(peer)
        if known is None:
            return peer
        if not self._trusts(known):
            return str(known)
        for hop in _hops(headers):
            address = _address(hop)
            if address is None:
                break
            known = address
            if not self._trusts(known):
                break
        return str(known)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _hops(headers: Headers) -> Iterator[str]:
    """What each proxy says of whom it heard from, the nearest first."""
    found: dict[bytes, list[bytes]] = {b"x-forwarded-for": [], b"forwarded": []}
    for name, value in headers:
        found.get(name.lower(), []).append(value)
    text = b",".join(found[b"x-forwarded-for"]).decode("latin-1")
    if text:
        yield from [hop for hop in reversed(text.split(",")[-HOPS_MAX:]) if hop.strip()]
    # From its end, so that a quote which a client left open doesn't swallow what a proxy said after it.
    backward = b",".join(found[b"forwarded"]).decode("latin-1")[::-1]
    for element in [] if text else _ELEMENT.findall(backward)[:HOPS_MAX]:
        said = _FOR.search(element[::-1])
        yield said[1].strip('"') if said else ""


def _address(node: str) -> Address | None:
    """Of an address, maybe with brackets and a port. One of IPv4 within IPv6 is the one of IPv4: limits and traces
    count it as that, and trusted proxies are known by it. Not one of a private network behind a translator: that
    stands for no such address (RFC 6052, 3.1), and would be believed as one's own proxy."""
    said = _NODE.fullmatch(node.strip())
    try:
        parsed = ipaddress.ip_address((said[1] or said[2] or said[3]) if said else "")
    except ValueError:
        return None
    inner = ipv4_within(parsed)
    is_translated = isinstance(parsed, ipaddress.IPv6Address) and parsed in _TRANSLATED
    return parsed if is_translated and not inner.is_global else inner


class Addressed:
    """An ASGI application whose `client` is the address that `ClientAddresses` finds."""

    def __init__(self, app: ASGIApp, addresses: ClientAddresses) -> None:
        self._app = app
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client is not None:
            scope["client"] = (self._addresses(client[0], scope["headers"]), client[1])
        await self._app(scope, receive, send)
