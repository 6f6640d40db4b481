"""The plain side of an HTTPS connection, and how a listener's socket is lent from it (`tls.py`)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, cast

from OpenSSL import SSL

from folkmoot.audience import records
from folkmoot.audience.records import Sealing

_WRITE_BYTES = 3 * records.PLAINTEXT_BYTES_MAX
SEALED_BYTES = 64 * 1024  # more than that becomes, so that what OpenSSL has made is read at once, in whole records


class TlsTransport(asyncio.Transport):
    """What uvicorn's protocol reads from and writes to: the plain side of a connection."""

    def __init__(self, raw: asyncio.Transport, connection: SSL.Connection, secret: bytes) -> None:
        super().__init__()
        self._raw = raw
        self._connection: SSL.Connection | None = connection
        self._secret: bytes | None = secret
        self._records = 0
        self._is_closing = False
        self._is_paused = False
        self._is_lent = False
        self._protocol: asyncio.Protocol
        self._read_soon: Callable[[], object] = lambda: None

    def attach(self, protocol: asyncio.Protocol, read_soon: Callable[[], object]) -> None:
        """Says who is served; `read_soon` is called when it can take more."""
        self._protocol = protocol
        self._read_soon = read_soon

    # --- for the door

    def lend(self) -> Sealing | None:
        """What another process needs to go on writing. Until `take_back` nothing is written here, not even that
        the connection closes: it may go on there, and two records with one number would give the key away.

        None where the client has asked for other keys meanwhile (RFC 8446, 4.6.3): no player does.
        """
        if not self._secret or self._connection is None:
            return None
        self._is_lent = True
        return records.sealing(str(self._connection.get_cipher_name()), self._secret, self._records)

    def take_back(self) -> None:
        """The other process didn't get it."""
        self._is_lent = False

    # --- between the two sides

    def flush(self) -> int:
        """Sends what OpenSSL has made; returns how many records that were."""
        if self._connection is None:
            return 0
        try:
            sealed = self._connection.bio_read(SEALED_BYTES)
        except SSL.WantReadError:
            return 0
        count = records.count_records(sealed)
        self._records += count
        self._raw.write(sealed)
        return count

    def flush_unasked(self) -> None:
        """Sends what OpenSSL has made on its own account: an alert, or a change of keys."""
        if self.flush():
            self._secret = None

    @property
    def is_paused(self) -> bool:
        """Whether nothing may be read for now."""
        return self._is_paused or self._is_closing

    # --- asyncio.Transport

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._is_closing or self._is_lent or self._connection is None:
            return
        view = memoryview(data).cast("B")
        for at in range(0, len(view), _WRITE_BYTES):
            piece = view[at : at + _WRITE_BYTES]
            try:
                self._connection.sendall(piece)
            except SSL.Error:
                self.abort()
                return
            if self.flush() > -(-len(piece) // records.PLAINTEXT_BYTES_MAX):
                self._secret = None  # one of them was a change of keys

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        if self._is_closing or self._connection is None:
            return
        if self._is_lent:
            self.abort()
            return
        self._is_closing = True
        with contextlib.suppress(SSL.Error):
            self._connection.shutdown()
        self.flush()
        self._raw.close()

    def abort(self) -> None:
        """Closes at once, without close_notify: what was written may not arrive."""
        self._is_closing = True
        self._raw.abort()

    def is_closing(self) -> bool:
        return self._is_closing or self._raw.is_closing()

    def pause_reading(self) -> None:
        self._is_paused = True
        self._raw.pause_reading()

    def resume_reading(self) -> None:
        self._is_paused = False
        self._raw.resume_reading()
        self._read_soon()  # something may be here that was not decrypted yet

    def is_reading(self) -> bool:
        return not self.is_paused

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "sslcontext":
            return True  # by this uvicorn knows that the scheme is https
        return self._raw.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        return self._raw.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._raw.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._raw.set_write_buffer_limits(high, low)

    def can_write_eof(self) -> bool:
        return False

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast(asyncio.Protocol, protocol)

    def forget(self) -> None:
        """The connection is over: OpenSSL's part of it is 25 KB, which mustn't wait for the garbage collector."""
        self._is_closing = True
        self._connection = self._secret = None
        self._read_soon = lambda: None
