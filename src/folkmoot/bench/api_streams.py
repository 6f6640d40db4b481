"""The streams of `bench api`: one person posts, and everybody who follows them has their home timeline open.

The followers are WebSockets of one loop, and each comes from an address of its own, or they would be too many for
one. What is measured is from before the request that posts to the last byte of the message at each of them.
"""

import asyncio
import base64
import gc
import json
import os
import time
from collections.abc import Sequence
from typing import cast
from urllib.parse import urlsplit

import msgspec
import uvloop

from folkmoot.bench.api_load import ApiFailed
from folkmoot.bench.server import ask

OPENED_AT_ONCE = 200
OPEN_WITHIN_S = 120.0
HEARD_WITHIN_S = 20.0
PAUSE_S = 0.5
WARMING = 1  # the first post has what it asks the database built, and counts only as heard
TRUSTED = "127.0.0.1"
"""The server has to believe this address whose clients come through it: the setting `trusted_proxies`."""


class Streamed(msgspec.Struct, frozen=True):
    """How long after a post each of its readers had it. `missed`: who had not within HEARD_WITHIN_S."""

    streams: int
    posts: int
    p50_ms: float
    p99_ms: float
    missed: int
    opened_s: float
    cpu_s: float  # of the generator


class _Follower(asyncio.Protocol):
    """One WebSocket: counts messages by their frames' lengths, and notes when each was whole."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._received = bytearray()
        self.opened = asyncio.get_running_loop().create_future()
        self.is_open = False
        self.heard_s: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self.is_open:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            self.is_open = head.startswith(b"HTTP/1.1 101 ")
            self._received = rest
            if not self.opened.done():
                self.opened.set_result(bytes(head[:64]))
        while (size := _frame_bytes(self._received)) and len(self._received) >= size:
            if self._received[0] & 0x0F == 1:  # text (RFC 6455, 5.2)
                self.heard_s.append(time.monotonic())
            del self._received[:size]

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_result(b"nothing")


def streamed(base_url: str, author: str, followers: Sequence[str], posts: int) -> Streamed:
    """`author` and `followers` are tokens; the author's posts belong in the home timeline of each follower. Raises
    ApiFailed."""
    return uvloop.run(_measure(base_url, author, followers, posts))


async def _measure(base_url: str, author: str, tokens: Sequence[str], posts: int) -> Streamed:
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    followers = await _open(base_url, tokens)
    gc.freeze()  # or looking through ten thousand connections for garbage would count as the server's time
    opened_s = time.monotonic() - began_s
    took_ms: list[float] = []
    missed = 0
    for number in range(WARMING + posts):
        await asyncio.sleep(PAUSE_S)
        posted_s = time.monotonic()
        body = json.dumps({"status": f"What everybody hears, for the {number + 1}. time."}).encode()
        status, answer = await asyncio.to_thread(
            ask, base_url, "POST", "/api/v1/statuses", body, "application/json", author
        )
        if status != 200:
            raise ApiFailed(f"Posting answered {status}: {answer.decode()}")
        while time.monotonic() < posted_s + HEARD_WITHIN_S and any(len(one.heard_s) <= number for one in followers):
            await asyncio.sleep(0.05)
        if number >= WARMING:
            took_ms += [(one.heard_s[number] - posted_s) * 1000 for one in followers if len(one.heard_s) > number]
        missed += sum(len(one.heard_s) <= number for one in followers)
    if not took_ms:
        raise ApiFailed("Nobody heard of what was posted.")
    took_ms.sort()
    return Streamed(
        streams=len(followers),
        posts=posts,
        p50_ms=took_ms[len(took_ms) // 2],
        p99_ms=took_ms[int(len(took_ms) * 0.99)],
        missed=missed,
        opened_s=opened_s,
        cpu_s=time.process_time() - began_cpu_s,
    )


async def _open(base_url: str, tokens: Sequence[str]) -> list[_Follower]:
    followers: list[_Follower] = []
    async with asyncio.timeout(OPEN_WITHIN_S):
        for start in range(0, len(tokens), OPENED_AT_ONCE):
            some = await asyncio.gather(
                *(
                    _connect(base_url, token, start + n)
                    for n, token in enumerate(tokens[start : start + OPENED_AT_ONCE])
                )
            )
            for one in some:
                await one.opened
                if not one.is_open:
                    raise ApiFailed(f"A stream was not opened: {one.opened.result()!r}")
            followers += some
    return followers


async def _connect(base_url: str, token: str, number: int) -> _Follower:
    where = urlsplit(base_url)
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    lines = (
        "GET /api/v1/streaming?stream=user HTTP/1.1",
        f"Host: {where.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {token}",
        f"X-Forwarded-For: {address}",
    )
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    _, follower = await asyncio.get_running_loop().create_connection(
        lambda: _Follower(request), where.hostname or "", where.port or 0
    )
    return follower


def _frame_bytes(received: bytearray) -> int:
    """The length of the first frame, which is not masked; 0 while that isn't known."""
    if len(received) < 2:
        return 0
    said = received[1] & 0x7F
    if said < 126:
        return 2 + said
    head_bytes = 4 if said == 126 else 10
    return head_bytes + int.from_bytes(received[2:head_bytes]) if len(received) >= head_bytes else 0
