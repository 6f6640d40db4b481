"""HTTPS: TLS 1.3 between a socket and uvicorn's protocol, so that a listener's socket can be given away.

asyncio's own TLS keeps the keys to itself. Here OpenSSL works on memory and tells us the secret of what the server
sends (the callback that key logs are made with), and we count the records: with both, `records` can go on where
OpenSSL stopped. All but listeners are served by OpenSSL to the end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, cast

from OpenSSL import SSL

from folkmoot.audience import records
from folkmoot.audience.entrance import Entrance
from folkmoot.audience.tls_transport import SEALED_BYTES, TlsTransport

HANDSHAKE_TIMEOUT_S = 10.0
HANDSHAKE_BYTES_MAX = 64 * 1024
_READ_BYTES = 16 * 1024
_DATALESS_MAX = 32
"""Records without data that a client may send: changes of keys, for one. They cost us more than they cost it."""
_HANDSHAKE = 0x16  # a record's first byte (RFC 8446, 5.1); no HTTP request begins with it
_SECRET = b"SERVER_TRAFFIC_SECRET_0 "


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
                self._raw.write(self._connection.bio_read(SEALED_BYTES))

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
