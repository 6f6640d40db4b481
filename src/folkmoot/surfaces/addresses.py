"""The client's address: the peer's, unless the peer is a proxy that the operator trusts to say whose it is."""

import ipaddress
from collections.abc import Iterable

from litestar.types import ASGIApp, Receive, Scope, Send

Headers = Iterable[tuple[bytes, bytes]]


class ClientAddresses:
    """Reads `X-Forwarded-For` from the right, past proxies that are trusted, to the first that is not."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = [ipaddress.ip_network(network) for network in trusted]

    def __call__(self, peer: str, headers: Headers) -> str:
        """The address that limits are counted for. What an untrusted peer claims counts for nothing."""
        if not self._trusts(peer):
            return peer
        forwarded = b",".join(value for name, value in headers if name.lower() == b"x-forwarded-for")
        address = peer
        for hop in reversed(forwarded.decode("latin-1").split(",")):
            if not (hop := hop.strip()):
                continue
            address = hop
            if not self._trusts(hop):
                break
        return address

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


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
