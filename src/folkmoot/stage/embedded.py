"""The embedded engine: WebRTC with each speaker, our own jitter buffers and mixer, nothing else to install."""

import asyncio
from collections.abc import Callable

from aiortc.rtcdtlstransport import RTCCertificate

from folkmoot.stage.engine import Answer, EngineStatus, EventCallback, SeatEvent, SeatState, SeatStatus
from folkmoot.stage.ice import IceSettings
from folkmoot.stage.mixer_thread import Delivery, MixerThread, MixSink
from folkmoot.stage.offer import read_offer
from folkmoot.stage.peer import Peer
from folkmoot.stage.rtp import RtpFields
from folkmoot.stage.source import SeatSource, SoundPacket


class _Seat:
    """A seat's connection and its sound."""

    def __init__(self, peer: Peer, source: SeatSource) -> None:
        self.peer = peer
        self.source = source
        self.running: asyncio.Task[None] | None = None


class EmbeddedEngine:
    """Implements `engine.Engine`. Make it on the event loop that it then lives on.

    `timeline_ms` says where the Space's timeline is now; `sink` gets the full mix on the mixer thread.
    """

    def __init__(
        self, ice: IceSettings, sink: MixSink, on_event: EventCallback, timeline_ms: Callable[[], int]
    ) -> None:
        self._ice = ice
        self._on_event = on_event
        self._timeline_ms = timeline_ms
        self._seats: dict[int, _Seat] = {}
        self._muted: set[int] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._sending: asyncio.Task[None] | None = None
        self._closed = False
        # One certificate for the life of the process: making one for each join would cost more than the handshake.
        self._certificate = RTCCertificate.generateCertificate()
        self._mixer = MixerThread(asyncio.get_running_loop(), self._deliver, sink)
        self._mixer.start()

    async def join(self, seat: int, offer_sdp: str) -> Answer:
        """See `engine.Engine.join`."""
        offer = read_offer(offer_sdp)
        source = SeatSource()
        source.muted = seat in self._muted

        def receive(fields: RtpFields, now_ms: float) -> None:
            source.receive(
                SoundPacket(
                    fields.ssrc, fields.sequence, fields.timestamp, fields.payload, fields.level_dbov, now_ms
                )
            )

        peer = Peer(offer, self._ice, self._certificate, receive)
        try:
            answer = await peer.answer()
        except BaseException:
            self._close_soon(peer)
            raise
        self._replace(seat, _Seat(peer, source))
        return Answer(sdp=answer)

    async def leave(self, seat: int) -> None:
        """See `engine.Engine.leave`."""
        gone = self._seats.pop(seat, None)
        if gone is None:
            return
        self._mixer.remove(seat)
        gone.source.connected = False
        self._event(seat, SeatState.LEFT)
        await self._end(gone)

    def set_muted(self, seat: int, muted: bool) -> None:
        """See `engine.Engine.set_muted`."""
        if muted:
            self._muted.add(seat)
        else:
            self._muted.discard(seat)
        known = self._seats.get(seat)
        if known is not None:
            known.source.muted = muted

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
        seats, self._seats = self._seats, {}
        await asyncio.gather(*(self._end(seat) for seat in seats.values()), return_exceptions=True)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _replace(self, number: int, seat: _Seat) -> None:
        before = self._seats.get(number)
        if before is not None:
            seat.source.jitter.counts = before.source.jitter.counts
            before.source.connected = False
            if before.running is not None:
                before.running.cancel()
            self._close_soon(before.peer)
        self._seats[number] = seat
        self._mixer.add(number, seat.source)
        seat.running = asyncio.create_task(self._run(number, seat))

    async def _run(self, number: int, seat: _Seat) -> None:
        def connected() -> None:
            seat.source.connected = True
            self._event(number, SeatState.CONNECTED)

        await seat.peer.run(connected)
        if self._seats.get(number) is not seat or self._closed:
            return
        del self._seats[number]
        self._mixer.remove(number)
        seat.source.connected = False
        self._event(number, SeatState.LOST)
        await seat.peer.close()

    async def _end(self, seat: _Seat) -> None:
        if seat.running is not None:
            seat.running.cancel()
            await asyncio.gather(seat.running, return_exceptions=True)
        await seat.peer.close()

    def _close_soon(self, peer: Peer) -> None:
        task = asyncio.create_task(peer.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _event(self, seat: int, state: SeatState) -> None:
        self._on_event(SeatEvent(seat=seat, state=state, at_ms=self._timeline_ms()))

    def _deliver(self, tick: int, deliveries: list[Delivery]) -> None:
        if not self._closed:
            self._sending = asyncio.create_task(self._send(tick, deliveries))

    async def _send(self, tick: int, deliveries: list[Delivery]) -> None:
        for one in deliveries:
            seat = self._seats.get(one.seat)
            if seat is not None:
                seat.source.listener_loss_percent = seat.peer.loss_percent
                await seat.peer.send(one.payload, tick, one.speaking)


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
    )
