"""Peers on the loopback: real aiortc connections that send a tone and keep what they hear."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame
from tests.support.waiting import PATIENCE_S

FRAME = 960
RATE = 48_000

Join = Callable[[str], Awaitable[str]]


class Tone(MediaStreamTrack):
    """A sine wave in real time; amplitude 0 is silence. `stalled_s`: for how long, in all, it could not be sent,
    because this process got no processor or did something else."""

    kind = "audio"

    def __init__(self, frequency: float, amplitude: float = 0.25) -> None:
        super().__init__()
        self.frequency = frequency
        self.amplitude = amplitude
        self.stalled_s = 0.0
        self._late_s = 0.0
        self._sent = 0
        self._began = time.monotonic()

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        due_s = self._began + self._sent * 0.02
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        late_s = time.monotonic() - due_s
        self.stalled_s += max(0.0, late_s - self._late_s - 0.02)
        self._late_s = late_s
        at = (np.arange(FRAME) + self._sent * FRAME) / RATE
        wave = np.sin(2 * np.pi * self.frequency * at) * self.amplitude * 32767
        frame = AudioFrame.from_ndarray(wave.astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.time_base = Fraction(1, RATE)
        frame.pts = self._sent * FRAME
        self._sent += 1
        return frame


class Client:
    """A browser's stand-in: `join` with a function that answers offers, then look at what it heard.

    `configuration`: its STUN and TURN servers, and whether it may use anything else.
    """

    def __init__(
        self, frequency: float, amplitude: float = 0.25, configuration: RTCConfiguration | None = None
    ) -> None:
        self.connection = RTCPeerConnection(configuration)
        self.tone = Tone(frequency, amplitude)
        self.heard: list[npt.NDArray[np.int16]] = []
        self.contributing: set[int] = set()
        self._listening: asyncio.Task[None] | None = None

    async def join(self, answer: Join) -> None:
        """Speaks and hears."""
        self.connection.addTrack(self.tone)
        await self._negotiate(answer)

    async def hear(self, answer: Join) -> None:
        """Only hears."""
        self.connection.addTransceiver("audio", direction="recvonly")
        await self._negotiate(answer)

    async def _negotiate(self, answer: Join) -> None:
        @self.connection.on("track")
        def _(track: MediaStreamTrack) -> None:
            self._listening = asyncio.create_task(self._listen(track))

        await self.connection.setLocalDescription(await self.connection.createOffer())
        sdp = await answer(self.connection.localDescription.sdp)
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        self._watch_sources()
        await until(lambda: self.connection.connectionState == "connected")

    async def close(self) -> None:
        await self.connection.close()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    def hears(self, frequency: float, seconds: float = 0.3) -> bool:
        """Whether the last stretch of what it heard has this tone in it."""
        frames = self.heard[-int(seconds / 0.02) :]
        return len(frames) * 0.02 >= seconds - 0.02 and has_tone(np.concatenate(frames), frequency)

    def forget(self) -> None:
        self.heard.clear()
        self.contributing.clear()

    def _watch_sources(self) -> None:
        receiver = self.connection.getReceivers()[0]
        before = receiver._handle_rtp_packet

        async def handle(packet: object, arrival_time_ms: int) -> None:
            self.contributing.update(packet.csrc)  # type: ignore[attr-defined]
            await before(packet, arrival_time_ms)  # type: ignore[arg-type]

        receiver._handle_rtp_packet = handle  # type: ignore[method-assign]

    async def _listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                self.heard.append(frame.to_ndarray().reshape(-1, 2)[:, 0].astype(np.int16))
        except MediaStreamError:
            pass


def has_tone(samples: npt.NDArray[np.int16], frequency: float, threshold: float = 0.03) -> bool:
    """Whether a tone of this frequency is in the samples, louder than `threshold` of full scale."""
    at = np.arange(len(samples)) / RATE
    found = np.abs(np.mean(samples / 32768 * np.exp(-2j * np.pi * frequency * at))) * 2
    return bool(found > threshold)


async def until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    """Waits until the condition holds; fails the test when it doesn't in time."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)
