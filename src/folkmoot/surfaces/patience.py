"""How long a request's body is waited for: an ASGI application in front of the others. uvicorn waits for ever."""

import asyncio
import time

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send, WebSocketReceiveMessage

from folkmoot.gate import Refused

PAUSE_MAX_S = 30.0
BODY_MAX_S = 120.0
BODY_BYTES_PER_S_MIN = 50_000
"""So much of a body buys another second: a film that is on its way through a telephone is no flood."""

_Received = HTTPReceiveMessage | WebSocketReceiveMessage


class BodyTooSlow(Refused):
    """Refused 408; the connection ends with it."""

    def __init__(self) -> None:
        super().__init__("body_too_slow", "The request's body took too long to arrive.", status=408)


class Patience:
    """Waits `pause_max_s` for each piece of a body and `body_max_s` for all of it (longer while much of it comes),
    then raises BodyTooSlow in whoever reads it. What comes after the body (that the client went away)
    may take as long as it likes."""

    def __init__(self, app: ASGIApp, *, pause_max_s: float = PAUSE_MAX_S, body_max_s: float = BODY_MAX_S) -> None:
        self._app = app
        self._pause_max_s = pause_max_s
        self._body_max_s = body_max_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send, time.monotonic() + self._body_max_s, self._pause_max_s)
        await self._app(scope, body.receive, body.send)


class _Body:
    """One request's body on its way in."""

    def __init__(self, receive: Receive, send: Send, end_at_s: float, pause_max_s: float) -> None:
        self._receive = receive
        self._send = send
        self._end_at_s = end_at_s
        self._pause_max_s = pause_max_s
        self._is_whole = False
        self._was_too_slow = False

    async def receive(self) -> _Received:
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout(min(self._pause_max_s, self._end_at_s - time.monotonic())):
                message = await self._receive()
        except TimeoutError as error:
            self._was_too_slow = True
            raise BodyTooSlow from error
        if message["type"] == "http.request":
            self._end_at_s += len(message["body"]) / BODY_BYTES_PER_S_MIN
        self._is_whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self._was_too_slow and message["type"] == "http.response.start":
            # The rest of the body would be taken for the next request.
            message["headers"] = [*message["headers"], (b"connection", b"close")]
        await self._send(message)
