"""The door: recognises a listen request on uvicorn's connections, has it admitted, and gives its socket away.

`GET /api/folkmoot/v1/spaces/{id}/listen?codec=opus|aac&ticket=…`, and `live.ogg` and `live.aac` beside it, never
reach the application. Everything else passes through uvicorn's own protocol unchanged. A connection with a listen
request belongs to the door: it ends in an audience worker, or with an answer of the door and a close.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from folkmoot.audience import responses
from folkmoot.audience.ceiling import Ceiling
from folkmoot.audience.estimate import ASK_AGAIN_S, HlsEstimate
from folkmoot.audience.handoff import Handoff
from folkmoot.audience.limiter import JoinLimiter
from folkmoot.audience.request import LISTEN_CODECS, Admission, ListenRefusal, ListenRequest, read_request
from folkmoot.audience.tls_transport import TlsTransport
from folkmoot.audience.wire import Arrival

LISTEN_PATH = re.compile(rb"/api/folkmoot/v1/spaces/([0-9]{1,19})/(listen|live\.ogg|live\.aac)")
HLS_PATH = "/api/folkmoot/v1/spaces/%d/hls/index.m3u8"
_RESET = struct.pack("ii", 1, 0)  # struct linger: on, for no time
SPACE_ID_MAX = 2**63 - 1
HEAD_TIMEOUT_S = 10.0
HEAD_BYTES_MAX = 64 * 1024
DISCARDED_BYTES_MAX = 16 * 1024 * 1024
ADMIT_TIMEOUT_S = 10.0
ADMISSIONS_MAX = 64
ADMISSIONS_WAITING_MAX = 4_000
IDLE_MAX = 4_000
"""Connections whose next request, or the rest of one, is waited for: of more, the longest idle gives way."""
CONNECTIONS_MAX = 16_000
"""Where a process may have 20,000 files open."""
CONNECTION = "folkmoot.connection"
"""The ASGI extension by which the application ends a request's connection: a `Connection`."""

Headers = Sequence[tuple[bytes, bytes]]
ClientAddress = Callable[[str, Headers], str]
"""(address of the peer, request headers) -> the client's address, which a trusted proxy may have passed on."""

logger = logging.getLogger(__name__)


class Door:
    """What all connections of a web process share."""

    def __init__(
        self,
        admit: Callable[[ListenRequest], Awaitable[Admission | ListenRefusal]],
        handoff: Handoff,
        *,
        ceiling: Ceiling | None = None,
        estimate: HlsEstimate | None = None,
        limiter: JoinLimiter | None = None,
        client_address: ClientAddress = lambda peer, _headers: peer,
        clock_s: Callable[[], float] = time.monotonic,
        head_timeout_s: float = HEAD_TIMEOUT_S,
        admissions_max: int = ADMISSIONS_MAX,
        admissions_waiting_max: int = ADMISSIONS_WAITING_MAX,
        idle_max: int = IDLE_MAX,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._admit = admit
        self.handoff = handoff
        self._ceiling = ceiling or Ceiling()
        self._estimate = estimate or HlsEstimate()
        self._limiter = limiter or JoinLimiter()
        self.client_address = client_address
        self._clock_s = clock_s
        self.head_timeout_s = head_timeout_s
        self._admissions_free = asyncio.Semaphore(admissions_max)
        self._admissions_waiting_max = admissions_waiting_max
        self._waiting = 0
        self._idle: dict[ListenProtocol, None] = {}  # the longest idle first
        self._idle_max = idle_max
        self.connections_max = connections_max

    def idle(self, connection: ListenProtocol, connections: int) -> None:
        """A connection, of so many, waits for a request. Whoever opens thousands closes their own by that."""
        self._idle.pop(connection, None)
        self._idle[connection] = None
        if len(self._idle) > self._idle_max or connections > self.connections_max:
            longest = next(iter(self._idle))
            del self._idle[longest]
            longest.transport.abort()

    def busy(self, connection: ListenProtocol) -> None:
        """Its request is all here, or it is over."""
        self._idle.pop(connection, None)

    def too_many(self, admission: Admission) -> ListenRefusal | None:
        """The refusal of who may listen, while there is no room: the same sound, by HLS, is for everybody."""
        now_s = self._clock_s()
        if not (self._ceiling.is_reached(self.handoff.connected(), now_s) or self.handoff.is_full()):
            return None
        if admission.form not in LISTEN_CODECS:
            sentence = "As many listen as this server carries. Try again soon, or listen by HLS."
            return ListenRefusal(503, "listeners_full", sentence, ASK_AGAIN_S)
        again_s = self._estimate.sent_away(admission.space_id, now_s)
        sentence = "As many listen without delay as this server carries. By HLS you hear it a few seconds later."
        return ListenRefusal(503, "listeners_full", sentence, again_s, HLS_PATH % admission.space_id)

    def too_often(self, address: str) -> ListenRefusal | None:
        """Counts a join of this address; the refusal when there were too many."""
        wait_s = self._limiter.take(address, self._clock_s())
        if not wait_s:
            return None
        sentence = "Too many listeners joined from your address. Try again soon."
        return ListenRefusal(429, "too_many_requests", sentence, math.ceil(wait_s))

    async def admit(self, request: ListenRequest, is_gone: Callable[[], bool]) -> Admission | ListenRefusal:
        """Asks the gate, a bounded number of times at once. Who went away while waiting is not asked about."""
        if self._waiting >= self._admissions_waiting_max:
            return ListenRefusal(503, "busy", "Too many listeners are joining. Try again in a moment.", 1)
        self._waiting += 1
        try:
            await self._admissions_free.acquire()
        finally:
            self._waiting -= 1
        try:
            if is_gone():
                return ListenRefusal(400, "closed", "The connection was closed.")
            async with asyncio.timeout(ADMIT_TIMEOUT_S):
                return await self._admit(request)
        except TimeoutError:
            return ListenRefusal(503, "busy", "The server is too busy to let you in. Try again in a moment.", 2)
        except Exception:
            logger.exception("admission to Space %d failed", request.space_id)
            return ListenRefusal(500, "internal", "Something went wrong on our side.")
        finally:
            self._admissions_free.release()


class Connection:
    """What carries a request to the application."""

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        self._protocol = protocol

    def reset(self) -> None:
        """Close it with RST: nothing that waits in a buffer is delivered."""
        transport = self._protocol.transport
        if not transport.is_closing():
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()

    async def drained(self) -> None:
        """Returns when what was written has left the process (but for 16 KB), or the connection is gone."""
        await self._protocol.flow.drain()


class ListenProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with the door in it. Use `listen_protocol` to get the class for a Door."""

    door: Door

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_body = False
        self._discarded_bytes = 0
        self._is_listen = False
        self._is_head = False
        self._has_more = False
        self._is_upgraded = False
        self._answering: RequestResponseCycle | None = None

    # --- what uvicorn calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_awaiting_head()
        self.door.busy(self)
        # uvicorn tells the newest request that its client is gone: behind a stream, one that still waits.
        self.pipeline.clear()
        self.cycle = self._answering or self.cycle
        super().connection_lost(exc)
        self._let_go()

    def data_received(self, data: bytes) -> None:
        if self._is_listen:
            self._refuse_more()
            return
        super().data_received(data)
        if self._is_listen or self._is_upgraded or self.transport.is_closing():
            return
        is_answered = self.cycle is None or self.cycle.response_complete
        if self._in_body:
            if is_answered:
                self._discard(len(data))
        elif self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._answer(ListenRefusal(431, "head_too_long", "The request's head is too long."))
        elif is_answered:
            self._await_head()  # bytes between two requests: uvicorn has stopped its own timer

    def handle_websocket_upgrade(self) -> None:
        """The connection is another protocol's from here on, which hears of its end."""
        self._is_upgraded = True
        self._stop_awaiting_head()
        self.door.busy(self)
        super().handle_websocket_upgrade()
        self._let_go()

    def _let_go(self) -> None:
        """Of what refers back to this: so all of it goes at once, and no garbage collector has to find it."""
        self.parser = self.scope = self.cycle = self._answering = cast(Any, None)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    # --- what the parser and the application's answer call

    def on_message_begin(self) -> None:
        if self._is_listen:
            self._has_more = True
            return
        super().on_message_begin()
        self.scope["extensions"] = cast(Any, {CONNECTION: Connection(self)})

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_listen:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_listen:
            return
        self._stop_awaiting_head()
        self._in_body = True
        self._discarded_bytes = 0
        parsed = self._match()
        if parsed is None:
            super().on_headers_complete()
        elif self.cycle is not None and not self.cycle.response_complete:
            # Sent before the answer to an earlier request: refused in its turn.
            app, self.app = self.app, _refuse_pipelined
            super().on_headers_complete()
            self.app = app
        else:
            self._is_listen = True
            self.door.busy(self)
            self._listen(*parsed)

    def on_body(self, body: bytes) -> None:
        if not self._is_listen:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._is_listen:
            if self._discarded_bytes:
                self._stop_awaiting_head()
            self._in_body = False
            self.door.busy(self)
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.pipeline and not self.transport.is_closing():
            self.door.idle(self, len(self.connections))

    # --- the head's timeout: uvicorn has none

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(self.door.head_timeout_s, self.transport.close)
        self.door.idle(self, len(self.connections))

    def _stop_awaiting_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _discard(self, count: int) -> None:
        """What is left of a body that was refused before it was all here. It is read, within limits: closing at
        once would reset the connection, and the client would never see why."""
        if self._head_timer is None:
            self._await_head()
        self._discarded_bytes += count
        if self._discarded_bytes > DISCARDED_BYTES_MAX:
            self.transport.close()

    # --- a listen request

    def _match(self) -> tuple[int, bytes, bytes] | None:
        """(Space id, last name of the path, query) of a listen request, or None for any other."""
        if self.scheme == "https" and not isinstance(self.transport, TlsTransport):
            return None  # uvicorn's own TLS: what lies below it can't be given away
        method = self.parser.get_method()
        if method not in {b"GET", b"HEAD"} or (self.parser.should_upgrade() and self._should_upgrade()):
            return None
        url = httptools.parse_url(self.url)
        match = LISTEN_PATH.fullmatch(url.path)
        if match is None or int(match[1]) > SPACE_ID_MAX:
            return None
        self._is_head = method == b"HEAD"
        return int(match[1]), match[2], url.query or b""

    def _listen(self, space_id: int, name: bytes, query: bytes) -> None:
        headers = dict(self.headers)
        peer = self.client[0] if self.client else ""
        address = self.door.client_address(peer, self.headers)
        refusal = self.door.too_often(address)
        if refusal is None and (headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers):
            refusal = ListenRefusal(400, "not_a_listen_request", "A listen request has no body.")
        request = refusal or read_request(space_id, name, query, headers, address)
        if isinstance(request, ListenRefusal):
            self._answer(request)
            return
        self._unset_keepalive_if_required()
        task = self.loop.create_task(self._admit_and_hand_over(request))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _admit_and_hand_over(self, request: ListenRequest) -> None:
        chunked = self.parser.get_http_version() != "1.0"
        admission = await self.door.admit(request, self.transport.is_closing)
        if self.transport.is_closing():
            return
        if isinstance(admission, Admission):
            admission = self.door.too_many(admission) or admission
        if self._has_more:
            self._refuse_more()
        elif isinstance(admission, ListenRefusal):
            self._answer(admission)
        else:
            head = responses.stream_head(
                admission.form, chunked=chunked, default_headers=self.server_state.default_headers
            )
            if self._is_head:
                self.transport.write(head)
                self.transport.close()
            else:
                await self._hand_over(Arrival(admission.space_id, admission.form, chunked, admission.stamps, head))

    async def _hand_over(self, arrival: Arrival) -> None:
        """The worker writes the head: until it has the socket, a refusal is still possible."""
        self.transport.pause_reading()  # what comes from now on is not read by us
        if isinstance(self.transport, TlsTransport):
            arrival = msgspec.structs.replace(arrival, sealing=self.transport.lend())
            if arrival.sealing is None:
                self._answer(ListenRefusal(400, "not_a_listen_request", "Listen on a connection of its own."))
                return
        descriptor = self.transport.get_extra_info("socket").fileno()
        try:
            taken = not self.transport.get_write_buffer_size()  # of earlier answers
            taken = taken and await self.door.handoff.hand_over(arrival, descriptor)
        except OSError:
            logger.exception("a listener's socket can't be handed over")
            taken = False
        if taken:
            # Our descriptor only: the connection lives on in the worker's. In TLS nothing is said of an end.
            self.transport.abort()
            return
        if isinstance(self.transport, TlsTransport):
            self.transport.take_back()
        if not self.transport.is_closing():
            self._answer(ListenRefusal(503, "busy", "No audience worker is free. Try again in a moment.", 1))

    def _refuse_more(self) -> None:
        if not self.transport.is_closing():
            sentence = "Nothing may follow a listen request on its connection."
            self._answer(ListenRefusal(400, "not_a_listen_request", sentence))

    def _answer(self, refusal: ListenRefusal) -> None:
        """Writes a whole answer and closes. Only called when no other answer is under way."""
        answer = responses.refusal(
            refusal.status,
            refusal.code,
            refusal.error,
            retry_after_s=refusal.retry_after_s,
            hls=refusal.hls,
            body=not self._is_head,
            default_headers=self.server_state.default_headers,
        )
        self.transport.write(answer)
        self.transport.close()


def listen_protocol(door: Door) -> type[ListenProtocol]:
    """The class for `uvicorn.Config(http=...)`."""
    return type("ListenProtocol", (ListenProtocol,), {"door": door})


async def _refuse_pipelined(_scope: Any, _receive: Any, send: Any) -> None:
    sentence = "Wait for the answer to the request before, then listen."
    answer = responses.error_body("not_a_listen_request", sentence)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(answer)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
