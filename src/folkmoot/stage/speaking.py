"""Who is speaking, from the audio levels that come with the packets. Pure; the time is an argument."""

import math

import numpy as np
import numpy.typing as npt

SILENCE_DBOV = -127
SPEAKING_DBOV = -45
ATTACK_FRAMES = 2
HANGOVER_MS = 300

_FULL_SCALE = 32768.0


def level_of_frame_dbov(pcm: npt.NDArray[np.int16]) -> int:
    """Loudness of a frame of int16 samples: 0 dBov is full scale, -127 is silence (RFC 6464, RFC 6465 app. A)."""
    samples = pcm.astype(np.float32)
    mean_square = float(np.dot(samples, samples)) / max(1, len(samples))
    if mean_square <= 0:
        return SILENCE_DBOV
    return max(SILENCE_DBOV, min(0, round(10 * math.log10(mean_square / _FULL_SCALE**2))))


def level_of_extension_dbov(value: bytes) -> int | None:
    """Level in a ssrc-audio-level header extension: one byte, the low 7 bits are -dBov (RFC 6464 section 3)."""
    return -(value[0] & 0x7F) if value else None


class SpeakingDetector:
    """Whether a seat speaks: loud for two frames in a row opens, 300 ms without a loud frame closes."""

    def __init__(self) -> None:
        self.level_dbov = SILENCE_DBOV
        self.speaking = False
        self._loud_frames = 0
        self._quiet_since_ms = 0.0

    def hear(self, level_dbov: int, now_ms: float) -> bool:
        """Takes the level of the frame that is heard now (-127 when there is none). Returns `speaking`."""
        self.level_dbov = level_dbov
        if level_dbov >= SPEAKING_DBOV:
            self._loud_frames += 1
            self._quiet_since_ms = now_ms
            if self._loud_frames >= ATTACK_FRAMES:
                self.speaking = True
        else:
            self._loud_frames = 0
            if now_ms - self._quiet_since_ms >= HANGOVER_MS:
                self.speaking = False
        return self.speaking

    def hush(self) -> None:
        """Muted or gone: not speaking from now on."""
        self.level_dbov = SILENCE_DBOV
        self.speaking = False
        self._loud_frames = 0
