"""What one account can hold open at a running server, each with the moment at which it was over."""

import asyncio
import contextlib
import re
import select
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
from tests.serve.moot import SPACES, Person
from tests.stage.peers import Client
from tests.support.waiting import PATIENCE_S
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

Over = Callable[[], float | None]
QUIET_S = 0.25  # a connection by which no frame comes for so long has ended with its last one
_RECEIVE_BUFFER_BYTES = 4096


class Held:
    """Something that is open. `over_s()`: when (monotonic) it ended; None while it hasn't."""

    def __init__(self, name: str, over_s: Over, close: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self.over_s = over_s
        self.close = close


class _Reader:
    """Reads an endless answer until it ends, however it does."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.over_s: float | None = None

    async def read(self, http: httpx.AsyncClient, path: str) -> None:
        with contextlib.suppress(httpx.TransportError):
            async with http.stream("GET", path, timeout=PATIENCE_S) as answer:
                assert answer.status_code == 200, (path, answer.status_code)
                async for _ in answer.aiter_raw():
                    self.opened.set()
        self.over_s = time.monotonic()

    async def ask_again_and_again(self, http: httpx.AsyncClient, playlist: str) -> None:
        """A player of live HLS: each request waits for the segment that is not there yet."""
        with contextlib.suppress(httpx.TransportError):
            answer = await http.get(playlist, timeout=PATIENCE_S)
            while answer.status_code in (200, 503):
                await asyncio.sleep(0.02 if answer.status_code == 200 else 0.2)
                self.opened.set() if answer.status_code == 200 else None
                answer = await http.get(f"{playlist}?_HLS_msn={_next_segment(answer.text)}", timeout=PATIENCE_S)
        self.over_s = time.monotonic()


def _next_segment(playlist: str) -> int:
    first = re.search(r"MEDIA-SEQUENCE:(\d+)", playlist)
    return (int(first[1]) if first else 0) + playlist.count("#EXTINF")


async def stream(name: str, http: httpx.AsyncClient, path: str) -> Held:
    reader = _Reader()
    return await _opened(name, reader, reader.read(http, path))


async def web_socket(name: str, base_url: str, token: str) -> Held:
    """A stream of what happens, as programs for Mastodon hold it."""
    address = f"ws{base_url.removeprefix('http')}/api/v1/streaming?stream=user&access_token={token}"
    client, reader = await connect(address), _Reader()

    async def read() -> None:
        reader.opened.set()
        with contextlib.suppress(ConnectionClosed):
            while True:
                await client.recv()
        reader.over_s = time.monotonic()

    return await _opened(name, reader, read())


async def waiting_playlist(name: str, http: httpx.AsyncClient, space: dict[str, Any]) -> Held:
    reader = _Reader()
    path = f"{SPACES}/{space['id']}/hls/aac/live.m3u8"
    return await _opened(name, reader, reader.ask_again_and_again(http, path))


async def _opened(name: str, reader: _Reader, reading: Any) -> Held:
    task = asyncio.create_task(reading)
    opening = asyncio.create_task(reader.opened.wait())
    await asyncio.wait({task, opening}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
    assert reader.opened.is_set(), f"{name} did not open"

    async def close() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return Held(name, lambda: reader.over_s, close)


class _LastFrame(list[Any]):
    """What a client keeps of what it heard: only when the last of it came."""

    def __init__(self) -> None:
        super().__init__()
        self.at_s = time.monotonic()

    def append(self, frame: Any) -> None:
        self.at_s = time.monotonic()


def connection(name: str, voice: Client) -> Held:
    """A WebRTC connection by which sound comes."""
    voice.heard = last = _LastFrame()

    def over_s() -> float | None:
        return last.at_s if time.monotonic() - last.at_s > QUIET_S else None

    return Held(name, over_s, voice.close)


async def listening(person: Person, space: dict[str, Any]) -> Client:
    """By WHEP."""
    client = Client(0)

    async def answer(offer: str) -> str:
        path = f"{SPACES}/{space['id']}/whep"
        answered = await person.http.post(path, content=offer, headers={"Content-Type": "application/sdp"})
        assert answered.status_code == 201, answered.text
        return answered.text

    await client.hear(answer)
    return client


class Socket:
    """A client that sends what it likes and reads when it likes. That it was reset shows without reading."""

    def __init__(self, base_url: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        where = urlsplit(base_url)
        self._socket.connect((where.hostname, where.port))
        self._over_s: float | None = None
        self._watching = asyncio.create_task(self._watch())

    def send(self, head: str, body: bytes = b"") -> None:
        self._socket.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)

    async def first_bytes(self) -> bytes:
        return await asyncio.to_thread(self._socket.recv, 512)

    def over_s(self) -> float | None:
        return self._over_s

    async def close(self) -> None:
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        self._socket.close()

    async def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._socket, 0)
        while not any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0)):
            await asyncio.sleep(0.01)
        self._over_s = time.monotonic()


async def slow_fetch(name: str, base_url: str, path: str, token: str | None) -> Held:
    """A download to somebody who doesn't read on."""
    client = Socket(base_url)
    credential = f"\nAuthorization: Bearer {token}" if token else ""
    client.send(f"GET {path} HTTP/1.1\nHost: {urlsplit(base_url).netloc}{credential}")
    first = await client.first_bytes()
    assert b" 200 " in first[:20], first
    return Held(name, client.over_s, client.close)


def upload(
    name: str, base_url: str, path: str, token: str, body: bytes, content_type: str = "application/json"
) -> Held:
    """A body of which half is sent."""
    client = Socket(base_url)
    client.send(
        f"POST {path} HTTP/1.1\nHost: {urlsplit(base_url).netloc}\nAuthorization: Bearer {token}"
        f"\nContent-Type: {content_type}\nContent-Length: {len(body)}",
        body[: len(body) // 2],
    )
    return Held(name, client.over_s, client.close)


async def all_over(held: list[Held]) -> None:
    """Waits until everything is over; fails with what isn't."""
    give_up_s = time.monotonic() + PATIENCE_S
    while open_yet := [one.name for one in held if one.over_s() is None]:
        assert time.monotonic() < give_up_s, f"still open: {open_yet}"
        await asyncio.sleep(0.01)
