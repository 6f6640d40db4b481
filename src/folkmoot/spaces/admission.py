"""Whether one more Space may go live: a pure decision from what the machine has left.

Each live Space has a process that mixes. What one costs is at first what `folkmoot bench stage --spaces` measured,
then what those that run here use; one that has just begun is expected to come to as much.
"""

from collections.abc import Sequence

import msgspec

STAGE_CORES_MIN = 0.09
"""Three who talk at once, recorded: less than that no stage is expected to need."""
QUIET_STAGE_CORES = 0.045
"""What one is expected to need on which nobody speaks at the moment: not all will be silent at once for long."""
STAGE_MEMORY_MB = 45.0
"""A full stage's own share (PSS)."""
BUSY_SHARE_MAX = 0.85
"""Beyond this, ticks begin to come late."""
MEMORY_RESERVE_MB = 256.0

FULL = "Try again when one has ended, or schedule yours for later."


class Readings(msgspec.Struct, frozen=True):
    """What the machine has and uses: cores (CPU seconds per second, over the last seconds) and memory.

    `own_cores` are those of all processes of this server; `stage_cores` those of each stage that has run long
    enough to be judged; `free_memory_mb` can be had without swapping.
    """

    cores: int
    own_cores: float
    stage_cores: tuple[float, ...]
    free_memory_mb: float


class Limits(msgspec.Struct, frozen=True):
    """`live_max` is the operator's word, and stands instead of what is measured; `reachable_max` is how many stages
    have UDP ports."""

    live_max: int | None = None
    reachable_max: int | None = None


def why_no_room(live: int, readings: Readings, limits: Limits) -> str | None:
    """Why no Space can start beside `live` others, as a sentence for people; None if one can."""
    if limits.reachable_max is not None and live >= limits.reachable_max:
        return f"As many Spaces are live here as this server has network ports for. {FULL}"
    if limits.live_max is not None:
        if live >= limits.live_max:
            return f"As many Spaces are live here as its operator allows. {FULL}"
        return None
    if readings.free_memory_mb < STAGE_MEMORY_MB + MEMORY_RESERVE_MB:
        return f"This server has no memory left for another live Space. {FULL}"
    if live and _expected_cores(live, readings) > readings.cores * BUSY_SHARE_MAX:
        return f"The Spaces that are live here need all that this server can do. {FULL}"
    return None


def _expected_cores(live: int, readings: Readings) -> float:
    """What this server will use with one more, once all that have begun are under way."""
    each = max(STAGE_CORES_MIN, _mean(readings.stage_cores))
    beginning = max(0, live - len(readings.stage_cores))
    quiet = sum(max(0.0, QUIET_STAGE_CORES - used) for used in readings.stage_cores)
    return readings.own_cores + quiet + each * (beginning + 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
