"""The receive path under packet loss, on a simulated clock: what comes out of it against what was said.

The sender is as a browser is: it puts more forward error correction into its packets the more loss the stage's
receiver reports tell it of, smoothed over about ten seconds (as libwebrtc does; it starts at none).
"""

import random
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from folkmoot.stage.rtp import Reception, RtpFields
from folkmoot.stage.source import SeatSource, SoundPacket
from folkmoot.tape.opus import FRAME_SAMPLES, Decoder, Encoder, Pcm

FRAME_MS = 20
SEED = 3
_REPORT_EVERY_FRAMES = 50
_SMOOTHING_MS = 10_000
_DELAY_FRAMES_MAX = 25
_SSRC = 1
# The mixer's tick comes somewhere between two packets.
_TICK_AFTER_PACKET_MS = 5


class LossResult(msgspec.Struct, frozen=True):
    """`correlation` of the samples with the lossless decode; `buffer_ms` from a packet's arrival to its sound."""

    correlation: float
    buffer_ms: float
    lost_packets: int
    packets: int


class _Sender:
    """A browser's encoder and what it knows of the loss."""

    def __init__(self) -> None:
        self._encoder = Encoder(expected_loss_percent=0)
        self._loss = 0.0

    def encode(self, frame: Pcm) -> bytes:
        return self._encoder.encode(frame)

    def hear_report(self, block: bytes) -> None:
        """A report block of RFC 3550: its fifth byte is the fraction lost, of 256."""
        if block:
            keep = float(np.exp(-_REPORT_EVERY_FRAMES * FRAME_MS / _SMOOTHING_MS))
            self._loss = keep * self._loss + (1 - keep) * block[4] / 256
            self._encoder.expect_loss(round(self._loss * 100))


def measure_loss(said: Pcm, loss_percent: float) -> LossResult:
    """Sends speech (mono, 48 kHz) through a seat's source; some packets are lost, always the same ones."""
    chance = random.Random(SEED)  # noqa: S311 - loss, not a secret: the same every time
    lost = [chance.random() * 100 < loss_percent for _ in range(len(said) // FRAME_SAMPLES)]
    sender, lossless, reception = _Sender(), Decoder(), Reception()
    source = SeatSource()
    source.connected = True
    intact: list[Pcm] = []
    heard: list[Pcm] = []
    edges = range(0, (len(lost) + 1) * FRAME_SAMPLES, FRAME_SAMPLES)
    for number, (start, end) in enumerate(pairwise(edges)):
        at_ms = float(number * FRAME_MS)
        payload = sender.encode(said[start:end])
        intact.append(lossless.decode(payload))
        if not lost[number]:
            reception.hear(RtpFields(number, start, _SSRC, payload, None), at_ms / 1000)
            source.receive(SoundPacket(_SSRC, number, start, payload, None, at_ms))
        if number % _REPORT_EVERY_FRAMES == 0:
            sender.hear_report(reception.block(at_ms / 1000))
        pcm, _ = source.frame(at_ms + _TICK_AFTER_PACKET_MS, hushed=False)
        heard.append(pcm if pcm is not None else np.zeros(FRAME_SAMPLES, np.int16))
    correlation, delay_frames = best_match(intact, heard)
    return LossResult(correlation, delay_frames * FRAME_MS + _TICK_AFTER_PACKET_MS, sum(lost), len(lost))


def best_match(said: Sequence[Pcm], heard: Sequence[Pcm]) -> tuple[float, int]:
    """Correlation of frames of samples at the delay in frames (0 to 25) at which it is highest, and that delay."""
    all_said, all_heard = np.stack(said), np.stack(heard)
    found = [(_correlation(all_said, all_heard, delay), -delay) for delay in range(_DELAY_FRAMES_MAX + 1)]
    correlation, delay = max(found)
    return correlation, -delay


def _correlation(said: npt.NDArray[np.int16], heard: npt.NDArray[np.int16], delay: int) -> float:
    early, late = said[: len(said) - delay].ravel(), heard[delay:].ravel()
    if not early.any() or not late.any():
        return 0.0
    return float(np.corrcoef(early, late)[0, 1])
