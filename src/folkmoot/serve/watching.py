"""What operators look at without a token: a socket in the data directory for `folkmoot top`, and a port of this
machine for Prometheus, if one is set.

It speaks the least of HTTP that both need. Who may open the socket may read the data directory; the port is on the
loopback address, and what it says names no Space and no person.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import structlog

from folkmoot.audience.fanout import DELAYS_MS
from folkmoot.recordings import sound
from folkmoot.serve.places import Places
from folkmoot.spaces import queries as spaces
from folkmoot.spaces.model import Space
from folkmoot.surfaces.metrics import CONTENT_TYPE, metrics_text
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.watching import ServerNow, SpaceNow

log = structlog.get_logger(__name__)
ASKS_WITHIN_S = 5.0
HEAD_LINES_MAX = 100
BIND_AGAIN_S = 5.0
_PEER = struct.Struct("3i")  # struct ucred: pid, uid, gid

Answer = Callable[[], Awaitable[tuple[str, bytes]]]


class Watching:
    """Answers operators. Belongs to the web process."""

    def __init__(self, services: Services, places: Places, metrics_port: int | None) -> None:
        self._services = services
        self._places = places
        self._metrics_port = metrics_port

    async def run(self) -> None:
        """Until cancelled."""
        path = self._places.watching_socket
        async with contextlib.AsyncExitStack() as stack:
            path.unlink(missing_ok=True)  # of the process before this one
            local = _served({"/now": self._now, "/metrics": self._metrics})
            await stack.enter_async_context(await asyncio.start_unix_server(local, path))
            path.chmod(0o600)
            if self._metrics_port is not None:
                open_to_all = _served({"/metrics": self._metrics})
                await stack.enter_async_context(await _bound(self._metrics_port, open_to_all))
            await asyncio.get_running_loop().create_future()

    async def _metrics(self) -> tuple[str, bytes]:
        return CONTENT_TYPE, await metrics_text(self._services)

    async def _now(self) -> tuple[str, bytes]:
        return "application/json", msgspec.json.encode(await self.server_now())

    async def server_now(self) -> ServerNow:
        """Everything at this moment."""
        services = self._services
        async with services.database.read() as read:
            live = await spaces.by_ids(read, await spaces.live_ids(read))
        reports = services.listening.reports()
        counts, estimated = services.listening.counts(), services.listening.estimated()
        return ServerNow(
            at_ms=services.clock_ms(),
            version=services.site.version,
            listeners=sum(counts.values()),
            listeners_estimated=sum(estimated.values()),
            audience={
                name: sum(report.metrics.get(name, 0) for report in reports)
                for name in (reports[0].metrics if reports else ())
            },
            delays_ms=DELAYS_MS,
            delays=tuple(sum(column) for column in zip(*(report.delays for report in reports), strict=True)),
            processes=list(services.processes()),
            spaces=await asyncio.to_thread(self._spaces_now, live, dict(counts), dict(estimated)),
        )

    def _spaces_now(self, live: list[Space], counts: dict[int, int], estimated: dict[int, int]) -> list[SpaceNow]:
        used = {one.pid: one.cores for one in self._services.processes()}
        now_ms = self._services.clock_ms()
        found = []
        for space in live:
            pid = _listening_pid(self._places.stage_socket(space.id))
            is_full = self._services.stages.tape_full(space.id)
            found.append(
                SpaceNow(
                    id=str(space.id),
                    title=space.title,
                    live_since_ms=space.started_at_ms,
                    stage="away" if pid is None else "disk full" if is_full else "on",
                    speakers=len(space.stage),
                    behind_ms=sound.behind_ms(self._places.tape(space.id), now_ms),
                    listeners=counts.get(space.id, 0),
                    listeners_estimated=estimated.get(space.id, 0),
                    cores=None if pid is None else used.get(pid),
                )
            )
        return found


def _listening_pid(path: Path) -> int | None:
    """The process behind a unix socket, None if nobody is (unix(7), SO_PEERCRED)."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(0.2)
        try:
            asking.connect(str(path))
        except OSError:
            return None
        pid, _, _ = _PEER.unpack(asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
        return int(pid)


async def _bound(port: int, serve: "_Serve") -> asyncio.Server:
    """The port, as soon as it is free: a process that makes way for this one may still have it."""
    has_said = False
    while True:
        try:
            return await asyncio.start_server(serve, "127.0.0.1", port, reuse_port=True)
        except OSError as error:
            if not has_said:
                log.warning("watching.port_taken", port=port, error=os.strerror(error.errno or 0))
            has_said = True
            await asyncio.sleep(BIND_AGAIN_S)


_Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _served(answers: dict[str, Answer]) -> _Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever went away, or sent too much or too slowly, gets no answer.
        with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.LimitOverrunError):
            async with asyncio.timeout(ASKS_WITHIN_S):
                path = await _asked(reader)
            answer = answers.get(path)
            if answer is None:
                writer.write(_http("404 Not Found", "text/plain", b"There is /metrics.\n"))
            else:
                writer.write(_http("200 OK", *await answer()))
            await writer.drain()
        writer.close()

    return serve


async def _asked(reader: asyncio.StreamReader) -> str:
    """The path of a GET; nothing for any other request. Raises ValueError for a head without an end."""
    method, _, rest = (await reader.readline()).decode("latin-1").partition(" ")
    for _ in range(HEAD_LINES_MAX):
        if (await reader.readline()) in (b"\r\n", b"\n", b""):
            return rest.partition(" ")[0].partition("?")[0] if method == "GET" else ""
    raise ValueError("the head has no end")


def _http(status: str, content_type: str, body: bytes) -> bytes:
    fields = f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return f"HTTP/1.1 {status}\r\n{fields}".encode() + body
