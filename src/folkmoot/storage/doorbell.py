"""The doorbell: who committed news wakes those who wait for it, in this process, on this machine, or by PostgreSQL.

A ring says only "look". It may be lost (a full socket, a process that just starts): everybody who waits for one
looks by themselves every so often. Each process has a unix datagram socket in one directory; a peer that died
leaves its file behind, and whoever rings next removes it.
"""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psycopg
import structlog
from sqlalchemy.engine import make_url

log = structlog.get_logger(__name__)
CHANNEL = "folkmoot"
_RECONNECT_DELAY_S = 1.0


class Doorbell:
    """One for each process. `ring` works without `listening` too: a command rings and goes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._wakes: set[asyncio.Event] = set()
        self._sender: socket.socket | None = None

    def ring(self) -> None:
        """Wake every process that listens. Never blocks and never raises: what it tells of is committed."""
        self._wake()
        with contextlib.suppress(OSError), _opened(self._directory) as directory:
            with os.scandir(directory) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(".sock")]
            for name in names:
                self._send(directory, name)

    @contextmanager
    def heard_by(self, wake: asyncio.Event) -> Iterator[None]:
        """Set `wake` at every ring that this process hears."""
        self._wakes.add(wake)
        try:
            yield
        finally:
            self._wakes.discard(wake)

    @asynccontextmanager
    async def listening(self, database_url: str) -> AsyncIterator[None]:
        """Hear the rings of other processes; on PostgreSQL also those of other machines."""
        loop = asyncio.get_running_loop()
        with self._bound_socket() as ear:
            loop.add_reader(ear, self._hear, ear)
            notified = loop.create_task(self._hear_postgres(database_url))
            try:
                yield
            finally:
                notified.cancel()
                await asyncio.gather(notified, return_exceptions=True)
                loop.remove_reader(ear)

    @contextmanager
    def _bound_socket(self) -> Iterator[socket.socket]:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{os.getpid()}-{secrets.token_hex(4)}.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.setblocking(False)
            with _opened(self._directory) as directory:
                ear.bind(_address(directory, name))
            try:
                yield ear
            finally:
                (self._directory / name).unlink(missing_ok=True)

    def _send(self, directory: int, name: str) -> None:
        if self._sender is None:
            self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._sender.setblocking(False)
        try:
            self._sender.sendto(b"", _address(directory, name))
        except ConnectionRefusedError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)
        except (BlockingIOError, FileNotFoundError):
            pass  # Its queue is full, so it will wake anyway; or it has just gone.

    def _hear(self, ear: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                ear.recv(16)
                self._wake()

    async def _hear_postgres(self, database_url: str) -> None:
        url = make_url(database_url)
        if url.get_backend_name() != "postgresql":
            return
        conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        while True:
            try:
                await self._listen(conninfo)
            except psycopg.OperationalError as error:
                log.warning("doorbell.listen_failed", error=str(error))
            await asyncio.sleep(_RECONNECT_DELAY_S)

    async def _listen(self, conninfo: str) -> None:
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            # What was announced before LISTEN took effect.
            self._wake()
            async for _notification in connection.notifies():
                self._wake()

    def _wake(self) -> None:
        for wake in self._wakes:
            wake.set()


async def heard(wake: asyncio.Event, timeout_s: float) -> None:
    """Return at the next ring, or after the time at which one looks anyway."""
    # Not `wait_for`: before Python 3.12 it can swallow a cancellation that comes together with the ring.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await wake.wait()


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _address(directory: int, name: str) -> str:
    # A socket's path has at most 107 bytes; by way of the directory's descriptor its length doesn't matter.
    return f"/proc/self/fd/{directory}/{name}"
