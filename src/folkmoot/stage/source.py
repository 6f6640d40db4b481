"""One seat's sound on its way into the mix: packets from the network thread, 20 ms frames for the mixer thread."""

from collections import deque

import msgspec
import numpy as np

from folkmoot.stage.jitter import Due, JitterBuffer, Kind
from folkmoot.stage.noise import Clean
from folkmoot.stage.resample import Resampler
from folkmoot.stage.speaking import SILENCE_DBOV, SpeakingDetector, level_of_frame_dbov
from folkmoot.tape.opus import Decoder, OpusError, Pcm

_INBOX_PACKETS_MAX = 128
_SSRC_SILENT_MS = 1000
_PULLS_PER_FRAME_MAX = 8
_GARBAGE_FROM = 4.0
_GARBAGE_UNTIL = 2.0
_TRUST_REGAINED = 0.05
# Mode, bandwidth, frame size and channels: an encoder changes them once in a while (RFC 6716, 3.1).
_CONFIGURATION = 0xFC


class SoundPacket(msgspec.Struct, frozen=True, gc=False):
    """One RTP packet of sound: the fields that matter, and when it came (monotonic ms)."""

    ssrc: int
    sequence: int
    timestamp: int
    payload: bytes
    level_dbov: int | None
    arrival_ms: float


class _Garbage:
    """Tells packets of noise from an encoder's: in bytes of chance the configuration changes with each packet.

    Four changes at 50 packets a second, or four that can't be decoded, and nothing is taken until two good seconds
    have passed. An encoder that adapts changes a few times a minute.
    """

    def __init__(self) -> None:
        self._suspicion = 0.0
        self._configuration = -1
        self._refusing = False

    def suspect(self) -> None:
        """A packet could not be decoded."""
        self._suspicion = min(self._suspicion + 1, _GARBAGE_FROM + 1)

    def is_in(self, payload: bytes) -> bool:
        """Whether this packet is to be thrown away."""
        configuration = payload[0] & _CONFIGURATION if payload else -1
        if configuration != self._configuration and self._configuration >= 0:
            self.suspect()
        else:
            self._suspicion = max(0.0, self._suspicion - _TRUST_REGAINED)
        self._configuration = configuration
        self._refusing = self._suspicion >= (_GARBAGE_UNTIL if self._refusing else _GARBAGE_FROM)
        return self._refusing


class SeatSource:
    """Receives on the event loop (`receive`), is read by the mixer thread (`frame`); nothing else crosses over.

    `muted`, `connected` and `listener_loss_percent` (what this seat loses of the mix we send it) are plain values
    that the loop sets and the mixer reads: a tick too late is no harm. A muted seat isn't even decoded.
    `clean` takes the noise out of each frame.
    """

    def __init__(self, clean: Clean | None = None) -> None:
        self._clean = clean
        self.muted = False
        self.connected = False
        self.listener_loss_percent = 0.0
        self.jitter = JitterBuffer()
        self.detector = SpeakingDetector()
        self._inbox: deque[SoundPacket] = deque(maxlen=_INBOX_PACKETS_MAX)
        self._decoder = Decoder()
        self._ssrc: int | None = None
        self._ssrc_heard_ms = 0.0
        self._decoder_stale = False
        self._garbage = _Garbage()
        self._resampler = Resampler()
        self._sounds = False
        self._was_hushed = False

    def receive(self, packet: SoundPacket) -> None:
        """Takes a packet off the network; never blocks, drops the oldest when the mixer has stalled."""
        self._inbox.append(packet)

    def frame(self, now_ms: float, *, hushed: bool) -> tuple[Pcm | None, bool]:
        """The seat's next 960 samples and whether they are to be heard; (None, False) when there is nothing.

        A frame that comes with False is the last one before a pause: the mixer fades it out. `hushed`: muted or
        leaving.
        """
        if hushed:
            return self._hushed_frame(now_ms)
        if self._was_hushed:
            # What queued up while muted is old: start over with what comes now.
            self._inbox.clear()
            self._resampler.clear()
            self._start_over()
            self._was_hushed = False
        self._take_inbox()
        return self._next_frame(now_ms)

    def _hushed_frame(self, now_ms: float) -> tuple[Pcm | None, bool]:
        if self._was_hushed:
            self._inbox.clear()
            return None, False
        self._was_hushed = True
        self._take_inbox()
        pcm, _ = self._next_frame(now_ms)
        self._sounds = False
        self.detector.hush()
        return pcm, False

    def _next_frame(self, now_ms: float) -> tuple[Pcm | None, bool]:
        audible = True
        level: int | None = None
        rate = self.jitter.rate
        for _ in range(_PULLS_PER_FRAME_MAX):
            if self._resampler.missing(rate) <= 0:
                break
            talking = self.detector.speaking and self.connected
            due = self.jitter.pull(now_ms, talking=talking)
            if due.kind is Kind.NOTHING:
                break
            level = due.level_dbov if due.level_dbov is not None else level
            audible = audible and not due.last
            self._decode(due)
        if self._resampler.missing(rate) > 0:
            return self._last_frame(rate, now_ms), False
        pcm = self._resampler.take(rate)
        if self._clean is not None:
            pcm = self._clean(pcm)
        self._sounds = audible
        self.detector.hear(level if level is not None else level_of_frame_dbov(pcm), now_ms)
        return pcm, audible

    def _last_frame(self, rate: float, now_ms: float) -> Pcm | None:
        """None, or once a made-up frame to fade out, when the sound was cut off without a word (a new sender)."""
        self.detector.hear(SILENCE_DBOV, now_ms)
        pcm: Pcm | None = None
        if self._sounds:
            self._sounds = False
            while self._resampler.missing(rate) > 0:
                self._resampler.put(self._decoder.conceal())
            pcm = self._resampler.take(rate)
        self._resampler.clear()
        return pcm

    def _decode(self, due: Due) -> None:
        if self._decoder_stale:
            self._decoder.reset()
            self._decoder_stale = False
        try:
            pcm = self._decoded(due)
        except OpusError:
            # Garbage with a valid first byte. Conceal it like a loss; the decoder stays usable.
            self._garbage.suspect()
            self.jitter.counts.garbled += 1
            pcm = self._decoder.conceal(due.duration_samples)
        self._resampler.put(pcm)

    def _decoded(self, due: Due) -> Pcm:
        if due.kind is Kind.CONCEAL:
            return self._decoder.conceal(due.duration_samples)
        if due.kind is Kind.RECOVER:
            return self._decoder.decode_fec(due.payload, due.duration_samples)
        first = self._decoder.decode(due.payload)
        if due.kind is Kind.PLAY:
            return first
        second = self._decoder.decode(due.following)
        if len(first) != len(second):
            return second
        rising = np.arange(len(second), dtype=np.float32) / len(second)
        return (first * (1 - rising) + second * rising).astype(np.int16)

    def _take_inbox(self) -> None:
        while self._inbox:
            packet = self._inbox.popleft()
            if packet.ssrc != self._ssrc and not self._adopt(packet.ssrc, packet.arrival_ms):
                continue
            self._ssrc_heard_ms = packet.arrival_ms
            if self._garbage.is_in(packet.payload):
                self.jitter.counts.garbled += 1
                continue
            self.jitter.push(
                packet.sequence, packet.timestamp, packet.payload, packet.level_dbov, packet.arrival_ms
            )

    def _adopt(self, ssrc: int, now_ms: float) -> bool:
        """A sender keeps one SSRC. Another is taken only after the one before has been silent for a second."""
        if self._ssrc is not None and now_ms - self._ssrc_heard_ms < _SSRC_SILENT_MS:
            return False
        self._ssrc = ssrc
        self._start_over()
        return True

    def _start_over(self) -> None:
        """What comes now has nothing to do with what came before. The decoder still has to end that."""
        self.jitter.restart()
        self._decoder_stale = True
