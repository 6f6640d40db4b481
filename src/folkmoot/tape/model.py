"""What a tape holds, as plain data. Positions are samples at 48 kHz on the Space's own clock; 0 starts the tape."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

SAMPLE_RATE: Final = 48_000
SAMPLES_PER_MS: Final = 48
STEP_SAMPLES: Final = 4_800  # 100 ms: what is encoded, appended and sent at once
SEGMENT_SAMPLES: Final = 4 * SAMPLE_RATE


class TapeError(Exception):
    """Something about a tape that the caller has to deal with; says what in a sentence."""


class TapeMissing(TapeError):
    """There is no tape in this folder."""


class TapeDamaged(TapeError):
    """The bytes on disk are not what was written."""


class TapeBusy(TapeError):
    """Another process is writing this tape."""


class TapeEnded(TapeError):
    """The tape was closed; nothing can be added."""


class TapeWriteError(TapeError):
    """A step could not be written. What was acknowledged before is whole, and the next append may succeed."""


class TapeFull(TapeWriteError):
    """There is no room for a step: a full disk, a quota, or a limit on file sizes."""


class TapeAway(TapeError):
    """The sound is in the object store only, and that can't be reached now. Later it may be."""


class RangeError(TapeError):
    """A range that the recording doesn't have, or that holds nothing."""


class Codec(enum.StrEnum):
    """A rendition of the sound; the value names its files and appears in addresses."""

    OPUS = "opus"
    AAC = "aac"

    @property
    def frame_samples(self) -> int:
        """Samples in one coded frame: 20 ms of Opus, 1024 samples of AAC-LC."""
        return 960 if self is Codec.OPUS else 1024

    @property
    def mime_parameter(self) -> str:
        """The codecs parameter of a media type or a playlist (RFC 6381)."""
        return "opus" if self is Codec.OPUS else "mp4a.40.2"


class CodecConfig(msgspec.Struct, frozen=True):
    """What a decoder has to know first."""

    codec: Codec
    preskip_samples: int = 0  # Opus: how late the decoded sound is (RFC 7845)
    audio_specific_config: bytes = b""  # AAC: ISO/IEC 14496-3, 1.6.2


CODEC_CONFIGS: Final = {
    Codec.OPUS: CodecConfig(Codec.OPUS, preskip_samples=312),
    # AAC-LC (5 bits: 2), 48 kHz (4 bits: 3), one channel (4 bits: 1).
    Codec.AAC: CodecConfig(Codec.AAC, audio_specific_config=b"\x11\x88"),
}


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """What travels in the sound's own timeline: never a name, nothing that may have to be unsaid.

    `speaking` are seat numbers, `listeners` are connected, `listeners_estimated` hear it by HLS about as many,
    `reactions` totals since the start, `roster` a version that grows when seats change hands (clients then fetch
    the gated sidecar anew), `gap` says that this silence was not on stage, `calls` tell somebody to look at once:
    bytes in hexadecimal that mean something to nobody else.
    """

    speaking: tuple[int, ...] = ()
    listeners: int = 0
    reactions: dict[str, int] = msgspec.field(default_factory=dict)
    roster: int = 0
    gap: bool = False
    listeners_estimated: int = 0
    calls: tuple[str, ...] = ()


class Part(msgspec.Struct, frozen=True):
    """Consecutive coded frames of one codec, about 100 ms, before they are written.

    `start_samples` is a multiple of the codec's frame; `peak` is the loudest sample, 0–255, linear.
    """

    codec: Codec
    start_samples: int
    frames: tuple[bytes, ...]
    peak: int = 0

    @property
    def duration_samples(self) -> int:
        return len(self.frames) * self.codec.frame_samples

    @property
    def end_samples(self) -> int:
        return self.start_samples + self.duration_samples


class PartRef(msgspec.Struct, frozen=True):
    """Where a written part lies. `number` counts a codec's parts from 0.

    `header_bytes` are the boxes before the coded frames, `checksum` is the CRC-32 of all `length` bytes.
    """

    codec: Codec
    number: int
    start_samples: int
    duration_samples: int
    offset: int
    length: int
    header_bytes: int
    segment: int
    checksum: int
    peak: int
    has_note: bool
    gap: bool
    redacted: bool = False

    @property
    def end_samples(self) -> int:
        return self.start_samples + self.duration_samples

    @property
    def start_ms(self) -> int:
        return self.start_samples // SAMPLES_PER_MS

    @property
    def end_ms(self) -> int:
        return self.end_samples // SAMPLES_PER_MS


class SegmentRef(msgspec.Struct, frozen=True):
    """Consecutive parts with one segment number: one range of bytes, as HLS serves it.

    `revision` counts the parts of it that were taken out: its bytes are others after each (redact.py).
    """

    codec: Codec
    number: int
    start_samples: int
    duration_samples: int
    offset: int
    length: int
    revision: int = 0

    @property
    def end_samples(self) -> int:
        return self.start_samples + self.duration_samples


class TapeHeader(msgspec.Struct, frozen=True):
    """`tape.json`: written once, before the first part. `timeline_unix_ms` is the Unix time of timeline 0."""

    version: int
    timeline_unix_ms: int
    sample_rate: int
    codecs: tuple[CodecConfig, ...]
