"""Whether one more Space may go live, from readings that a test makes up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from folkmoot.spaces.admission import (
    BUSY_SHARE_MAX,
    MEMORY_RESERVE_MB,
    STAGE_CORES_MIN,
    STAGE_MEMORY_MB,
    Limits,
    Readings,
    why_no_room,
)

IDLE = Readings(cores=2, own_cores=0.02, stage_cores=(), free_memory_mb=4000)
MEASURED = Limits()


def busy(stages: int, each: float) -> Readings:
    return replace(IDLE, own_cores=0.02 + stages * each, stage_cores=(each,) * stages)


@pytest.mark.parametrize(
    ("live", "readings", "limits", "said"),
    [
        (0, IDLE, MEASURED, None),
        (5, busy(5, 0.2), MEASURED, None),
        (8, busy(8, 0.2), MEASURED, "need all that this server can do"),
        (17, IDLE, MEASURED, None),  # all have just begun
        (18, IDLE, MEASURED, "need all that this server can do"),
        (35, busy(35, 0.0), MEASURED, None),  # all are silent at the moment
        (36, busy(36, 0.0), MEASURED, "need all that this server can do"),
        (0, replace(IDLE, own_cores=2.0), MEASURED, None),  # the first one always may
        (0, replace(IDLE, free_memory_mb=300), MEASURED, "no memory left"),
        (3, replace(busy(3, 0.6)), Limits(live_max=9), None),  # the operator's word stands
        (9, IDLE, Limits(live_max=9), "as its operator allows"),
        (4, IDLE, Limits(reachable_max=4), "network ports"),
        (4, IDLE, Limits(live_max=9, reachable_max=4), "network ports"),
    ],
)
def test_room(live: int, readings: Readings, limits: Limits, said: str | None) -> None:
    sentence = why_no_room(live, readings, limits)
    assert (sentence is None) if said is None else (said in (sentence or ""))
    assert sentence is None or sentence.endswith("Try again when one has ended, or schedule yours for later.")


amounts = st.floats(0, 64, allow_nan=False)


@given(
    live=st.integers(0, 500),
    cores=st.integers(1, 64),
    stages=st.lists(amounts, max_size=20),
    rest=amounts,
    free=st.floats(0, 1e6),
    more=amounts,
)
def test_more_load_or_less_memory_never_makes_room(
    live: int, cores: int, free: float, more: float, **drawn: Any
) -> None:
    readings = Readings(cores, sum(drawn["stages"]) + drawn["rest"], tuple(drawn["stages"]), free)
    if why_no_room(live, readings, MEASURED) is not None:
        worse = replace(readings, own_cores=readings.own_cores + more, free_memory_mb=max(0.0, free - more))
        assert why_no_room(live, worse, MEASURED) is not None
        assert why_no_room(live + 1, readings, MEASURED) is not None
    elif live:
        assert readings.own_cores + STAGE_CORES_MIN <= cores * BUSY_SHARE_MAX
        assert free >= STAGE_MEMORY_MB + MEMORY_RESERVE_MB
