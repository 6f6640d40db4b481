"""The port between a Space's stage process and whatever carries its speakers' sound.

An engine knows seats (small numbers) and offers (SDP). Who sits on a seat, and why they may, is not its business.
Two engines fit behind it: the embedded one (`embedded.py`), and an external SFU where the recorder joins as a
hidden participant. All methods run on the engine's event loop; `on_event` is called on it too.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec


class OfferRefused(Exception):
    """The offer cannot be answered. The message is one sentence for the person who sent it."""


class SeatState(StrEnum):
    """What became of a seat's connection."""

    CONNECTED = "connected"
    """Sound can flow in both directions."""
    LOST = "lost"
    """The peer is gone: ICE or DTLS failed, the peer closed it, or nothing was heard of it for 10 s."""
    LEFT = "left"
    """We closed it: it hung up, is no longer allowed, or its lease ended."""


class Answer(msgspec.Struct, frozen=True):
    """The SDP answer, complete with its ICE candidates (nothing is trickled), and the connection's own name."""

    sdp: str
    connection: str


class SeatEvent(msgspec.Struct, frozen=True):
    """A change of one seat's connection; `at_ms` is on the Space's own timeline."""

    seat: int
    state: SeatState
    at_ms: int


class SeatStatus(msgspec.Struct, frozen=True):
    """A seat as the engine sees it now. The counts are totals since the seat first joined this process.

    `level_dbov` is the loudness of the frame mixed last, 0 (loudest) to -127 (silence), RFC 6464.
    `fec` frames were rebuilt from the next packet, `plc` frames were made up, `late` packets came after their turn,
    `underruns` are 20 ms frames of a talking sender that were due with nothing at hand (see `jitter.py`), `garbled`
    packets held noise instead of sound. `drift_ppm` is how much faster than ours the sender's sample clock runs.
    """

    seat: int
    connected: bool
    muted: bool
    speaking: bool
    level_dbov: int
    buffer_ms: float
    received: int
    underruns: int
    plc: int
    fec: int
    late: int
    trimmed: int
    refused_packets: int
    garbled: int
    drift_ppm: int


class EngineStatus(msgspec.Struct, frozen=True):
    """Figures of one engine. Counts are totals since it started, percentiles cover the last 20 s."""

    seats: list[SeatStatus]
    ticks: int
    late_ticks: int
    dropped_ticks: int
    tick_late_p99_ms: float
    tick_work_p99_ms: float
    encodes: int


class Engine(Protocol):
    """Carries sound between the seats of one Space, and its full mix to listeners and the tape.

    `on_over` is called once, when the connection that an answer began is over for whatever reason.
    """

    async def join(self, seat: int, offer_sdp: str, on_over: Callable[[], None]) -> Answer:
        """Answers an offer for a seat. The newest connection replaces the older one as soon as it is connected.

        Raises OfferRefused when the offer is broken, has no audio, or only codecs we don't have.
        """

    async def listen(self, offer_sdp: str, on_connected: Callable[[], None], on_over: Callable[[], None]) -> Answer:
        """Answers an offer of somebody who hears the full mix and says nothing. Raises OfferRefused."""

    async def leave(self, seat: int) -> None:
        """Closes the seat's connections at once. A seat that isn't there is no error."""

    async def hang_up(self, connection: str) -> None:
        """Closes one connection, a seat's or a listener's, at once. One that isn't there is no error."""

    def current(self, seat: int) -> str | None:
        """The connection that the seat is heard by now."""

    def set_muted(self, seat: int, muted: bool) -> None:
        """Silences a seat for everybody, or lets it be heard again. Holds for the seat's next connection too."""

    def status(self) -> EngineStatus:
        """Figures for benches, health checks and people."""

    async def close(self) -> None:
        """Closes every connection and stops mixing. Idempotent."""


EventCallback = Callable[[SeatEvent], None]
