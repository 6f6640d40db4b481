"""What accounts hold open at a server, in one process of its own: it notes when each thing was over.

Sockets speak just enough HTTP/1.1 (RFC 9112) to hold a request open. The process runs beside the server on the same
machine, and reads all that it is sent.
"""

import asyncio
import re
import resource
import time
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum, auto
from multiprocessing.connection import Connection
from typing import cast
from urllib.parse import urlsplit

import msgspec
import uvloop
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription

from folkmoot.bench.server import ask

OPEN_WITHIN_S = 20.0
OPENING_AT_ONCE = 20
ASK_AGAIN_S = 0.1
STAY_CONNECTED_S = 2.0
# The server counts what comes from one address.
PER_ADDRESS = 200


class Kind(StrEnum):
    """A kind of surface that stays open, or is tried again and again."""

    STREAM = auto()
    EVENTS = auto()
    PLAYLIST = auto()
    TOKEN = auto()
    SEAT = auto()
    WHEP = auto()
    PLAIN = auto()  # a socket that a program of a few lines closes


class Wanted(msgspec.Struct, frozen=True):
    """Something to hold: a path at the server's address, by an account's token; `holder` is its account."""

    kind: Kind
    path: str
    token: str | None = None
    holder: int = 0


class Order(msgspec.Struct, frozen=True):
    """Wait until all of these kinds are over, for so long."""

    kinds: list[Kind]
    within_s: float


class Over(msgspec.Struct, frozen=True):
    """When (monotonic, s) things of one kind ended, each with its holder, and how many have not."""

    kind: Kind
    at_s: list[tuple[int, float]]
    open_yet: int


def run_holders(base_url: str, wanted: Sequence[Wanted], orders: Connection) -> None:
    """The process's main: opens everything and says how many of it; then, for each `Order`, answers with a list of
    `Over`."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(_Holders(base_url, orders).run(wanted))


class _Holders:
    def __init__(self, base_url: str, orders: Connection) -> None:
        self._base_url = base_url
        self._orders = orders
        self._things: list[_Thing] = []

    async def run(self, wanted: Sequence[Wanted]) -> None:
        opening = asyncio.Semaphore(OPENING_AT_ONCE)

        async def open_one(number: int, one: Wanted) -> None:
            async with opening:
                self._things.append(await self._open(number, one))

        await asyncio.gather(*(open_one(number, one) for number, one in enumerate(wanted)))
        self._orders.send(len(self._things))
        loop = asyncio.get_running_loop()
        order: Order | None
        while order := await loop.run_in_executor(None, self._orders.recv):
            for thing in self._things:
                if thing.wanted.kind in order.kinds:
                    thing.try_on()
            give_up_s = time.monotonic() + order.within_s
            self._orders.send([await self._over(kind, give_up_s) for kind in order.kinds])

    async def _open(self, number: int, one: Wanted) -> "_Thing":
        thing: _Thing
        if one.kind in (Kind.SEAT, Kind.WHEP):
            thing = _Peer(one, self._base_url)
        else:
            thing = _Line(one, self._base_url, f"127.0.9.{1 + number // PER_ADDRESS}")
        async with asyncio.timeout(OPEN_WITHIN_S):
            await thing.open()
        return thing

    async def _over(self, kind: Kind, give_up_s: float) -> Over:
        these = [thing for thing in self._things if thing.wanted.kind is kind]
        while any(thing.over_s is None for thing in these) and time.monotonic() < give_up_s:
            await asyncio.sleep(0.005)
        ended = [(thing.wanted.holder, thing.over_s) for thing in these if thing.over_s is not None]
        return Over(kind, ended, len(these) - len(ended))


class _Thing:
    """Something that is open. `over_s`: when it was over."""

    def __init__(self, wanted: Wanted, base_url: str) -> None:
        self.wanted = wanted
        self.over_s: float | None = None
        self._base_url = base_url

    @abstractmethod
    async def open(self) -> None:
        """Until it is open. Raises whatever is in the way."""

    def try_on(self) -> None:
        """Begin to try whether it still opens, where nothing stays open by itself."""

    def _is_over(self) -> None:
        if self.over_s is None:
            self.over_s = time.monotonic()


class _Line(_Thing, asyncio.Protocol):
    """A connection with one request after another, or one that has no end."""

    def __init__(self, wanted: Wanted, base_url: str, address: str) -> None:
        super().__init__(wanted, base_url)
        self._address = address
        self._answered = asyncio.Event()
        self._heard = bytearray()
        self._again_s = STAY_CONNECTED_S
        self._transport: asyncio.Transport | None = None

    async def open(self) -> None:
        where = urlsplit(self.wanted.path if self.wanted.kind is Kind.PLAIN else self._base_url)
        await asyncio.get_running_loop().create_connection(
            lambda: self, where.hostname or "", where.port or 80, local_addr=(self._address, 0)
        )
        if self.wanted.kind is not Kind.PLAIN:
            self._ask(self.wanted.path)
            await self._answered.wait()
        assert self.over_s is None, f"{self.wanted.kind} at {self.wanted.path}: {bytes(self._heard[:300])!r}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._is_over()
        self._answered.set()

    def data_received(self, data: bytes) -> None:
        if not self._answered.is_set() or self.wanted.kind in (Kind.PLAYLIST, Kind.TOKEN):
            self._heard += data
            self._read()
        elif self.wanted.kind is Kind.EVENTS and b"event: end" in data:
            self._is_over()

    def try_on(self) -> None:
        self._again_s = ASK_AGAIN_S
        if self.wanted.kind is Kind.TOKEN and self.over_s is None:
            self._ask(self.wanted.path)

    def _ask(self, path: str) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        credential = f"Authorization: Bearer {self.wanted.token}\r\n" if self.wanted.token else ""
        self._transport.write(
            f"GET {path} HTTP/1.1\r\nHost: {urlsplit(self._base_url).netloc}\r\n{credential}\r\n".encode()
        )

    def _read(self) -> None:
        head, separator, body = bytes(self._heard).partition(b"\r\n\r\n")
        if not separator:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self._is_over()
        elif self.wanted.kind in (Kind.PLAYLIST, Kind.TOKEN):
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            if length is None or len(body) < int(length[1]):
                return
            self._heard.clear()
            self._again(body.decode())
        self._answered.set()

    def _again(self, text: str) -> None:
        if self.wanted.kind is Kind.PLAYLIST:
            # The segment after the newest: the server keeps this waiting.
            self._ask(f"{self.wanted.path}?_HLS_msn={next_segment(text)}")
        else:
            asyncio.get_running_loop().call_later(self._again_s, self._ask, self.wanted.path)


def next_segment(playlist: str) -> int:
    """The media sequence number of the segment that a media playlist doesn't have yet (RFC 8216, 4.3.3.2)."""
    first = re.search(r"#EXT-X-MEDIA-SEQUENCE:(\d+)", playlist)
    return (int(first[1]) if first else 0) + playlist.count("#EXTINF")


class _Peer(_Thing):
    """A WebRTC connection; it is over when the other side has closed it."""

    async def open(self) -> None:
        connection, connected = RTCPeerConnection(), asyncio.Event()

        @connection.on("connectionstatechange")
        def _() -> None:
            if connection.connectionState == "connected":
                connected.set()
            elif connection.connectionState in ("closed", "failed"):
                self._is_over()

        if self.wanted.kind is Kind.SEAT:
            connection.addTrack(AudioStreamTrack())
        else:
            connection.addTransceiver("audio", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        answer = await asyncio.to_thread(self._post, connection.localDescription.sdp)
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await connected.wait()

    def _post(self, offer: str) -> str:
        where, token = self.wanted.path, self.wanted.token or ""
        status, answer = ask(self._base_url, "POST", where, offer.encode(), "application/sdp", token)
        assert status < 300, f"POST {where}: {answer!r}"
        return answer.decode()


def since_ms(over: Iterable[Over], committed_s: Mapping[int, float]) -> list[float]:
    """How long after the decision about its holder each thing ended; what has not counts as never (infinite)."""
    found: list[float] = []
    for one in over:
        found += [(at_s - committed_s[holder]) * 1000 for holder, at_s in one.at_s]
        found += [float("inf")] * one.open_yet
    return found
