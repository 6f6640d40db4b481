"""Cutting a clip's sound from a tape: file work, for a thread. Knows no accounts and no SQL."""

from pathlib import Path

import msgspec

from folkmoot.clips import rules
from folkmoot.gate import Refused
from folkmoot.tape import cut
from folkmoot.tape.model import TapeAway, TapeError, TapeMissing
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.waveform import waveform

WAVEFORM_POINTS = 200


class CutSound(msgspec.Struct, frozen=True):
    """An .m4a, and its peaks (0–255), `waveform_step_ms` apart."""

    content: bytes
    content_type: str
    waveform: tuple[int, ...]
    waveform_step_ms: int


def cut_sound(
    tape_directory: Path, start_ms: int, end_ms: int, available_from_ms: int, available_to_ms: int | None
) -> CutSound:
    """The range of a tape, also of one that is being written. Raises Refused 422 for what isn't there."""
    try:
        with TapeReader(tape_directory) as reader:
            last_ms = reader.end_ms if available_to_ms is None else min(available_to_ms, reader.end_ms)
            rules.require_range(start_ms, end_ms, available_from_ms, last_ms)
            content = cut.cut_clip(reader, start_ms, end_ms)
            peaks = waveform(reader, start_ms, end_ms, WAVEFORM_POINTS)
    except TapeMissing as error:
        raise Refused("no_recording", "There is nothing to clip: nothing was recorded yet.", status=422) from error
    except TapeAway as error:
        raise Refused(
            "store_away",
            "This recording is kept in a store that can't be reached just now. Try again in a minute.",
            status=503,
        ) from error
    except TapeError as error:
        raise Refused(
            "recording_damaged", "This part of the recording can't be read, so it can't be clipped.", status=422
        ) from error
    return CutSound(content, cut.MEDIA_TYPE, tuple(peaks), waveform_step_ms(end_ms - start_ms, len(peaks)))


def waveform_step_ms(duration_ms: int, points: int) -> int:
    """How far apart the peaks of a sound are."""
    return max(1, duration_ms // max(1, points))
