"""What may be changed of a recording: pure decisions, refused with a sentence."""

from collections.abc import Collection, Iterable, Sequence

from folkmoot.gate import Refused, Viewer
from folkmoot.gate import Role as AccountRole
from folkmoot.recordings.model import REDACTION_STEP_MS, ByRole
from folkmoot.spaces.model import Role, Space, SpaceState

REPLAY_MS_MIN = 1_000
REDACTION_MS_MAX = 3_600_000
SPEECH_PADDING_MS = 300
"""So much around what somebody said goes with it: who speaks is noticed a moment late."""
SPEECH_JOINED_MS = 500
_MODERATORS = (AccountRole.MODERATOR, AccountRole.OWNER)

Range = tuple[int, int]


def require_trim(start_ms: int, end_ms: int, duration_ms: int) -> None:
    """Something has to be left. Raises Refused 422."""
    if start_ms < 0:
        raise Refused("range_invalid", "A replay starts at 0 or later.", status=422)
    if end_ms > duration_ms or start_ms > end_ms - REPLAY_MS_MIN:
        raise Refused(
            "range_invalid",
            f"The recording ends at {clock(duration_ms)}: leave at least a second of it.",
            status=422,
        )


def redacting_role(space: Space, viewer: Viewer) -> ByRole:
    """As what somebody may take something out of a Space. Raises Refused 403."""
    role = space.member(viewer.id).role
    if role.commands:
        return ByRole.HOST if role is Role.HOST else ByRole.CO_HOST
    if may_moderate(viewer):
        return ByRole.MODERATOR
    raise Refused("not_host", "Only the Space's hosts and the server's moderators can take something out.")


def may_redact(space: Space, viewer: Viewer) -> bool:
    """Whether `redacting_role` lets them, in a Space that has sound."""
    if viewer.account_id is None or space.state not in (SpaceState.LIVE, SpaceState.ENDED):
        return False
    return space.member(viewer.id).role.commands or may_moderate(viewer)


def may_moderate(viewer: Viewer) -> bool:
    """Whether somebody may take something out of Spaces that they see only as a moderator."""
    return viewer.role in _MODERATORS


def redacted_range(space: Space, from_ms: int, to_ms: int, sound_ms: int) -> Range:
    """What is taken out for a range that was asked for: whole steps, as far as there is sound. Raises Refused."""
    if space.state not in (SpaceState.LIVE, SpaceState.ENDED):
        raise Refused("not_started", "There is nothing to take out: this Space has not been held.", status=422)
    if from_ms < 0 or to_ms <= from_ms:
        raise Refused("range_invalid", "A range ends after it starts, and starts at 0 or later.", status=422)
    if to_ms - from_ms > REDACTION_MS_MAX:
        raise Refused(
            "range_too_long", "At most an hour is taken out at once. To remove all of it, delete it.", status=422
        )
    if from_ms >= sound_ms:
        raise Refused("range_beyond_recording", f"The sound goes up to {clock(sound_ms)}.", status=422)
    return _whole_steps(from_ms, min(to_ms, sound_ms))


def spoken_ranges(turns: Iterable[tuple[int, int, int]], seats: Collection[int], sound_ms: int) -> list[Range]:
    """Where the seats spoke, with a little around it, in whole steps; what lies close together is one range.

    `turns` are (seat, from, to) in order of time.
    """
    joined: list[Range] = []
    for seat, turn_from_ms, turn_to_ms in turns:
        if seat not in seats:
            continue
        from_ms = max(0, turn_from_ms - SPEECH_PADDING_MS)
        to_ms = min(sound_ms, turn_to_ms + SPEECH_PADDING_MS)
        if joined and from_ms - joined[-1][1] < SPEECH_JOINED_MS:
            joined[-1] = joined[-1][0], max(joined[-1][1], to_ms)
        else:
            joined.append((from_ms, to_ms))
    return [_whole_steps(*one) for one in joined]


def without(ranges: Iterable[Range], taken: Sequence[Range]) -> list[Range]:
    """What of some ranges isn't in others yet. Both in order of their starts."""
    left: list[Range] = []
    first, ended_ms = 0, 0  # what is taken and starts before the last range did ends at most there
    for from_ms, to_ms in ranges:
        while first < len(taken) and taken[first][0] <= from_ms:
            ended_ms = max(ended_ms, taken[first][1])
            first += 1
        at_ms = max(from_ms, ended_ms)
        following = first
        while following < len(taken) and taken[following][0] < to_ms:
            taken_from_ms, taken_to_ms = taken[following]
            if at_ms < taken_from_ms:
                left.append((at_ms, taken_from_ms))
            at_ms = max(at_ms, taken_to_ms)
            following += 1
        if at_ms < to_ms:
            left.append((at_ms, to_ms))
    return left


def _whole_steps(from_ms: int, to_ms: int) -> Range:
    return from_ms - from_ms % REDACTION_STEP_MS, to_ms + -to_ms % REDACTION_STEP_MS


def clock(position_ms: int) -> str:
    """A position as people read it: 1:05, 1:02:03."""
    minutes, seconds = divmod(position_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
