"""One listener of tens of thousands is removed from a Space: how long they hear on, and what the others lose."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from folkmoot.bench.audience_load import Listeners
from folkmoot.bench.crowd import SPACES
from folkmoot.bench.server import Server

ADDRESS = "127.0.8.8"
HEARD_BYTES = 4_000
_HEARS_WITHIN_S = 20.0
_WATCHED_S = 2.5
"""Two writes and more: by then whoever lacks a part has the next."""


class Removed(msgspec.Struct, frozen=True):
    """How long after the host's request the connection ended (None: it didn't), and what became of the others."""

    after_ms: float | None
    others_missed: int
    others_corrupted: int
    others_cut_off: int


class _Ear:
    """A connection with sound, read until it ends."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.heard = 0
        self.over_s: float | None = None
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        try:
            while data := self._connection.recv(65_536):
                self.heard += len(data)
        except TimeoutError:
            return
        except ConnectionResetError:
            pass
        self.over_s = time.monotonic()


def remove_one(server: Server, space_id: int, host: str, listener: tuple[int, str], others: Listeners) -> Removed:
    """Has the host, by their token, remove this account (id, token), who listens beside the others.

    Raises ServerFailed, OSError.
    """
    account_id, token = listener
    with _hearing(server, space_id, token) as ear:
        others.measure()
        time.sleep(_WATCHED_S)
        began_s = time.monotonic()
        command = {"do": "remove", "account": str(account_id)}
        server.call("POST", f"{SPACES}/{space_id}/commands", host, command)
        time.sleep(_WATCHED_S)
        heard = others.report()
        return Removed(
            after_ms=None if ear.over_s is None else (ear.over_s - began_s) * 1000,
            others_missed=heard.missed,
            others_corrupted=heard.corrupted + heard.repeated,
            others_cut_off=heard.closed + heard.ended,
        )


@contextmanager
def _hearing(server: Server, space_id: int, token: str) -> Iterator[_Ear]:
    with socket.create_connection(("127.0.0.1", server.port), _HEARS_WITHIN_S, (ADDRESS, 0)) as connection:
        connection.sendall(
            f"GET {SPACES}/{space_id}/listen?codec=opus HTTP/1.1\r\n"
            f"Host: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        ear = _Ear(connection)
        give_up_s = time.monotonic() + _HEARS_WITHIN_S
        while ear.heard < HEARD_BYTES and ear.over_s is None and time.monotonic() < give_up_s:
            time.sleep(0.01)
        try:
            if ear.heard < HEARD_BYTES:
                raise OSError(f"The listener who was to be removed heard {ear.heard} bytes.")
            yield ear
        finally:
            if ear.over_s is None:
                connection.shutdown(socket.SHUT_RDWR)
            ear.thread.join()
