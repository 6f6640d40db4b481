"""Speakers for a stage, in one process of their own: they send speech encoded beforehand and count what they hear.

aiortc connects them; the packets are written here and those received are not decrypted, so that the generator
leaves the machine to what is measured. It runs beside it on the same machine all the same: its cost is a result.
"""

import asyncio
import re
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

from folkmoot.bench.speech import SpeechFrame
from folkmoot.stage.client import StageClient, StageGone

CONNECT_WITHIN_S = 20.0
FRAME_S = 0.02
FRAME_SAMPLES = 960

_RETRY_S = 0.02
_WARM_PACKETS = 100
_LEVEL = re.compile(r"a=extmap:(\d+) urn:ietf:params:rtp-hdrext:ssrc-audio-level")
_OPUS = re.compile(r"a=rtpmap:(\d+) opus/48000", re.IGNORECASE)
_FRAMES_APART = 37

Answer = Callable[[int, str], Awaitable[str]]
"""Takes a seat's number and its SDP offer to a server; returns the SDP answer."""

Signalling = Callable[[], AbstractAsyncContextManager[Answer]]


class Heard(msgspec.Struct, frozen=True):
    """What all publishers together received and sent between `measure` and `stop`; how late the last packet of a
    hundred was sent (`late_p99_ms`), which the stage has to buffer."""

    packets: int
    lost: int
    late_p99_ms: float


def run_publishers(frames: Sequence[SpeechFrame], count: int, signalling: Signalling, orders: Connection) -> None:
    """The process's main: connect, and say "ready" once all hear a mix.

    It counts from the first order on, answers the second with `Heard`, and goes on speaking until it is ended.
    """
    uvloop.run(_Publishers(frames, count, orders).run(signalling))


@asynccontextmanager
async def to_stage(socket_path: Path) -> AsyncIterator[Answer]:
    """Signalling with a stage process; waits until it listens."""
    async with await connect_stage(socket_path) as client:

        async def answer(seat: int, sdp: str) -> str:
            return (await client.offer(seat, sdp, [])).sdp

        yield answer


async def connect_stage(socket_path: Path) -> StageClient:
    """A client of a stage process that may still be starting. Raises StageGone if it doesn't in time."""
    deadline_s = time.monotonic() + CONNECT_WITHIN_S
    while True:
        try:
            return await StageClient.connect(socket_path)
        except StageGone:
            if time.monotonic() > deadline_s:
                raise
            await asyncio.sleep(_RETRY_S)


class _Waiting(MediaStreamTrack):
    """Makes aiortc offer to send, and leaves the sending to us."""

    kind = "audio"

    async def recv(self) -> AudioFrame:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


class _SkipDecryption:
    """In place of the SRTP session of what comes in: headers aren't encrypted, and that is all that is read."""

    def unprotect(self, data: bytes) -> bytes:
        return data

    def unprotect_rtcp(self, data: bytes) -> bytes:
        # A receiver report of nothing: aiortc's own parser would stumble over what is encrypted.
        return struct.pack("!BBHI", 0x80, 201, 1, 0) if data else data


class _Publisher:
    def __init__(self, seat: int, frames: Sequence[SpeechFrame]) -> None:
        self.received = 0
        self._seat = seat
        self._frames = frames
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._sent = 0
        self._highest: int | None = None
        self._expected = 0
        self._head = b""

    async def join(self, answer: Answer) -> None:
        connected = asyncio.Event()
        self._connection.addTrack(_Waiting())

        @self._connection.on("connectionstatechange")
        def _() -> None:
            if self._connection.connectionState == "connected":
                connected.set()

        await self._connection.setLocalDescription(await self._connection.createOffer())
        sdp = await answer(self._seat, self._connection.localDescription.sdp)
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await connected.wait()
        self._take_over(sdp)

    def _take_over(self, answer_sdp: str) -> None:
        """From here on aiortc carries packets, and nothing else."""
        sender = self._connection.getSenders()[0]
        self._transport = sender.transport
        self._ssrc = sender._ssrc
        opus, level = _OPUS.search(answer_sdp), _LEVEL.search(answer_sdp)
        assert opus is not None
        self._payload_type = int(opus[1])
        self._level_id = int(level[1]) if level is not None else None
        transport: Any = self._transport
        transport._rx_srtp = _SkipDecryption()
        transport._handle_rtp_data = self._hear

    async def send(self) -> None:
        frame = self._frames[(self._sent + self._seat * _FRAMES_APART) % len(self._frames)]
        extended = self._level_id is not None
        head = struct.pack(
            "!BBHII",
            0x90 if extended else 0x80,
            self._payload_type,
            self._sent & 0xFFFF,
            (self._sent * FRAME_SAMPLES) & 0xFFFFFFFF,
            self._ssrc,
        )
        if self._level_id is not None:
            # One-byte form (RFC 8285): one word with id, length and level, padded.
            head += struct.pack("!HHBBxx", 0xBEDE, 1, self._level_id << 4, 0x80 | frame.level)
        self._sent += 1
        await self._transport._send_rtp(head + frame.payload)

    async def _hear(self, data: bytes, arrival_time_ms: int) -> None:
        del arrival_time_ms
        sequence = int.from_bytes(data[2:4], "big")
        self.received += 1
        step = 1 if self._highest is None else (sequence - self._highest) & 0xFFFF
        if step < 0x8000:
            self._highest = sequence
            self._expected += step

    def restart_counts(self) -> None:
        self.received = self._expected = 0

    @property
    def lost(self) -> int:
        return max(0, self._expected - self.received)


class _Publishers:
    def __init__(self, frames: Sequence[SpeechFrame], count: int, orders: Connection) -> None:
        self._orders = orders
        self._all = [_Publisher(seat, frames) for seat in range(1, count + 1)]
        self._late_ms: list[float] = []

    async def run(self, signalling: Signalling) -> None:
        async with signalling() as answer:
            for one in self._all:
                await one.join(answer)
            sending = asyncio.create_task(self._send())
            await self._all_hear()
            self._orders.send("ready")
            await asyncio.to_thread(self._orders.recv)
            for one in self._all:
                one.restart_counts()
            self._late_ms.clear()
            await asyncio.to_thread(self._orders.recv)
            self._orders.send(self._heard())
            await sending

    async def _all_hear(self) -> None:
        """Until everybody has been sent a mix for two seconds: buffers have filled, encoders are warm."""
        async with asyncio.timeout(CONNECT_WITHIN_S):
            while any(one.received < _WARM_PACKETS for one in self._all):
                await asyncio.sleep(_RETRY_S)

    async def _send(self) -> None:
        """Each sends every 20 ms, one after another: speakers' clocks are not in step."""
        apart_s = FRAME_S / len(self._all)
        due_s = time.monotonic()
        while True:
            for one in self._all:
                wait_s = due_s - time.monotonic()
                await asyncio.sleep(max(0.0, wait_s))
                self._late_ms.append((time.monotonic() - due_s) * 1000)
                await one.send()
                due_s += apart_s

    def _heard(self) -> Heard:
        late_ms = sorted(self._late_ms)
        return Heard(
            packets=sum(one.received for one in self._all),
            lost=sum(one.lost for one in self._all),
            late_p99_ms=round(late_ms[len(late_ms) * 99 // 100], 2) if late_ms else 0.0,
        )
