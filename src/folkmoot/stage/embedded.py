"""The embedded engine: WebRTC with each speaker, our own jitter buffers and mixer, nothing else to install."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine

from msgspec.structs import replace

from folkmoot.stage.engine import (
    Answer,
    EngineStatus,
    EventCallback,
    OfferRefused,
    SeatEvent,
    SeatState,
    SeatStatus,
)
from folkmoot.stage.ice import IceSettings
from folkmoot.stage.mixer_thread import LISTENERS, Delivery, MixerThread, MixSink
from folkmoot.stage.noise import Clean
from folkmoot.stage.offer import ReadOffer, read_offer
from folkmoot.stage.peer import Peer, Receive, StageCertificate
from folkmoot.stage.rtp import RtpFields
from folkmoot.stage.source import SeatSource, SoundPacket


class _Link:
    """A connection from its answer to its end; `on_over` is called once, when it is over."""

    def __init__(self, peer: Peer, on_over: Callable[[], None]) -> None:
        self.id = secrets.token_urlsafe(16)
        self.peer = peer
        self.running: asyncio.Task[None] | None = None
        self._on_over: Callable[[], None] | None = on_over

    def over(self) -> None:
        on_over, self._on_over = self._on_over, None
        if on_over is not None:
            on_over()

    async def end(self) -> None:
        """Closes it at once. Not for the task that runs it."""
        self.over()
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
        await self.peer.close()


class _Seat(_Link):
    """A seat's connection and its sound."""

    def __init__(self, peer: Peer, on_over: Callable[[], None], source: SeatSource) -> None:
        super().__init__(peer, on_over)
        self.source = source


class EmbeddedEngine:
    """Implements `engine.Engine`. Make it on the event loop that it then lives on.

    `timeline_ms` says where the Space's timeline is now; `sink` gets the full mix on the mixer thread; `make_clean`
    makes a noise suppressor for each seat.
    """

    def __init__(
        self,
        ice: IceSettings,
        sink: MixSink,
        on_event: EventCallback,
        timeline_ms: Callable[[], int],
        make_clean: Callable[[], Clean] | None = None,
    ) -> None:
        self._ice = ice
        self._make_clean = make_clean
        self._on_event = on_event
        self._timeline_ms = timeline_ms
        # The connection that each seat is heard by, and the one that waits to take its place when it is connected.
        self._seats: dict[int, _Seat] = {}
        self._waiting: dict[int, _Seat] = {}
        self._listeners: dict[str, _Link] = {}
        self._muted: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        # One certificate for the life of the process: making one for each join would cost more than the handshake.
        self._certificate = StageCertificate.generateCertificate()
        self._mixer = MixerThread(asyncio.get_running_loop(), self._deliver, sink)
        self._mixer.start()

    async def join(self, seat: int, offer_sdp: str, on_over: Callable[[], None] = lambda: None) -> Answer:
        """See `engine.Engine.join`."""
        source = SeatSource(self._make_clean() if self._make_clean is not None else None)
        source.muted = seat in self._muted

        def receive(fields: RtpFields, now_ms: float) -> None:
            source.receive(
                SoundPacket(
                    fields.ssrc, fields.sequence, fields.timestamp, fields.payload, fields.level_dbov, now_ms
                )
            )

        peer, answer = await self._answer(read_offer(offer_sdp), receive)
        link = _Seat(peer, on_over, source)
        self._place(seat, link)
        link.running = asyncio.create_task(self._run(seat, link))
        return Answer(answer, link.id)

    async def listen(self, offer_sdp: str, on_connected: Callable[[], None], on_over: Callable[[], None]) -> Answer:
        """See `engine.Engine.listen`."""
        offer = read_offer(offer_sdp)
        if offer.direction == "recvonly":
            raise OfferRefused("This offer only sends. To listen, offer to receive audio.")
        peer, answer = await self._answer(replace(offer, direction="sendonly"), _hear_nothing)
        link = _Link(peer, on_over)
        self._listeners[link.id] = link
        link.running = asyncio.create_task(self._run_listener(link, on_connected))
        return Answer(answer, link.id)

    async def leave(self, seat: int) -> None:
        """See `engine.Engine.leave`."""
        waiting = self._waiting.pop(seat, None)
        if waiting is not None:
            await waiting.end()
        current = self._seats.get(seat)
        if current is not None:
            self._take_out(seat, current, SeatState.LEFT)
            await current.end()

    async def hang_up(self, connection: str) -> None:
        """See `engine.Engine.hang_up`."""
        listener = self._listeners.get(connection)
        if listener is not None:
            self._take_listener_out(listener)
            await listener.end()
        for links in (self._seats, self._waiting):
            for number, link in list(links.items()):
                if link.id == connection:
                    self._take_out(number, link, SeatState.LEFT)
                    await link.end()

    def current(self, seat: int) -> str | None:
        """See `engine.Engine.current`."""
        link = self._seats.get(seat)
        return link.id if link is not None and link.peer.connected else None

    def set_muted(self, seat: int, muted: bool) -> None:
        """See `engine.Engine.set_muted`."""
        if muted:
            self._muted.add(seat)
        else:
            self._muted.discard(seat)
        for links in (self._seats, self._waiting):
            if seat in links:
                links[seat].source.muted = muted

    def status(self) -> EngineStatus:
        """See `engine.Engine.status`."""
        figures = self._mixer.figures()
        return EngineStatus(
            seats=[_status(number, seat) for number, seat in sorted(self._seats.items())],
            ticks=figures.ticks,
            late_ticks=figures.late_ticks,
            dropped_ticks=figures.dropped_ticks,
            tick_late_p99_ms=figures.tick_late_p99_ms,
            tick_work_p99_ms=figures.tick_work_p99_ms,
            encodes=figures.encodes,
        )

    async def close(self) -> None:
        """See `engine.Engine.close`."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._mixer.close)
        links: list[_Link] = [*self._seats.values(), *self._waiting.values(), *self._listeners.values()]
        for held in (self._seats, self._waiting, self._listeners):
            held.clear()
        await asyncio.gather(*(link.end() for link in links), return_exceptions=True)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, offer: ReadOffer, receive: Receive) -> tuple[Peer, str]:
        peer = Peer(offer, self._ice, self._certificate, receive)
        try:
            return peer, await peer.answer()
        except BaseException:
            self._start(peer.close())
            raise

    def _place(self, number: int, seat: _Seat) -> None:
        """The older connection is heard until the newer one is connected: an offer that comes to nothing silences
        nobody. Of several that wait the newest does."""
        current = self._seats.get(number)
        if current is not None and current.peer.connected:
            replaced = self._waiting.get(number)
            self._waiting[number] = seat
        else:
            replaced = current
            self._seat(number, seat)
        if replaced is not None:
            self._start(replaced.end())

    def _seat(self, number: int, seat: _Seat) -> None:
        before = self._seats.get(number)
        if before is not None:
            seat.source.jitter.counts = before.source.jitter.counts
            before.source.connected = False
        self._seats[number] = seat
        self._mixer.add(number, seat.source)

    async def _run(self, number: int, seat: _Seat) -> None:
        await seat.peer.run(lambda: self._begin(number, seat))
        if not self._closed:
            self._take_out(number, seat, SeatState.LOST)
            seat.over()
            await seat.peer.close()

    def _begin(self, number: int, seat: _Seat) -> None:
        """The connection is there: it takes the place of an older one."""
        if self._waiting.get(number) is seat:
            del self._waiting[number]
            before = self._seats.get(number)
            self._seat(number, seat)
            if before is not None:
                self._start(before.end())
        seat.source.connected = True
        self._event(number, SeatState.CONNECTED)

    def _take_out(self, number: int, seat: _Seat, state: SeatState) -> None:
        """A connection is over; one that waits for its place has it now."""
        if self._waiting.get(number) is seat:
            del self._waiting[number]
        if self._seats.get(number) is not seat:
            return
        del self._seats[number]
        self._mixer.remove(number)
        seat.source.connected = False
        self._event(number, state)
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            self._seat(number, waiting)

    async def _run_listener(self, link: _Link, on_connected: Callable[[], None]) -> None:
        def connected() -> None:
            self._look_for_listeners()
            on_connected()

        await link.peer.run(connected)
        self._take_listener_out(link)
        link.over()
        await link.peer.close()

    def _take_listener_out(self, link: _Link) -> None:
        self._listeners.pop(link.id, None)
        link.peer.connected = False
        self._look_for_listeners()

    def _look_for_listeners(self) -> None:
        self._mixer.has_listeners = any(link.peer.connected for link in self._listeners.values())

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _event(self, seat: int, state: SeatState) -> None:
        self._on_event(SeatEvent(seat=seat, state=state, at_ms=self._timeline_ms()))

    def _deliver(self, tick: int, deliveries: list[Delivery]) -> None:
        if self._closed:
            return
        for one in deliveries:
            seat = self._seats.get(one.seat)
            if one.seat == LISTENERS:
                self._send_to_listeners(tick, one)
            elif seat is not None:
                seat.source.listener_loss_percent = seat.peer.loss_percent
                seat.peer.send(one.payload, tick, one.speaking)

    def _send_to_listeners(self, tick: int, one: Delivery) -> None:
        peers = [link.peer for link in self._listeners.values()]
        self._mixer.listeners_loss_percent = max((peer.loss_percent for peer in peers), default=0.0)
        for peer in peers:
            peer.send(one.payload, tick, one.speaking)


def _hear_nothing(_fields: RtpFields, _now_ms: float) -> None:
    """Who only listens is not heard."""


def _status(number: int, seat: _Seat) -> SeatStatus:
    source, counts = seat.source, seat.source.jitter.counts
    return SeatStatus(
        seat=number,
        connected=source.connected,
        muted=source.muted,
        speaking=source.detector.speaking,
        level_dbov=source.detector.level_dbov,
        buffer_ms=round(counts.buffer_ms_mean(), 2),
        received=counts.received,
        underruns=counts.underruns,
        plc=counts.plc,
        fec=counts.fec,
        late=counts.late,
        trimmed=counts.trimmed,
        refused_packets=seat.peer.gate.refused,
        garbled=counts.garbled,
        drift_ppm=round(source.jitter.drift * 1e6),
    )
