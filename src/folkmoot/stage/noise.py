"""Noise suppression on the server, for those whose browser does none: WebRTC's own, out of the package `livekit`.

Optional (`pip install folkmoot[noise]`, setting `noise_suppression`). It takes 0.4% of a core for each seat that
sends sound, 25 MB for the first and 1 MB for each other. It is loaded in the stage process only: it starts threads.
"""

from collections.abc import Callable

import numpy as np

from folkmoot.tape.opus import FRAME_SAMPLES, SAMPLE_RATE, Pcm

Clean = Callable[[Pcm], Pcm]
"""Takes a seat's next 960 samples and gives them back with less noise, some milliseconds later."""

_PIECE_SAMPLES = SAMPLE_RATE // 100


class NoiseSuppressionMissing(Exception):
    """The package that suppresses noise is not installed. The message is a sentence."""


def noise_suppressor() -> Clean:
    """A suppressor for one seat; it learns that seat's noise within a second. Raises NoiseSuppressionMissing."""
    try:
        from livekit import rtc
    except ImportError as error:
        raise NoiseSuppressionMissing(
            "Noise suppression needs the package livekit: pip install 'folkmoot[noise]', or set it off."
        ) from error
    module = rtc.AudioProcessingModule(noise_suppression=True)

    def clean(pcm: Pcm) -> Pcm:
        cleaned = np.empty(FRAME_SAMPLES, np.int16)
        for at in range(0, FRAME_SAMPLES, _PIECE_SAMPLES):
            piece = rtc.AudioFrame(pcm[at : at + _PIECE_SAMPLES].tobytes(), SAMPLE_RATE, 1, _PIECE_SAMPLES)
            module.process_stream(piece)
            cleaned[at : at + _PIECE_SAMPLES] = piece.data
        return cleaned

    return clean
