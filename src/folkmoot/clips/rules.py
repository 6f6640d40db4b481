"""What may be clipped: pure decisions, refused with a sentence."""

from folkmoot.clips.model import CLIP_MS_MAX, CLIP_MS_MIN
from folkmoot.gate import Refused
from folkmoot.recordings.model import Recording
from folkmoot.recordings.rules import clock
from folkmoot.spaces.model import Space, SpaceState


def require_clippable(space: Space, recording: Recording | None) -> None:
    """It is recorded, has begun, and its recording was not deleted. Raises Refused 422."""
    if not space.recorded:
        raise _refused("not_recorded", "This Space is not recorded, so nothing can be clipped from it.")
    if space.state in (SpaceState.SCHEDULED, SpaceState.CANCELLED):
        raise _refused("not_started", "There is nothing to clip: this Space has not been held.")
    if space.state is SpaceState.ENDED and recording is None:
        raise _refused("no_recording", "There is nothing to clip: the recording is gone, or not closed yet.")


def require_range(start_ms: int, end_ms: int, available_from_ms: int, available_to_ms: int) -> None:
    """The range has the right length and lies in what can be heard. Raises Refused 422."""
    if start_ms < 0:
        raise _refused("range_invalid", "A clip starts at 0 or later.")
    duration_ms = end_ms - start_ms
    if duration_ms <= 0:
        raise _refused("range_invalid", "A clip of nothing: its end has to lie after its start.")
    if duration_ms < CLIP_MS_MIN:
        raise _refused("range_invalid", f"A clip is at least {CLIP_MS_MIN // 1000} second long.")
    if duration_ms > CLIP_MS_MAX:
        raise _refused("range_invalid", f"A clip is at most {CLIP_MS_MAX // 1000} seconds long.")
    if start_ms < available_from_ms or end_ms > available_to_ms:
        raise _refused(
            "range_beyond_recording",
            f"What can be clipped goes from {clock(available_from_ms)} to {clock(available_to_ms)}.",
        )


def description(title: str, start_ms: int, end_ms: int) -> str:
    """What a clip is called for those who can't hear it, until its owner says more."""
    return f"Clip of “{title}”, {clock(start_ms)}–{clock(end_ms)}"


def _refused(code: str, sentence: str) -> Refused:
    return Refused(code, sentence, status=422)
