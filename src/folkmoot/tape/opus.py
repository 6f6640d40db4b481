"""Opus by ctypes, on the libopus that PyAV's wheel carries (or the system's).

PyAV itself shows neither forward error correction nor concealment, which the stage needs (RFC 6716, 2.1.7 and
RFC 7587). Everything is mono at 48 kHz. ctypes releases the interpreter lock during each call, so several
decoders may run beside other threads; one Encoder or Decoder belongs to one thread at a time.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import enum
import functools
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
FRAME_SAMPLES = 960  # 20 ms
FRAME_SAMPLES_MAX = 5_760  # 120 ms, the longest packet of RFC 6716
PACKET_BYTES_MAX = 1_500

_OK = 0
_SET_BITRATE = 4002
_SET_COMPLEXITY = 4010
_SET_INBAND_FEC = 4012
_SET_PACKET_LOSS_PERCENT = 4014
_SET_DTX = 4016
_RESET_STATE = 4028

Pcm = NDArray[np.int16]


class OpusError(Exception):
    """libopus is missing, or refused what it was given."""


class Application(enum.IntEnum):
    """What the encoder optimises for (OPUS_APPLICATION_*)."""

    VOIP = 2048
    AUDIO = 2049


class Encoder:
    """Encodes frames of int16 mono PCM at 48 kHz. `fec` adds a coarse copy of each frame to the next packet."""

    def __init__(
        self,
        *,
        bitrate: int = 32_000,
        complexity: int = 5,
        application: Application = Application.VOIP,
        fec: bool = True,
        expected_loss_percent: int = 5,
        dtx: bool = False,
    ) -> None:
        self._library = _library()
        status = ctypes.c_int()
        self._state = self._library.opus_encoder_create(SAMPLE_RATE, 1, int(application), ctypes.byref(status))
        _check(status.value, "create an encoder")
        self._packet = ctypes.create_string_buffer(PACKET_BYTES_MAX)
        self._packet_view = memoryview(self._packet).cast("B")
        self._set(_SET_BITRATE, bitrate)
        self._set(_SET_COMPLEXITY, complexity)
        self._set(_SET_INBAND_FEC, int(fec))
        self._set(_SET_DTX, int(dtx))
        self.expect_loss(expected_loss_percent)

    def encode(self, pcm: Pcm) -> bytes:
        """One packet from one frame: 120, 240, 480, 960, 1920 or 2880 samples. Raises OpusError for others.

        With DTX a result of one or two bytes means that nothing has to be sent (RFC 6716, 2.1.9).
        """
        if pcm.dtype != np.int16 or pcm.ndim != 1 or not pcm.flags.c_contiguous:
            raise OpusError("the encoder takes a contiguous one-dimensional int16 array")
        size_bytes = self._library.opus_encode(
            self._state, pcm.ctypes.data, len(pcm), self._packet, PACKET_BYTES_MAX
        )
        _check(size_bytes, "encode a frame")
        return bytes(self._packet_view[:size_bytes])

    def expect_loss(self, percent: int) -> None:
        """Tells the encoder how many packets are lost (0–100): more loss, more of the rate goes into FEC."""
        self._set(_SET_PACKET_LOSS_PERCENT, percent)

    def reset(self) -> None:
        """Forgets everything heard so far; keeps the settings."""
        _check(self._library.opus_encoder_ctl(self._state, _RESET_STATE), "reset an encoder")

    def _set(self, request: int, value: int) -> None:
        status = self._library.opus_encoder_ctl(self._state, request, ctypes.c_int(value))
        _check(status, f"set {request} to {value}")

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.opus_encoder_destroy(self._state)


class Decoder:
    """Decodes packets to int16 mono PCM at 48 kHz. Every array returned is the caller's own."""

    def __init__(self) -> None:
        self._library = _library()
        status = ctypes.c_int()
        self._state = self._library.opus_decoder_create(SAMPLE_RATE, 1, ctypes.byref(status))
        _check(status.value, "create a decoder")
        self._pcm: Pcm = np.zeros(FRAME_SAMPLES_MAX, np.int16)
        self._pcm_address = self._pcm.ctypes.data

    def decode(self, packet: bytes) -> Pcm:
        """The samples of a packet that arrived, as many as it holds. Raises OpusError for a broken one."""
        if not packet:
            raise OpusError("an empty packet; use conceal() for a lost one")
        return self._decode(packet, FRAME_SAMPLES_MAX, fec=False)

    def decode_fec(self, next_packet: bytes, samples: int = FRAME_SAMPLES) -> Pcm:
        """The lost frame before `next_packet`, from the copy inside it; concealment where it holds none.

        Decode `next_packet` itself afterwards as usual. `samples` is a multiple of 2.5 ms (120).
        """
        if not next_packet:
            raise OpusError("an empty packet holds no copy of the one before")
        return self._decode(next_packet, samples, fec=True)

    def conceal(self, samples: int = FRAME_SAMPLES) -> Pcm:
        """A guess at what was lost, fading out over repeated calls. `samples` is a multiple of 2.5 ms (120)."""
        return self._decode(None, samples, fec=False)

    def reset(self) -> None:
        """Forgets everything heard so far."""
        _check(self._library.opus_decoder_ctl(self._state, _RESET_STATE), "reset a decoder")

    def _decode(self, packet: bytes | None, samples: int, *, fec: bool) -> Pcm:
        if not 0 < samples <= FRAME_SAMPLES_MAX:
            raise OpusError(f"{samples} samples in one frame; 120 to {FRAME_SAMPLES_MAX} are possible")
        size_bytes = len(packet) if packet else 0
        count = self._library.opus_decode(self._state, packet, size_bytes, self._pcm_address, samples, int(fec))
        _check(count, "decode a packet")
        return self._pcm[:count].copy()

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.opus_decoder_destroy(self._state)


def version() -> str:
    """The libopus in use, for example `libopus 1.6.1`."""
    text: bytes = _library().opus_get_version_string()
    return text.decode("ascii", "replace")


def _check(status: int, doing: str) -> None:
    if status < _OK:
        reason: bytes = _library().opus_strerror(status)
        raise OpusError(f"libopus would not {doing}: {reason.decode('ascii', 'replace')}")


@functools.cache
def _library() -> ctypes.CDLL:
    """Loads libopus once. The one beside PyAV is in memory already; a system's own serves where there is none."""
    site = Path(av.__file__).resolve().parent.parent
    bundled = [*site.glob("av.libs/libopus*"), *site.glob("av/.dylibs/libopus*")]
    for name in [*map(str, bundled), ctypes.util.find_library("opus")]:
        if name is None:
            continue
        try:
            return _declare(ctypes.CDLL(name))
        except OSError:
            continue
    raise OpusError("no libopus: neither in PyAV's wheel nor on the system (Debian: apt install libopus0)")


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    """Argument types, so that pointers aren't cut to 32 bits. The `ctl` calls are variadic: only their head."""
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    library.opus_get_version_string.restype = ctypes.c_char_p
    library.opus_strerror.restype = ctypes.c_char_p
    library.opus_encoder_create.restype = pointer
    library.opus_decoder_create.restype = pointer
    library.opus_encoder_create.argtypes = [integer, integer, integer, pointer]
    library.opus_decoder_create.argtypes = [integer, integer, pointer]
    library.opus_encoder_destroy.argtypes = [pointer]
    library.opus_decoder_destroy.argtypes = [pointer]
    library.opus_encoder_ctl.argtypes = [pointer, integer]
    library.opus_decoder_ctl.argtypes = [pointer, integer]
    library.opus_encode.argtypes = [pointer, pointer, integer, pointer, integer]
    library.opus_decode.argtypes = [pointer, ctypes.c_char_p, integer, pointer, integer, integer]
    return library
