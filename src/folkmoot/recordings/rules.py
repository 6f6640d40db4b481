"""What may be changed of a recording: pure decisions, refused with a sentence."""

from folkmoot.gate import Refused

REPLAY_MS_MIN = 1_000


def require_trim(start_ms: int, duration_ms: int) -> None:
    """Something has to be left. Raises Refused 422."""
    if start_ms < 0:
        raise Refused("range_invalid", "A replay starts at 0 or later.", status=422)
    if start_ms > duration_ms - REPLAY_MS_MIN:
        raise Refused(
            "range_invalid",
            f"The recording ends at {clock(duration_ms)}: leave at least a second of it.",
            status=422,
        )


def clock(position_ms: int) -> str:
    """A position as people read it: 1:05, 1:02:03."""
    minutes, seconds = divmod(position_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
