"""The two kinds of connections that carry streams: WebSockets and server-sent events."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from folkmoot.gate import Viewer
from folkmoot.surfaces.mastodon.streams.message import HEARTBEAT, Message

WAITING_BYTES_MAX = 256 * 1024
"""What may wait for somebody who reads slowly: some fifty posts. Then they are cut off, and come again."""
WAITING_MESSAGES_MAX = 256
HEARTBEAT_S = 15.0


class Wire(Protocol):
    """What a WebSocket is to us: audience/upgraded.py."""

    def write(self, frame: bytes) -> None: ...

    def waiting_bytes(self) -> int: ...

    def close(self, code: int, reason: str) -> None: ...

    def reset(self) -> None: ...


GOING_AWAY, POLICY = 1001, 1008  # RFC 6455, 7.4.1


class SocketLine:
    """A WebSocket: frames are written to it as they come, in no task of its own."""

    def __init__(self, viewer: Viewer, wire: Wire) -> None:
        self.viewer = viewer
        self.wire = wire

    def say(self, message: Message, label: tuple[str, ...]) -> None:
        self.write(message.frame(label))

    def write(self, frame: bytes) -> None:
        """Whatever it is: who asks and doesn't read is cut off like who only doesn't read."""
        if self.wire.waiting_bytes() > WAITING_BYTES_MAX:
            self.wire.reset()
            return
        self.wire.write(frame)

    def send_away(self) -> None:
        self.wire.close(GOING_AWAY, "Come again.")


class EventLine:
    """Server-sent events: pieces wait here until the answer has taken them."""

    def __init__(self, viewer: Viewer, cut: "Cut") -> None:
        self.viewer = viewer
        self._cut = cut
        self._waiting: deque[bytes] = deque()
        self._is_over = False
        self._news = asyncio.Event()

    def say(self, message: Message, label: tuple[str, ...]) -> None:  # noqa: ARG002 (it carries one stream)
        if len(self._waiting) >= WAITING_MESSAGES_MAX:
            self._waiting.clear()
            self.send_away()
            self._cut.reset()
            return
        self._waiting.append(message.piece)
        self._news.set()

    def send_away(self) -> None:
        self._is_over = True
        self._news.set()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Until it is over. A word now and then, also where nothing happens, so that nobody in between gives up."""
        yield b":)\n\n"
        while not self._is_over:
            while self._waiting:
                yield self._waiting.popleft()
            self._news.clear()
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._news.wait()
            except TimeoutError:
                yield HEARTBEAT


class Cut(Protocol):
    """What carries an answer, as far as it can be cut off (surfaces/under_way.py)."""

    def reset(self) -> None: ...
