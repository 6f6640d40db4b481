"""WebSockets on uvicorn's connections: its protocol, with a way for the application to write frames that many are
sent, and to end a connection at once."""

from __future__ import annotations

import logging
import socket
import struct
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

CONNECTION = "folkmoot.connection"
_RESET = struct.pack("ii", 1, 0)  # struct linger: on, for no time
# What uvicorn says of each connection has its address in it, and with that a token.
_QUIET = logging.getLogger("folkmoot.websockets")
_QUIET.setLevel(logging.WARNING)
# Who hangs up before the handshake is no error of the application's.
_QUIET.addFilter(lambda record: "without completing handshake" not in str(record.msg))


class Upgraded:
    """What carries a WebSocket. As an ASGI extension of its scope it is the same as a request's `Connection`."""

    def __init__(self, protocol: WebSocketsSansIOProtocol) -> None:
        self._protocol = protocol

    def write(self, frame: bytes) -> None:
        """Send a whole frame, unmasked (RFC 6455, 5.1); nothing happens after an end."""
        protocol = self._protocol
        if not (protocol.close_sent or protocol.disconnected or protocol.transport.is_closing()):
            protocol.transport.write(frame)

    def waiting_bytes(self) -> int:
        """How much was written and has not left this process."""
        return self._protocol.transport.get_write_buffer_size()

    def close(self, code: int, reason: str) -> None:
        """End it with a word. The application then hears of the end as of the client's."""
        protocol = self._protocol
        if protocol.close_sent or protocol.disconnected or not protocol.handshake_complete:
            return
        saying = protocol.loop.create_task(
            protocol.send({"type": "websocket.close", "code": code, "reason": reason})
        )
        protocol.tasks.add(saying)
        saying.add_done_callback(protocol.tasks.discard)

    def reset(self) -> None:
        """Close it with RST: nothing that waits in a buffer is delivered."""
        transport = self._protocol.transport
        if not transport.is_closing():
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()

    async def drained(self) -> None:
        """Returns when what was written has left the process, or the connection is gone."""
        await self._protocol.writable.wait()


class SocketProtocol(WebSocketsSansIOProtocol):
    """For `uvicorn.Config(ws=...)`."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.logger = _QUIET

    async def run_asgi(self) -> None:
        self.scope["extensions"] = cast(Any, {**(self.scope["extensions"] or {}), CONNECTION: Upgraded(self)})
        try:
            await super().run_asgi()
        finally:
            # They refer to each other: thousands of ended connections would wait for the garbage collector.
            self.scope["extensions"] = {}

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.conn.parser.close()  # a generator that holds what holds it
