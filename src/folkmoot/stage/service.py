"""What a stage does for its clients: seats, their leases, the desired state, the tape. No sockets here."""

import asyncio
import contextlib
import logging
import os
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import assert_never

import msgspec

from folkmoot.stage import protocol
from folkmoot.stage.engine import Answer, Engine, EventCallback, OfferRefused, SeatEvent
from folkmoot.stage.leases import Handle, LeaseHolder, LeaseOver
from folkmoot.stage.mixer_thread import MixSink
from folkmoot.stage.recorder import Recorder, Timeline
from folkmoot.tape.writer import TapeWriter

PROVISIONAL_S = 3.0
CONNECTING_PER_ADDRESS_MAX = 5
"""So many of those who share an address may press play in the same second."""
_CONNECTING_SHARE = 3  # of many places for listeners, one in so many may be held by those who aren't connected yet
_ENGINE_CLOSE_TIMEOUT_S = 1.0

logger = logging.getLogger(__name__)

EngineFactory = Callable[[MixSink, EventCallback, Callable[[], int]], Engine]
"""Makes the engine on the running loop, from the sink of the full mix, the event callback and the timeline (ms)."""


class _Hold:
    """The lease under which a connection is held, and `over`: why it ended.

    `seat` is None for a listener's connection, and `listens` true once it is there; until then `address` is
    where it comes from. `line`: the first of the connections that went on for one another, of which this is one.
    """

    def __init__(self, seat: int | None, address: str | None = None) -> None:
        self.seat = seat
        self.address = address
        self.connection: str | None = None
        self.line: str | None = None
        self.listens = False
        self.handle: Handle | None = None
        self.over: str | None = None


class StageService:
    """One Space's stage. Lives on the loop that makes it; `push` is called there with every event.

    Opening the tape raises what `TapeWriter.open` raises.
    """

    def __init__(
        self,
        tape_directory: Path,
        leases: LeaseHolder,
        make_engine: EngineFactory,
        push: Callable[[protocol.Event], None],
        listeners_max: int,
    ) -> None:
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._leases = leases
        self._push = push
        self._listeners_max = listeners_max
        self._began_s = time.monotonic()
        self._generation = time.time_ns() // 1_000_000
        writer = TapeWriter.open(tape_directory, lambda: time.time_ns() // 1_000_000)
        self._recorder = Recorder(writer, self._tape_full_changed)
        self._timeline = Timeline(self._recorder.start_ms)
        self._engine = make_engine(self._recorder, self._on_seat_event, self._timeline.now_ms)
        self._holds: dict[_Hold, None] = {}  # the oldest first
        self._seat_locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._allowed: frozenset[int] | None = None
        self._highest_allowed = 0
        self._muted: frozenset[int] = frozenset()
        self._tasks: set[asyncio.Task[None]] = set()

    async def do(self, call: protocol.Call) -> protocol.Result:
        """Carries out one call. Never raises: what fails is a result."""
        try:
            return await self._do(call)
        except (OfferRefused, LeaseOver) as refused:
            return protocol.Refused(str(refused))
        except Exception as error:
            # Whatever one call breaks, the others on this stage keep talking.
            logger.exception("the stage call %s failed", type(call).__name__)
            return protocol.Failed(f"{type(error).__name__}: {error}")

    async def close(self, *, ends: bool) -> bool:
        """Closes all seats and the tape: ended, or left so that the next stage process resumes it. Idempotent.

        Returns whether the tape took it.
        """
        if self.closed:
            return True
        self.closed = True
        for hold in list(self._holds):
            self._release(hold)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ENGINE_CLOSE_TIMEOUT_S):
                await self._engine.close()
        return await asyncio.to_thread(self._recorder.close, ends=ends)

    async def _do(self, call: protocol.Call) -> protocol.Result:
        match call:
            case protocol.Offer():
                return await self._offer(call)
            case protocol.Listen():
                return await self._listen(call)
            case protocol.Hangup(seat=seat):
                await self._leave(seat)
            case protocol.Close(connection=connection):
                await self._engine.hang_up(connection)
            case protocol.Configure():
                await self._configure(call)
            case protocol.NoteCounts(listeners, reactions, listeners_estimated):
                self._recorder.counts = msgspec.structs.replace(
                    self._recorder.counts,
                    listeners=listeners,
                    reactions=reactions,
                    listeners_estimated=listeners_estimated,
                )
            case protocol.Status():
                return self._status()
            case protocol.End():
                if not await self.close(ends=True):
                    return protocol.Failed("The tape could not be ended: the disk refuses or hangs.")
            case _:
                assert_never(call)
        return protocol.Done()

    async def _offer(self, call: protocol.Offer) -> protocol.Result:
        async with self._seat_locks[call.seat]:
            self._check_may_sit(call.seat)
            if call.continues is not None and self._line_of(call.seat) not in (None, call.continues):
                return protocol.TakenOver()
            hold = self._hold(call.stamps, call.seat)
            hold.line = call.continues
            answer = await self._connect(hold, partial(self._engine.join, call.seat, call.sdp))
            if self._allowed is not None and call.seat not in self._allowed:
                self._loop.call_later(PROVISIONAL_S, self._check_provisional, hold)
            return answer

    def _line_of(self, seat: int) -> str | None:
        """The line of connections that the seat is heard by."""
        current = self._engine.current(seat)
        for hold in self._holds:
            if current is not None and hold.connection == current:
                return hold.line
        return None

    async def _listen(self, call: protocol.Listen) -> protocol.Result:
        if not self._make_place(call.address):
            return protocol.Busy()
        hold = self._hold(call.stamps, None, call.address)

        def connected() -> None:
            hold.listens, hold.address = True, None
            self._tell_listeners()

        return await self._connect(hold, partial(self._engine.listen, call.sdp, connected))

    def _make_place(self, address: str) -> bool:
        """Whether there is a place for one more listener.

        An offer that is never followed up would hold one for 15 s: the oldest that isn't connected yet goes where
        there are too many of them, or no other place is left.
        """
        listeners = [hold for hold in self._holds if hold.seat is None]
        connecting = [hold for hold in listeners if not hold.listens]
        from_there = [hold for hold in connecting if hold.address == address]
        connecting_max = max(CONNECTING_PER_ADDRESS_MAX, self._listeners_max // _CONNECTING_SHARE)
        is_full = len(listeners) >= self._listeners_max
        if len(from_there) >= CONNECTING_PER_ADDRESS_MAX:
            self._give_up(from_there[0])
        elif connecting and (is_full or len(connecting) >= connecting_max):
            self._give_up(connecting[0])
        elif is_full:
            return False
        return True

    def _give_up(self, hold: _Hold) -> None:
        hold.over = "its place was given to another"
        self._release(hold)
        self._lease_ended(hold)

    async def _connect(
        self, hold: _Hold, join: Callable[[Callable[[], None]], Awaitable[Answer]]
    ) -> protocol.Answered:
        """Answers an offer under a lease, which is held until the connection is over."""
        try:
            answer = await join(lambda: self._release(hold))
        except BaseException:
            self._release(hold)
            raise
        hold.connection = answer.connection
        hold.line = hold.line or answer.connection
        if hold.over is not None or self.closed:
            await self._engine.hang_up(answer.connection)
            raise OfferRefused("The right to this ended while it was being connected.")
        return protocol.Answered(answer.sdp, answer.connection)

    def _hold(self, stamps: Sequence[protocol.Stamp], seat: int | None, address: str | None = None) -> _Hold:
        hold = _Hold(seat, address)

        def on_end(subject: str) -> None:
            hold.over = subject
            self._loop.call_soon_threadsafe(self._lease_ended, hold)

        hold.handle = self._leases.hold(stamps, on_end)
        self._holds[hold] = None
        return hold

    def _release(self, hold: _Hold) -> None:
        if hold.handle is not None:
            hold.handle.release()
        self._holds.pop(hold, None)
        if hold.listens:
            self._tell_listeners()

    def _tell_listeners(self) -> None:
        self._push(protocol.ListenersChanged(sum(hold.listens for hold in self._holds)))

    def _lease_ended(self, hold: _Hold) -> None:
        if hold.connection is not None:
            self._start(self._engine.hang_up(hold.connection))

    def _check_may_sit(self, seat: int) -> None:
        """Seat numbers only grow. One above all that were ever allowed is so new that the worker has not pushed
        it yet: it may sit, and has to be allowed within 3 s. A lower one that isn't allowed was taken away."""
        if self.closed:
            raise OfferRefused("This stage is closing.")
        if self._allowed is None or seat in self._allowed or seat > self._highest_allowed:
            return
        raise OfferRefused("This seat is no longer on stage.")

    def _check_provisional(self, hold: _Hold) -> None:
        if hold in self._holds and hold.seat is not None and hold.seat not in (self._allowed or ()):
            self._start(self._engine.leave(hold.seat))

    async def _configure(self, call: protocol.Configure) -> None:
        allowed = frozenset(call.seats_allowed)
        known = max(self._highest_allowed, *allowed, 0)
        seated = {hold.seat for hold in self._holds if hold.seat is not None}
        removed = [seat for seat in seated if seat not in allowed and seat <= known]
        self._allowed = allowed
        self._highest_allowed = known
        muted = frozenset(call.muted)
        for seat in muted | self._muted:
            self._engine.set_muted(seat, seat in muted)
        self._muted = muted
        counts = self._recorder.counts
        self._recorder.counts = msgspec.structs.replace(counts, roster=call.roster, calls=tuple(call.calls))
        for seat in removed:
            await self._engine.leave(seat)

    async def _leave(self, seat: int) -> None:
        async with self._seat_locks[seat]:
            await self._engine.leave(seat)

    def _on_seat_event(self, event: SeatEvent) -> None:
        self._push(protocol.SeatChanged(event.seat, event.state, event.at_ms))

    def _tape_full_changed(self, full: bool) -> None:
        """Called on the recorder thread."""
        at_ms = self._timeline.now_ms()
        event = protocol.TapeFullNow(at_ms) if full else protocol.TapeOkAgain(at_ms)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(self._push, event)

    def _status(self) -> protocol.StageStatus:
        times = os.times()
        return protocol.StageStatus(
            generation=self._generation,
            timeline_ms=self._timeline.now_ms(),
            tape_full=self._recorder.full,
            recorder_lost_frames=self._recorder.lost_frames,
            cpu_s=times.user + times.system,
            uptime_s=time.monotonic() - self._began_s,
            engine=self._engine.status(),
        )

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
