"""What the audience's tests share: scripted tapes and sockets, and a web server with a worker behind it."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from tests.support.waiting import PATIENCE_S, wait_until

from folkmoot.audience.door import Door, listen_protocol
from folkmoot.audience.groups import Short
from folkmoot.audience.handoff import Handoff
from folkmoot.audience.request import Admission, ListenRefusal, ListenRequest
from folkmoot.audience.worker import Worker, WorkerConfig

INIT = b"<init>"
Admit = Callable[[ListenRequest], Awaitable[Admission | ListenRefusal]]


class ScriptedTape:
    """A tape whose parts a test appends; `open` gives a LiveTape."""

    def __init__(self, codecs: Sequence[str] = ("opus",)) -> None:
        self.parts: dict[str, list[bytes]] = {codec: [] for codec in codecs}
        self.ended = False
        self.readers: set[ScriptedReader] = set()
        self.error: Exception | None = None

    def open(self) -> ScriptedReader:
        reader = ScriptedReader(self)
        self.readers.add(reader)
        return reader

    @property
    def closed(self) -> bool:
        return not self.readers

    def append(self, part: bytes) -> None:
        for parts in self.parts.values():
            parts.append(part)


class ScriptedReader:
    """One worker's view of it."""

    def __init__(self, tape: ScriptedTape) -> None:
        self._tape = tape
        self._taken: dict[str, int] = {}

    @property
    def ended(self) -> bool:
        return self._tape.ended

    def refresh(self) -> None:
        if self._tape.error:
            raise self._tape.error

    def init(self, codec: str) -> bytes | None:
        return INIT if codec in self._tape.parts else None

    def take(self, codec: str, parts_max: int) -> list[bytes]:
        parts = self._tape.parts[codec]
        first = max(self._taken.get(codec, 0), len(parts) - parts_max)
        self._taken[codec] = len(parts)
        return parts[first:]

    def position(self, codec: str) -> int:
        return self._taken.get(codec, 0)

    def close(self) -> None:
        self._tape.readers.remove(self)


class FakeSockets:
    """An Emit that remembers what each socket took. `room` limits a socket (None: no limit); `broken` fails."""

    def __init__(self) -> None:
        self.taken: dict[int, bytearray] = {}
        self.room: dict[int, int] = {}
        self.broken: set[int] = set()
        self.closed: set[int] = set()
        self.fins: set[int] = set()

    def write(self, sockets: Sequence[int], data: bytes) -> list[Short]:
        assert data
        return [
            Short(each, None if took is None else data[took:] if took else b"")
            for each in list(sockets)
            if (took := self._write(each, data)) != len(data)
        ]

    def end(self, sockets: Sequence[int], data: bytes, *, by_fin: bool = False) -> list[Short]:
        if by_fin:
            self.fins.update(sockets)
        return self.write(sockets, data) if data else []

    def resume(self, socket: int, rest: bytes) -> Short | None:
        assert rest
        took = self._write(socket, rest)
        return None if took == len(rest) else Short(socket, None if took is None else rest[took:])

    def _write(self, number: int, data: bytes) -> int | None:
        assert number not in self.closed, "written to after it was closed"
        if number in self.broken:
            return None
        took = min(len(data), self.room.get(number, len(data)))
        if number in self.room:
            self.room[number] -= took
        self.taken.setdefault(number, bytearray()).extend(data[:took])
        return took


class Revocations:
    """A RevocationSource that a test rings."""

    def __init__(self) -> None:
        self._counters: dict[str, int] = {}
        self._lock = threading.Lock()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK)
        self.compared: list[set[str]] = []

    def revoke(self, subject: str, counter: int) -> None:
        with self._lock:
            self._counters[subject] = counter
        self.ring()

    def ring(self) -> None:
        os.eventfd_write(self._bell, 1)

    def poll(self) -> Mapping[str, int]:
        with self._lock:
            with suppress(BlockingIOError):
                os.eventfd_read(self._bell)
            counters, self._counters = self._counters, {}
            return counters

    def compare(self, subjects: Collection[str]) -> None:
        self.compared.append(set(subjects))

    def fileno(self) -> int:
        return self._bell

    def close(self) -> None:
        os.close(self._bell)


@contextmanager
def running_worker(
    socket_path: Path, tapes: Mapping[int, ScriptedTape], **settings: Any
) -> Iterator[tuple[Worker, Revocations]]:
    """A worker in a thread, over scripted tapes."""
    revocations = Revocations()
    worker = Worker(
        WorkerConfig(
            socket_path, Path("tapes"), settings.pop("listeners_max", 0), settings.pop("predecessors", ())
        ),
        revocations,
        open_tape=lambda directory: tapes[name].open() if (name := int(directory.name)) in tapes else None,
        report_ms=20,
        **settings,
    )
    stop = threading.Event()

    def run() -> None:
        while not (stop.is_set() or worker.is_over):
            worker.run_once()
        worker.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield worker, revocations
    finally:
        stop.set()
        revocations.ring()
        thread.join()
        revocations.close()


async def admit_all(request: ListenRequest) -> Admission | ListenRefusal:
    """Lets everyone in; who brings a ticket hangs on it."""
    stamps = [(f"space:{request.space_id}", 0)]
    if request.ticket:
        stamps.append((f"ticket:{request.ticket}", 0))
    return Admission(request.space_id, request.form, tuple(stamps))


async def tiny_app(scope: Any, receive: Any, send: Any) -> None:
    """Answers every request with its method, path and body's length."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": message["type"] + ".complete"})
        return
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    answer = f"{scope['method']} {scope['path']} {length}".encode()
    headers = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


class TinyWebSocket(asyncio.Protocol):
    """Stands where uvicorn hands a WebSocket over."""

    def __init__(self, **_: Any) -> None:
        super().__init__()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport) or hasattr(transport, "write")
        transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        transport.close()


class House:
    """A uvicorn server on uvloop, in a thread, with a door to audience workers."""

    def __init__(
        self, socket_paths: Sequence[Path], admit: Admit, http: Callable[[Door], Any], settings: dict[str, Any]
    ) -> None:
        self._settings = settings
        self._http = http
        self._admit = admit
        self._paths = socket_paths
        self.handoff: Handoff
        self.port = 0

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.handoff = Handoff(self._paths)
        self.handoff.start()
        door = Door(self._admit, self.handoff, **self._settings)
        config = uvicorn.Config(
            tiny_app,
            http=self._http(door),
            ws=TinyWebSocket,
            port=0,
            log_level="critical",
            access_log=False,
            lifespan="off",
        )
        self.server = uvicorn.Server(config)
        await self.server.serve()
        self.handoff.close()

    def run(self) -> None:
        uvloop.run(self._main())

    @property
    def started(self) -> bool:
        server = getattr(self, "server", None)
        return server is not None and server.started

    def call(self, what: Callable[[], object]) -> None:
        """Run it on the server's loop."""
        self.loop.call_soon_threadsafe(what)

    def connect(self, *, receive_buffer_bytes: int = 0) -> Client:
        return Client(self.port, receive_buffer_bytes)

    def listen(self, space_id: int = 1, query: str = "", headers: str = "") -> Client:
        client = self.connect()
        client.send(f"GET /api/folkmoot/v1/spaces/{space_id}/listen{query} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
        return client


@contextmanager
def running_house(
    *socket_paths: Path,
    admit: Admit = admit_all,
    http: Callable[[Door], Any] = listen_protocol,
    **settings: Any,
) -> Iterator[House]:
    house = House(socket_paths, admit, http, settings)
    thread = threading.Thread(target=house.run)
    thread.start()
    try:
        wait_until(lambda: house.started)
        house.port = house.server.servers[0].sockets[0].getsockname()[1]
        yield house
    finally:
        house.server.should_exit = True
        thread.join()


class Client:
    """A blocking HTTP client that sees every byte."""

    def __init__(self, port: int, receive_buffer_bytes: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(("127.0.0.1", port))
        self._buffer = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def read(self, count: int) -> bytes:
        while len(self._buffer) < count:
            more = self.socket.recv(65_536)
            assert more, f"closed after {self._buffer!r}"
            self._buffer += more
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def read_until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            more = self.socket.recv(65_536)
            assert more, f"closed after {self._buffer!r}"
            self._buffer += more
        return self.read(self._buffer.index(end) + len(end))

    def head(self) -> tuple[int, dict[str, str]]:
        lines = self.read_until(b"\r\n\r\n").decode().split("\r\n")[:-2]
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        return int(lines[0].split()[1]), headers

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status, headers = self.head()
        return status, headers, self.read(int(headers["content-length"]))

    def chunk(self) -> bytes:
        size = int(self.read_until(b"\r\n"), 16)
        data = self.read(size)
        assert self.read(2) == b"\r\n"
        return data

    def rest(self) -> bytes:
        """Everything until the connection ends in order."""
        while more := self.socket.recv(65_536):
            self._buffer += more
        data, self._buffer = self._buffer, b""
        return data

    def is_reset(self) -> bool:
        """Reads until the connection ends; True if by a reset."""
        try:
            self.rest()
        except ConnectionResetError:
            return True
        return False
