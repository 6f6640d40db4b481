"""How a web process goes when another has taken its place: nobody is refused, and nobody's request is cut off.

It accepts nothing more, as the next one does. An answer says that its connection ends with it; an idle one isn't
closed at once, when a request may be on its way, but has some seconds for such a last answer. Then uvicorn waits
for what is still under way, within limits.
"""

import asyncio
from collections.abc import Callable
from socket import socket

import uvicorn
from litestar.types import ASGIApp, Message, Receive, Scope, Send

IDLE_WITHIN_S = 6.0
FINISH_WITHIN_S = 40


class LastAnswers:
    """An ASGI application in front of another: once `retiring`, each connection ends with its next answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.retiring = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_last(message: Message) -> None:
            if self.retiring and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, send_last)


class RetiringServer(uvicorn.Server):
    """uvicorn, and how it goes. `on_started` is called when it accepts connections."""

    def __init__(self, config: uvicorn.Config, answers: LastAnswers, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._answers = answers
        self._on_started = on_started

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    def retire(self) -> None:
        """Make way for the next one, which accepts connections already."""
        self._answers.retiring = True
        for server in self.servers:
            server.close()
        self.config.timeout_graceful_shutdown = FINISH_WITHIN_S
        asyncio.get_running_loop().call_later(IDLE_WITHIN_S, self._finish)

    def _finish(self) -> None:
        self.should_exit = True
