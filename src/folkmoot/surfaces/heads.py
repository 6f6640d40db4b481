"""HEAD: what GET would answer, without its content (RFC 9110, 9.3.2). An ASGI application in front of the others.

Whoever unfurls links, watches servers or plays files asks so first. An answer without end ends where its content
would begin: whoever makes it hears that the client has gone.
"""

import asyncio
from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send, WebSocketReceiveMessage

_Received = HTTPReceiveMessage | WebSocketReceiveMessage


class Heads:
    """Asks for the content and keeps it back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == "HEAD":
            head = _Head(receive, send)
            await self._app(cast(Scope, {**scope, "method": "GET"}), head.receive, head.send)
        else:
            await self._app(scope, receive, send)


class _Head:
    """One answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._is_said = asyncio.Event()

    async def receive(self) -> _Received:
        gone = asyncio.ensure_future(self._receive())
        said = asyncio.ensure_future(self._is_said.wait())
        try:
            await asyncio.wait((gone, said), return_when=asyncio.FIRST_COMPLETED)
            return gone.result() if gone.done() else {"type": "http.disconnect"}
        finally:
            gone.cancel()
            said.cancel()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._send(message)
        elif not self._is_said.is_set():
            self._is_said.set()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
