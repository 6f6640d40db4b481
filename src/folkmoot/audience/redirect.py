"""Plain HTTP on the port of HTTPS: every request is sent to the same path at the right address."""

from __future__ import annotations

from typing import Any

from folkmoot.audience.door import Door, ListenProtocol


class RedirectProtocol(ListenProtocol):
    """uvicorn's protocol with the door's time limits, without its listeners and without the application."""

    base_url: str

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.app = self._redirect

    def _match(self) -> None:
        return None

    async def _redirect(self, scope: Any, _receive: Any, send: Any) -> None:
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        location = self.base_url.encode("ascii") + scope["raw_path"] + query
        headers = [(b"location", location), (b"content-length", b"0"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 308, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def redirect_protocol(door: Door, base_url: str) -> type[RedirectProtocol]:
    """The class for a connection. `base_url` has a scheme and a host, and no path."""
    return type("RedirectProtocol", (RedirectProtocol,), {"door": door, "base_url": base_url})
