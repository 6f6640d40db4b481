"""The thread that mixes a Space: every 20 ms of the monotonic clock it pulls, mixes, encodes and hands on."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec
import numpy as np

from folkmoot.stage.mixer import Contribution, Mixed, Mixer
from folkmoot.stage.source import SeatSource
from folkmoot.tape.opus import Application, Encoder, Pcm

TICK_S = 0.02
TICK_MS = 20
LISTENERS = 0
"""In place of a seat: all who only listen, and get the full mix."""

_LATE_S = 0.01
_BEHIND_S = 0.2
_FIGURES_KEPT = 1000
_WARM_UP_FRAMES = 3
_SILENCE_ENCODED_TICKS = 10
_SILENCE_SENT_EVERY_TICKS = 20
# The first byte of a packet and no sound in it: so Opus says that nothing comes (RFC 6716, 3.1; RFC 7587, 3.1.3).
_NOTHING_COMES = b"\xf8"
_LOSS_WITHOUT_FEC_PERCENT = 0.5
_FEC_FROM_PERCENT = 10


class MixSink(Protocol):
    """Where the full mix goes. Called on the mixer thread: it must not block."""

    def frame(self, tick: int, pcm: Pcm | None, speaking: tuple[int, ...]) -> None:
        """One tick: 960 int16 samples, None for silence, and the seats that speak in it.

        Ticks that are missing between two calls were dropped: they are silence on the timeline.
        """


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """An Opus packet for one seat (or LISTENERS), and the seats (not its own) that speak in it."""

    seat: int
    payload: bytes
    speaking: tuple[int, ...]


Deliver = Callable[[int, list[Delivery]], None]
"""Called on the event loop once a tick: the tick's number and what each connected seat is sent."""


class MixerFigures(msgspec.Struct, frozen=True):
    """Totals since the start; percentiles over the last 20 s."""

    ticks: int
    late_ticks: int
    dropped_ticks: int
    tick_late_p99_ms: float
    tick_work_p99_ms: float
    encodes: int


class _MixEncoder:
    """An encoder whose listeners may come from another one.

    A decoder predicts from what it decoded last, so a packet of an encoder that heard something else clicks. Fed
    with the last frames the listener heard, the change-over is lost in the codec's noise (measured: the largest
    step between samples is the same as without a change-over; 4 times larger with a fresh encoder).

    In-band FEC follows what the listener reports as lost. libopus then codes as for voices, with a copy in the
    next packet, which takes 190 µs a frame; for who loses nothing it codes as for music, which takes 55 and has no
    copies. (libopus 1.6.1 puts none into packets of 32 kbit/s until it is told to expect about 8%.)
    """

    def __init__(self) -> None:
        self._encoder = Encoder(application=Application.AUDIO, expected_loss_percent=0)
        self._expected_percent = 0
        self._last_tick = -1

    def encode(self, tick: int, pcm: Pcm, heard: deque[Pcm], loss_percent: float) -> bytes:
        expected = 0 if loss_percent < _LOSS_WITHOUT_FEC_PERCENT else max(_FEC_FROM_PERCENT, int(loss_percent))
        if expected != self._expected_percent:
            self._encoder.expect_loss(expected)
            self._expected_percent = expected
        if self._last_tick != tick - 1:
            self._encoder.reset()
            for frame in heard:
                self._encoder.encode(frame)
        self._last_tick = tick
        return self._encoder.encode(pcm)


class _Port:
    """One seat at the mixer."""

    def __init__(self, seat: int, source: SeatSource) -> None:
        self.seat = seat
        self.source = source
        self.encoder = _MixEncoder()
        self.replaced: SeatSource | None = None
        self.leaving = False
        self.faded = False


class MixerThread:
    """Mixes until closed. `add` and `remove` are for the event loop; seats are few, so a copy per change is fine.

    `has_listeners` (somebody besides the seats is sent the full mix) and `listeners_loss_percent` (what they lose
    of it) are plain values that the loop sets. Late ticks are counted; more than 200 ms behind, ticks are dropped
    rather than done in a burst, and their numbers left out, so the timeline keeps to the clock.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, deliver: Deliver, sink: MixSink) -> None:
        self.has_listeners = False
        self.listeners_loss_percent = 0.0
        self._loop = loop
        self._deliver = deliver
        self._sink = sink
        self._mixer = Mixer()
        self._ports: dict[int, _Port] = {}
        self._ports_lock = threading.Lock()
        self._shared = _MixEncoder()
        self._heard: deque[Pcm] = deque(maxlen=_WARM_UP_FRAMES)
        self._late_ms: deque[float] = deque(maxlen=_FIGURES_KEPT)
        self._work_ms: deque[float] = deque(maxlen=_FIGURES_KEPT)
        self._ticks = self._late_ticks = self._dropped_ticks = self._encodes = 0
        self._silent_ticks = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="stage-mixer", daemon=True)

    def start(self) -> None:
        """Starts ticking: tick 0 is now."""
        self._thread.start()

    def add(self, seat: int, source: SeatSource) -> None:
        """A seat joins the mix; its first frame is faded in. A source that it has already is faded out first."""
        port = _Port(seat, source)
        before = self._ports.get(seat)
        port.replaced = before.source if before is not None else None
        with self._ports_lock:
            self._ports = {**self._ports, seat: port}

    def remove(self, seat: int) -> None:
        """A seat leaves: its next frame is faded out and is its last."""
        port = self._ports.get(seat)
        if port is not None:
            port.leaving = True

    def close(self) -> None:
        """Stops after the tick that runs now. Call it on the event loop or elsewhere, never on the mixer thread."""
        self._stopping = True
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def figures(self) -> MixerFigures:
        """How the thread fares."""
        return MixerFigures(
            ticks=self._ticks,
            late_ticks=self._late_ticks,
            dropped_ticks=self._dropped_ticks,
            tick_late_p99_ms=_p99(self._late_ms),
            tick_work_p99_ms=_p99(self._work_ms),
            encodes=self._encodes,
        )

    def _run(self) -> None:
        tick = 0
        due_s = time.monotonic()
        while not self._stopping:
            wait_s = due_s - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            began_s = time.monotonic()
            behind_s = began_s - due_s
            if behind_s > _BEHIND_S:
                dropped = int(behind_s / TICK_S)
                tick += dropped
                due_s += dropped * TICK_S
                self._dropped_ticks += dropped
            self._late_ticks += behind_s > _LATE_S
            self._late_ms.append(behind_s * 1000)
            self._tick(tick, began_s * 1000)
            self._work_ms.append((time.monotonic() - began_s) * 1000)
            self._ticks += 1
            tick += 1
            due_s += TICK_S

    def _tick(self, tick: int, now_ms: float) -> None:
        ports = list(self._ports.values())
        mixed = self._mixer.mix([self._contribution(port, now_ms) for port in ports])
        self._silent_ticks = self._silent_ticks + 1 if mixed.silent else 0
        speaking = tuple(port.seat for port in ports if port.source.detector.speaking)
        present = [port for port in ports if port.source.connected and not port.leaving]
        if self._silent_ticks <= _SILENCE_ENCODED_TICKS:
            self._hand_to_loop(tick, self._encode(tick, present, mixed, speaking))
        elif self._silent_ticks % _SILENCE_SENT_EVERY_TICKS == 0:
            waiting = [port.seat for port in present] + [LISTENERS] * self.has_listeners
            self._hand_to_loop(tick, [Delivery(seat, _NOTHING_COMES, ()) for seat in waiting])
        self._heard.append(mixed.full)
        self._sink.frame(tick, None if mixed.silent else mixed.full, speaking)
        self._forget_left()

    def _contribution(self, port: _Port, now_ms: float) -> Contribution:
        source = port.replaced or port.source
        hushed = port.replaced is not None or port.leaving or source.muted or not source.connected
        port.replaced = None
        port.faded = port.leaving
        pcm, audible = source.frame(now_ms, hushed=hushed)
        return Contribution(port.seat, pcm, audible, source.detector.speaking)

    def _encode(self, tick: int, present: list[_Port], mixed: Mixed, speaking: tuple[int, ...]) -> list[Delivery]:
        deliveries: list[Delivery] = []
        sharing: list[int] = [LISTENERS] if self.has_listeners else []
        worst_loss = self.listeners_loss_percent if self.has_listeners else 0.0
        for port in present:
            own = mixed.minus.get(port.seat)
            if own is None:
                sharing.append(port.seat)
                worst_loss = max(worst_loss, port.source.listener_loss_percent)
                continue
            payload = port.encoder.encode(tick, own, self._heard, port.source.listener_loss_percent)
            others = tuple(seat for seat in speaking if seat != port.seat)
            deliveries.append(Delivery(port.seat, payload, others))
        self._encodes += len(deliveries) + bool(sharing)
        if sharing:
            payload = self._shared.encode(tick, mixed.full, self._heard, worst_loss)
            # Who shares the full mix isn't heard in it, but may have spoken within the detector's 300 ms.
            deliveries += [
                Delivery(seat, payload, tuple(other for other in speaking if other != seat)) for seat in sharing
            ]
        return deliveries

    def _hand_to_loop(self, tick: int, deliveries: list[Delivery]) -> None:
        if not deliveries:
            return
        try:
            self._loop.call_soon_threadsafe(self._deliver, tick, deliveries)
        except RuntimeError:
            # The loop is closed: the process is ending, and nobody is left to hear this tick.
            self._stopping = True

    def _forget_left(self) -> None:
        if any(port.faded for port in self._ports.values()):
            with self._ports_lock:
                gone = [seat for seat, port in self._ports.items() if port.faded]
                self._ports = {seat: port for seat, port in self._ports.items() if not port.faded}
            for seat in gone:
                self._mixer.forget(seat)


def _p99(values: deque[float]) -> float:
    return round(float(np.percentile(list(values), 99)), 2) if values else 0.0
