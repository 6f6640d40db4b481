"""HTTPS: TLS 1.3 between a socket and uvicorn's protocol, so that a listener's socket can be given away.

asyncio's own TLS keeps the keys to itself. Here OpenSSL works on memory and tells us the secret of what the server
sends (the callback that key logs are made with), and we count the records: with both, `records` can go on where
OpenSSL stopped. All but listeners are served by OpenSSL to the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, cast

from OpenSSL import SSL

from folkmoot.audience import records
from folkmoot.audience.entrance import Entrance
from folkmoot.audience.records import Sealing

HANDSHAKE_TIMEOUT_S = 10.0
HANDSHAKE_BYTES_MAX = 64 * 1024
_READ_BYTES = 16 * 1024
_WRITE_BYTES = 3 * records.PLAINTEXT_BYTES_MAX
_SEALED_BYTES = 64 * 1024  # more than that becomes, so that what OpenSSL has made is read at once, in whole records
_DATALESS_MAX = 32
"""Records without data that a client may send: changes of keys, for one. They cost us more than they cost it."""
_HANDSHAKE = 0x16  # a record's first byte (RFC 8446, 5.1); no HTTP request begins with it
_SECRET = b"SERVER_TRAFFIC_SECRET_0 "

logger = logging.getLogger(__name__)


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
            sealed = self._connection.bio_read(_SEALED_BYTES)
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


class TlsProtocol(asyncio.Protocol):
    """A connection from its first byte. Use `tls_protocol` to get the class for a certificate and what it leads to.

    One that speaks plain HTTP is told so by `plain`, on the same port. uvicorn makes these, and ends what is in
    its set of connections when it stops.
    """

    new_connection: Callable[[], SSL.Connection]
    entrance: Entrance
    inner: Callable[..., asyncio.Protocol]
    plain: Callable[..., asyncio.Protocol]
    handshake_timeout_s = HANDSHAKE_TIMEOUT_S

    def __init__(self, **keywords: Any) -> None:
        self._keywords = keywords
        self._loop: asyncio.AbstractEventLoop = keywords.get("_loop") or asyncio.get_running_loop()
        self._raw: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._patience_s = self.handshake_timeout_s
        self._waits_since_s = 0.0
        self._connection: SSL.Connection | None = None
        self._transport: TlsTransport | None = None
        self._protocol: asyncio.Protocol | None = None
        self._secret = b""
        self._received = (
            bytearray()
        )  # OpenSSL is given one whole record at a time, so that it does no more than one
        self._handshake_bytes = 0
        self._dataless = 0
        self._has_asked = False
        self.address = ""

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if isinstance(peer, tuple) else ""
        self._keywords["server_state"].connections.add(self)
        self._wait_for_client()

    def data_received(self, data: bytes) -> None:
        if self._connection is None and not self._received and data[0] != _HANDSHAKE:
            self._be_plain(data)
            return
        self._received += data
        if self._transport is not None:
            self._read()
            return
        if not self._has_asked and records.first_bytes(self._received):
            self._has_asked = True
            self._stop_waiting()
            self.entrance.ask_for_turn(self, is_last=self._connection is not None)
        if len(self._received) > HANDSHAKE_BYTES_MAX:
            self._raw.pause_reading()  # an upload that couldn't wait

    def eof_received(self) -> None:
        if self._protocol is not None:
            self._spoken.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_handshake()
        if self._transport is not None:
            self._transport.forget()
        if self._protocol is not None:
            self._spoken.connection_lost(exc)
        self._connection = None
        self._secret = b""

    def pause_writing(self) -> None:
        if self._protocol is not None:
            self._spoken.pause_writing()

    def resume_writing(self) -> None:
        if self._protocol is not None:
            self._spoken.resume_writing()

    @property
    def _spoken(self) -> asyncio.Protocol:
        """What is spoken on it now: a WebSocket began as something else."""
        assert self._protocol is not None
        return cast(asyncio.Protocol, self._transport.get_protocol()) if self._transport else self._protocol

    # --- the handshake

    def note_secret(self, line: bytes) -> None:
        """A line of a key log: label, client's random, secret."""
        if line.startswith(_SECRET):
            self._secret = bytes.fromhex(line.rpartition(b" ")[2].decode("ascii"))

    def turn(self) -> None:
        if self._raw.is_closing():
            return
        self._has_asked = False
        self._raw.resume_reading()
        if self._connection is None:
            self._connection = self.new_connection()
            self._connection.set_app_data(self)
            self._connection.set_accept_state()
        while record := self._next_record():
            self._handshake_bytes += len(record)
            if self._handshake_bytes > HANDSHAKE_BYTES_MAX:
                self.abort()
                return
            self._connection.bio_write(record)
            try:
                self._connection.do_handshake()
            except SSL.WantReadError:
                self._send_flight()
            except SSL.Error:
                self._send_flight()  # an alert says what was wrong
                self._raw.close()
                return
            else:
                self._be_open()
                return
        self._wait_for_client()

    def abort(self) -> None:
        """Ends the connection without a word."""
        self._stop_waiting()
        self._raw.abort()

    def shutdown(self) -> None:
        """uvicorn stops."""
        self.abort()

    def _wait_for_client(self) -> None:
        """Its own time counts, however many pieces it sends; that in which it waits for its turn here does not."""
        self.entrance.wait(self)
        self._waits_since_s = self._loop.time()
        self._timer = self._loop.call_later(max(0.0, self._patience_s), self.abort)

    def _stop_waiting(self) -> None:
        self.entrance.leave(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._patience_s -= self._loop.time() - self._waits_since_s

    def _send_flight(self) -> None:
        assert self._connection is not None
        with contextlib.suppress(SSL.WantReadError):
            while True:
                self._raw.write(self._connection.bio_read(_SEALED_BYTES))

    def _end_handshake(self) -> None:
        self._stop_waiting()
        self._keywords["server_state"].connections.discard(self)

    def _be_open(self) -> None:
        assert self._connection is not None
        self._end_handshake()
        self._transport = TlsTransport(self._raw, self._connection, self._secret)
        self._secret = b""
        self._transport.flush()  # tickets: the first records under the secret
        self._protocol = self.inner(**self._keywords)
        self._transport.attach(self._protocol, lambda: self._loop.call_soon(self._read))
        self._protocol.connection_made(self._transport)
        self._read()

    def _be_plain(self, data: bytes) -> None:
        self._end_handshake()
        self._protocol = self.plain(**self._keywords)
        self._raw.set_protocol(self._protocol)
        self._protocol.connection_made(self._raw)
        self._protocol.data_received(data)

    def _next_record(self) -> bytes:
        """Takes the first record of what was received; nothing where it isn't all here."""
        count = records.first_bytes(self._received)
        record = bytes(self._received[:count])
        del self._received[:count]
        return record

    # --- afterwards

    def _read(self) -> None:
        connection, transport = self._connection, self._transport
        if connection is None or transport is None or self._protocol is None:
            return  # it was lost meanwhile
        try:
            while not transport.is_paused and (record := self._next_record()):
                connection.bio_write(record)
                try:
                    data = connection.recv(_READ_BYTES)
                except SSL.WantReadError:
                    self._dataless += 1
                    transport.flush_unasked()
                    if self._dataless > _DATALESS_MAX:
                        transport.abort()
                else:
                    self._spoken.data_received(data)
        except SSL.ZeroReturnError:
            self._spoken.eof_received()
            transport.close()
        except SSL.Error:
            transport.flush_unasked()
            transport.abort()


def tls_protocol(
    new_context: Callable[[], SSL.Context],
    entrance: Entrance,
    inner: Callable[..., asyncio.Protocol],
    plain: Callable[..., asyncio.Protocol],
    *,
    handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S,
) -> type[TlsProtocol]:
    """The class for `uvicorn.Config(http=...)`. `inner` and `plain` are such classes too."""
    members = {
        "new_connection": staticmethod(lambda: SSL.Connection(new_context(), None)),
        "entrance": entrance,
        "inner": staticmethod(inner),
        "plain": staticmethod(plain),
        "handshake_timeout_s": handshake_timeout_s,
    }
    return type("TlsProtocol", (TlsProtocol,), members)


def keep_secret(connection: SSL.Connection, line: bytes) -> None:
    """The key log's callback of `Certificate`: it goes to the connection, and nowhere else."""
    protocol = connection.get_app_data()
    if isinstance(protocol, TlsProtocol):
        protocol.note_secret(line)
