"""Real speech for the load generators: what Debian's alsa-utils brings, else what espeak-ng says."""

import io
import subprocess
from pathlib import Path

import av
import msgspec
import numpy as np

from folkmoot.stage.speaking import level_of_frame_dbov
from folkmoot.tape.opus import FRAME_SAMPLES, SAMPLE_RATE, Encoder, Pcm

_ALSA = Path("/usr/share/sounds/alsa")
_WORDS = ("Front_Center", "Front_Left", "Front_Right", "Rear_Center", "Rear_Left", "Side_Left", "Side_Right")
_SENTENCE = "The folkmoot was the assembly where every free person could speak, and one law held for all."
_SILENT_BELOW = 0.01


class SpeechMissing(Exception):
    """Nothing here can speak. The message says what to install."""


class SpeechFrame(msgspec.Struct, frozen=True):
    """20 ms as an Opus packet, with the level its sender would tell (RFC 6464, 0 to 127)."""

    payload: bytes
    level: int


def speech(peak: float) -> Pcm:
    """Some seconds of speech without pauses, mono at 48 kHz; `peak` is of full scale. Raises SpeechMissing."""
    files = [_ALSA / f"{word}.wav" for word in _WORDS]
    if all(file.is_file() for file in files):
        pieces = [_decoded(file.read_bytes()) for file in files]
    else:
        pieces = [_decoded(_spoken())]
    joined = np.concatenate([_trimmed(piece) for piece in pieces]).astype(np.float32)
    scaled: Pcm = (joined / np.abs(joined).max() * peak * 32767).astype(np.int16)
    return scaled


def packets(pcm: Pcm, expected_loss_percent: int) -> list[SpeechFrame]:
    """Encoded as a browser would: mono, 32 kbit/s, in-band FEC."""
    encoder = Encoder(fec=True, expected_loss_percent=expected_loss_percent)
    frames = [pcm[at : at + FRAME_SAMPLES] for at in range(0, len(pcm) - FRAME_SAMPLES + 1, FRAME_SAMPLES)]
    return [SpeechFrame(encoder.encode(frame), -level_of_frame_dbov(frame)) for frame in frames]


def _spoken() -> bytes:
    try:
        return subprocess.run(["espeak-ng", "--stdout", _SENTENCE], capture_output=True, check=True).stdout
    except FileNotFoundError as error:
        raise SpeechMissing("There is no speech to send: apt-get install alsa-utils, or espeak-ng.") from error


def _decoded(file: bytes) -> Pcm:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with av.open(io.BytesIO(file), mode="r") as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.int16)


def _trimmed(pcm: Pcm) -> Pcm:
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > _SILENT_BELOW * 32767)
    return pcm[loud[0] : loud[-1] + 1]
