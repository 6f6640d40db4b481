"""Fakes at the stage's seams: an engine without a network, leases that end when told."""

import asyncio
from collections.abc import Callable, Sequence

from folkmoot.stage.engine import Answer, EngineStatus, EventCallback, OfferRefused, SeatEvent, SeatState
from folkmoot.stage.leases import Handle, LeaseOver
from folkmoot.stage.mixer_thread import MixSink
from folkmoot.stage.protocol import Stamp

REFUSED_SDP = "refuse me"
UNCONNECTED_SDP = "never followed up"


class FakeEngine:
    """Seats and listeners connect as they join, except by `UNCONNECTED_SDP`; `REFUSED_SDP` is refused."""

    def __init__(self, sink: MixSink, on_event: EventCallback, timeline_ms: Callable[[], int]) -> None:
        self.sink = sink
        self.seats: set[int] = set()
        self.muted: set[int] = set()
        self.closed = False
        self.connections: dict[int, str] = {}
        self._on_over: dict[str, Callable[[], None]] = {}
        self._listeners_so_far = 0
        self._on_event = on_event
        self._timeline_ms = timeline_ms

    async def join(self, seat: int, offer_sdp: str, on_over: Callable[[], None]) -> Answer:
        if offer_sdp == REFUSED_SDP:
            raise OfferRefused("The offer has no audio.")
        self._over(seat)
        self.seats.add(seat)
        self._tell(seat, SeatState.CONNECTED)
        self.connections[seat] = f"{seat} by {offer_sdp}"
        self._on_over[self.connections[seat]] = on_over
        return Answer(f"answer to {offer_sdp}", self.connections[seat])

    async def listen(self, offer_sdp: str, on_connected: Callable[[], None], on_over: Callable[[], None]) -> Answer:
        self._listeners_so_far += 1
        connection = f"listener {self._listeners_so_far}"
        self._on_over[connection] = on_over
        if offer_sdp != UNCONNECTED_SDP:
            on_connected()
        return Answer(f"the mix for {offer_sdp}", connection)

    async def leave(self, seat: int) -> None:
        if seat in self.seats:
            self.seats.discard(seat)
            self._over(seat)
            self._tell(seat, SeatState.LEFT)

    async def hang_up(self, connection: str) -> None:
        for seat in [seat for seat, one in self.connections.items() if one == connection]:
            await self.leave(seat)
        if connection in self._on_over:
            self._on_over.pop(connection)()

    @property
    def listeners(self) -> set[str]:
        return {connection for connection in self._on_over if connection.startswith("listener")}

    def current(self, seat: int) -> str | None:
        return self.connections.get(seat)

    def lose(self, seat: int) -> None:
        self.seats.discard(seat)
        self._over(seat)
        self._tell(seat, SeatState.LOST)

    def _over(self, seat: int) -> None:
        connection = self.connections.pop(seat, None)
        if connection is not None:
            self._on_over.pop(connection)()

    def set_muted(self, seat: int, muted: bool) -> None:
        (self.muted.add if muted else self.muted.discard)(seat)

    def status(self) -> EngineStatus:
        return EngineStatus(
            seats=[],
            ticks=0,
            late_ticks=0,
            dropped_ticks=0,
            tick_late_p99_ms=0.0,
            tick_work_p99_ms=0.0,
            encodes=0,
        )

    async def close(self) -> None:
        self.closed = True

    def _tell(self, seat: int, state: SeatState) -> None:
        self._on_event(SeatEvent(seat=seat, state=state, at_ms=self._timeline_ms()))


class FakeHandle:
    def __init__(self, stamps: Sequence[Stamp], on_end: Callable[[str], None]) -> None:
        self.stamps = list(stamps)
        self.on_end = on_end
        self.released = False

    def release(self) -> None:
        self.released = True


class FakeLeases:
    """Holds everything until `end(subject)`; a subject named `over` is refused at once."""

    def __init__(self) -> None:
        self.handles: list[FakeHandle] = []

    def hold(self, stamps: Sequence[Stamp], on_end: Callable[[str], None]) -> Handle:
        if any(subject == "over" for subject, _ in stamps):
            raise LeaseOver("The right to speak here has ended.")
        self.handles.append(FakeHandle(stamps, on_end))
        return self.handles[-1]

    async def follow(self) -> None:
        await asyncio.Event().wait()

    def end(self, subject: str) -> None:
        for handle in self.handles:
            if not handle.released and any(held == subject for held, _ in handle.stamps):
                handle.on_end(subject)

    def held(self) -> int:
        return sum(not handle.released for handle in self.handles)
