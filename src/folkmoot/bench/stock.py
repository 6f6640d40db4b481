"""A peer for comparison: the same stage the way aiortc's own examples would do it.

Its receiver decodes, its sender encodes, a coroutine mixes in between: what one would write first. It keeps no
recording.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from folkmoot.stage.engine import Answer, EngineStatus, OfferRefused, SeatStatus

FRAME_SAMPLES = 960
FRAME_S = 0.02
_WAITING_MAX = 10
_START_FRAMES = 2
_DEEP_FRAMES = 6


class _Mix(MediaStreamTrack):
    """What one speaker hears; aiortc encodes it."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._frames: asyncio.Queue[AudioFrame] = asyncio.Queue()

    def put(self, frame: AudioFrame) -> None:
        if self._frames.qsize() > _WAITING_MAX:
            self._frames.get_nowait()
        self._frames.put_nowait(frame)

    async def recv(self) -> AudioFrame:
        return await self._frames.get()


class _Speaker:
    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.mix = _Mix()
        self.frames: deque[npt.NDArray[np.int16]] = deque()
        self.started = False
        self.received = self.underruns = self.trimmed = 0
        self.reading: asyncio.Task[None] | None = None

    async def read(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                # aiortc decodes Opus to interleaved stereo.
                self.frames.append(frame.to_ndarray().reshape(-1, 2)[:, 0].astype(np.int16, copy=False))
                self.received += 1
        except MediaStreamError:
            pass

    def next_frame(self) -> npt.NDArray[np.int16] | None:
        if not self.started and len(self.frames) < _START_FRAMES:
            return None
        self.started = True
        if len(self.frames) > _DEEP_FRAMES:
            self.frames.popleft()
            self.trimmed += 1
        if not self.frames:
            self.underruns += 1
            return None
        return self.frames.popleft()


class StockEngine:
    """Implements `engine.Engine`, as much of it as the bench asks for. Make it on a running loop."""

    def __init__(self) -> None:
        self._speakers: dict[int, _Speaker] = {}
        self._ticks = 0
        self._mixing = asyncio.create_task(self._mix())

    async def join(self, seat: int, offer_sdp: str, on_over: Callable[[], None]) -> Answer:
        """See `engine.Engine.join`. Nobody holds a lease in the bench."""
        del on_over
        speaker = _Speaker()

        @speaker.connection.on("track")
        def _(track: MediaStreamTrack) -> None:
            speaker.reading = asyncio.create_task(speaker.read(track))

        await speaker.connection.setRemoteDescription(RTCSessionDescription(offer_sdp, "offer"))
        speaker.connection.addTrack(speaker.mix)
        await speaker.connection.setLocalDescription(await speaker.connection.createAnswer())
        self._speakers[seat] = speaker
        return Answer(speaker.connection.localDescription.sdp, str(seat))

    async def leave(self, seat: int) -> None:
        """See `engine.Engine.leave`."""
        speaker = self._speakers.pop(seat, None)
        if speaker is not None:
            await speaker.connection.close()

    async def listen(self, offer_sdp: str, on_connected: Callable[[], None], on_over: Callable[[], None]) -> Answer:
        """Nobody only listens in the bench."""
        del offer_sdp, on_connected, on_over
        raise OfferRefused("This engine has no listeners.")

    async def hang_up(self, connection: str) -> None:
        """See `engine.Engine.hang_up`."""
        await self.leave(int(connection))

    def current(self, seat: int) -> str | None:
        """See `engine.Engine.current`."""
        return str(seat) if seat in self._speakers else None

    def set_muted(self, seat: int, muted: bool) -> None:
        """Nobody is muted in the bench."""

    def status(self) -> EngineStatus:
        """See `engine.Engine.status`; what this engine doesn't know is 0."""
        seats = [_status(seat, speaker) for seat, speaker in self._speakers.items()]
        return EngineStatus(seats, self._ticks, 0, 0, 0.0, 0.0, self._ticks * len(seats))

    async def close(self) -> None:
        """See `engine.Engine.close`."""
        self._mixing.cancel()
        for seat in list(self._speakers):
            await self.leave(seat)

    async def _mix(self) -> None:
        due_s = time.monotonic()
        while True:
            due_s += FRAME_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            self._ticks += 1
            self._tick(list(self._speakers.values()))

    def _tick(self, speakers: list[_Speaker]) -> None:
        if not speakers:
            return
        said = np.zeros((len(speakers), FRAME_SAMPLES), np.int32)
        for row, speaker in enumerate(speakers):
            frame = speaker.next_frame()
            if frame is not None and len(frame) == FRAME_SAMPLES:
                said[row] = frame
        mixes = np.clip(said.sum(axis=0) - said, -32768, 32767).astype(np.int16)
        for row, speaker in enumerate(speakers):
            speaker.mix.put(_audio_frame(mixes[row : row + 1], self._ticks))


def _audio_frame(samples: npt.NDArray[np.int16], tick: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = 48_000
    frame.time_base = Fraction(1, 48_000)
    frame.pts = tick * FRAME_SAMPLES
    return frame


def _status(seat: int, speaker: _Speaker) -> SeatStatus:
    return SeatStatus(
        seat=seat,
        connected=speaker.connection.connectionState == "connected",
        muted=False,
        speaking=False,
        level_dbov=0,
        buffer_ms=0.0,
        received=speaker.received,
        underruns=speaker.underruns,
        plc=0,
        fec=0,
        late=0,
        trimmed=speaker.trimmed,
        refused_packets=0,
        garbled=0,
        drift_ppm=0,
    )
