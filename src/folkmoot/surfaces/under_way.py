"""Requests that are under way: whoever loses a right loses what is still being sent to them, and what they send.

A request hangs on what its viewer was identified by, from then until its last byte has left this process. One that
writes does until its body is here: what it does then asks the gate again, inside its transaction. No route does
anything for that; those that hang on more than the viewer say so with `hold`.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol, cast

from litestar.connection import ASGIConnection
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Receive, Scope, Send, WebSocketReceiveMessage

from folkmoot.audience.door import CONNECTION
from folkmoot.gate import Lease, LeaseBook, Stamp

LAST_WORD_S = 0.1  # for an answer that can still say why
READING = frozenset({"GET", "HEAD", "OPTIONS"})
_STATE = "under_way"

AnyConnection = ASGIConnection[Any, Any, Any, Any]


class Connection(Protocol):
    """What carries a request: `audience/door.py` gives it to the application in the scope."""

    def reset(self) -> None:
        """Close it with RST: nothing that waits in a buffer is delivered."""

    async def drained(self) -> None:
        """Returns when what was written has left the process, or never will."""


class UnderWay(ASGIMiddleware):
    """Makes every request something that can be ended."""

    def __init__(self, leases: Callable[[], LeaseBook]) -> None:
        self._leases = leases

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request = _Request(cast(HTTPScope, scope), receive, self._leases())
        scope["state"][_STATE] = request
        try:
            await next_app(scope, request.receive, send)
            await request.drained()
        finally:
            request.release()


def hold(connection: AnyConnection, stamps: Iterable[Stamp]) -> None:
    """Let a request hang on these. Raises Refused (`revoked`) if one of them is out of date already."""
    connection.scope["state"][_STATE].hold(tuple(stamps))


class _Request:
    """One that is under way."""

    def __init__(self, scope: HTTPScope, receive: Receive, leases: LeaseBook) -> None:
        self._connection = cast(Connection | None, (scope.get("extensions") or {}).get(CONNECTION))
        self._receive = receive
        self._book = leases
        self._leases: list[Lease] = []
        self._reset: asyncio.TimerHandle | None = None
        self._is_reading = scope["method"] in READING
        self._is_here = not self._is_reading and not _has_body(scope)

    def hold(self, stamps: tuple[Stamp, ...]) -> None:
        if stamps and not self._is_here:
            self._leases.append(self._book.hold(stamps, self._end))

    async def receive(self) -> HTTPReceiveMessage | WebSocketReceiveMessage:
        message = await self._receive()
        if not self._is_reading and not message.get("more_body", False):
            self._is_here = True
            self.release()
        return message

    async def drained(self) -> None:
        if self._leases and self._connection is not None:
            await self._connection.drained()

    def release(self) -> None:
        for lease in self._leases:
            lease.release()
        self._leases.clear()
        if self._reset is not None:
            self._reset.cancel()

    def _end(self, _subject: str) -> None:
        if self._reset is None and self._connection is not None:
            self._reset = asyncio.get_running_loop().call_later(LAST_WORD_S, self._connection.reset)


def _has_body(scope: HTTPScope) -> bool:
    """By its headers (RFC 9112, 6.3)."""
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
