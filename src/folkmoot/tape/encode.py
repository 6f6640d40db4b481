"""The full mix becomes steps of 100 ms in every codec of the tape.

Both codecs sit on one timeline. AAC-LC is exact: its encoder is one frame (1024 samples) late, and the first frame,
which primes the decoder and holds nothing, is dropped (after a restart in mid-tape it stands where the last frame
of the gap would stand). Opus is decoded 312 samples (6.5 ms) late, as its init segment says; that is within a frame
and costs nobody a wait. AAC frames end up to 64 ms behind a step's end, because the encoder looks ahead.

Silence is encoded until the encoders have nothing left of what was before it; then its coded frame is repeated, and
they go on from where they were when sound comes back.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from fractions import Fraction
from typing import SupportsBytes

import av
import numpy as np
from numpy.typing import NDArray

from folkmoot.tape import opus
from folkmoot.tape.model import SAMPLE_RATE, STEP_SAMPLES, Codec, Part, TapeError

OPUS_BITRATE = 32_000
OPUS_COMPLEXITY = 5
AAC_BITRATE = 64_000

_SILENT_FRAMES_ENCODED = 10
_SILENT_BLOCKS_ENCODED = 5
_FRAMES_PER_STEP = STEP_SAMPLES // opus.FRAME_SAMPLES
_AAC_FRAME = Codec.AAC.frame_samples


class EncodeError(TapeError):
    """The encoder was given what it can't take."""


class StepEncoder:
    """Frames of 20 ms in, one Part for each codec every 100 ms. Belongs to one thread.

    `start_samples` is where on the timeline the first frame stands: `TapeWriter.next_samples`.
    """

    def __init__(self, start_samples: int = 0) -> None:
        assert start_samples % STEP_SAMPLES == 0
        self._opus = _opus_encoder()
        self._opus_start = start_samples
        self._opus_frames: list[bytes] = []
        self._opus_last = b""
        self._silent_frames = 0
        self._aac = _AacFrames(start_samples)
        self._peak = 0

    def encode(self, frame: opus.Pcm) -> tuple[Part, ...]:
        """Takes 960 samples of int16 mono PCM at 48 kHz; returns the parts of a step with every fifth frame.

        Raises EncodeError for another shape or type.
        """
        if frame.shape != (opus.FRAME_SAMPLES,) or frame.dtype != np.int16:
            raise EncodeError(f"a frame is {opus.FRAME_SAMPLES} samples of int16")
        self._peak = max(self._peak, -int(frame.min()), int(frame.max()))
        self._silent_frames = 0 if frame.any() else self._silent_frames + 1
        if self._silent_frames <= _SILENT_FRAMES_ENCODED:
            self._opus_last = self._opus.encode(np.ascontiguousarray(frame))
        self._opus_frames.append(self._opus_last)
        self._aac.push(frame)
        return self._take() if len(self._opus_frames) == _FRAMES_PER_STEP else ()

    def finish(self) -> tuple[Part, ...]:
        """What is still inside: the frames of an unfinished step, and the end of AAC up to where Opus ends."""
        end_samples = self._opus_start + len(self._opus_frames) * opus.FRAME_SAMPLES
        self._aac.drain(end_samples)
        return self._take()

    def _take(self) -> tuple[Part, ...]:
        level = min(255, self._peak >> 7)
        opus_part = Part(Codec.OPUS, self._opus_start, tuple(self._opus_frames), level)
        aac_part = Part(Codec.AAC, self._aac.start_samples, self._aac.take(), level)
        self._opus_start = opus_part.end_samples
        self._opus_frames.clear()
        self._peak = 0
        return tuple(part for part in (opus_part, aac_part) if part.frames)


class _AacFrames:
    """Cuts PCM into AAC's 1024 samples, on the grid that starts at 0, and keeps the frames not yet taken."""

    def __init__(self, start_samples: int) -> None:
        self._encoder = _aac_encoder()
        self._skip_samples = -start_samples % _AAC_FRAME  # up to the next place on the grid
        first_frame = start_samples + self._skip_samples
        self._drop_priming = first_frame == 0
        self.start_samples = max(0, first_frame - _AAC_FRAME)
        self._block: NDArray[np.float32] = np.zeros(_AAC_FRAME, np.float32)
        self._filled = 0
        self._pushed_blocks = 0
        self._silent_blocks = 0
        self._last = b""
        self._frames: list[bytes] = []

    def push(self, pcm: opus.Pcm) -> None:
        skipped = min(self._skip_samples, len(pcm))
        self._skip_samples -= skipped
        rest = pcm[skipped:]
        while len(rest):
            room = _AAC_FRAME - self._filled
            taken = rest[:room]
            self._block[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            rest = rest[room:]
            if self._filled == _AAC_FRAME:
                self._encode_block()

    def take(self) -> tuple[bytes, ...]:
        frames = tuple(self._frames)
        self._frames.clear()
        self.start_samples += len(frames) * _AAC_FRAME
        return frames

    def drain(self, end_samples: int) -> None:
        """Ends the encoder; frames that start at or after `end_samples` are thrown away."""
        if self._filled:
            self._block[self._filled :] = 0
            self._encode_block()
        self._keep(self._encoder.encode(None))
        wanted = max(0, -(-(end_samples - self.start_samples) // _AAC_FRAME))
        del self._frames[wanted:]

    def _encode_block(self) -> None:
        self._filled = 0
        self._silent_blocks = 0 if self._block.any() else self._silent_blocks + 1
        if self._silent_blocks > _SILENT_BLOCKS_ENCODED:
            self._frames.append(self._last)
            return
        frame = av.AudioFrame.from_ndarray((self._block / 32_768).reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        frame.pts = self._pushed_blocks * _AAC_FRAME
        self._pushed_blocks += 1
        self._keep(self._encoder.encode(frame))

    def _keep(self, packets: Iterable[SupportsBytes]) -> None:
        for packet in packets:
            if self._drop_priming:
                self._drop_priming = False
            else:
                self._last = bytes(packet)
                self._frames.append(self._last)


@functools.cache
def silent_frame(codec: Codec) -> bytes:
    """One frame of encoded silence, the same each time."""
    if codec is Codec.OPUS:
        encoder, silence = _opus_encoder(), np.zeros(opus.FRAME_SAMPLES, np.int16)
        return [encoder.encode(silence) for _ in range(10)][-1]
    frames = _AacFrames(0)
    frames.push(np.zeros(10 * _AAC_FRAME, np.int16))
    return frames.take()[-1]


def _opus_encoder() -> opus.Encoder:
    return opus.Encoder(
        bitrate=OPUS_BITRATE,
        complexity=OPUS_COMPLEXITY,
        application=opus.Application.AUDIO,
        fec=False,
        expected_loss_percent=0,
    )


def _aac_encoder() -> av.AudioCodecContext:
    context = av.CodecContext.create("aac", "w")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate = SAMPLE_RATE
    context.layout = "mono"
    context.format = av.AudioFormat("fltp")
    context.bit_rate = AAC_BITRATE
    context.time_base = Fraction(1, SAMPLE_RATE)
    context.open()
    return context
