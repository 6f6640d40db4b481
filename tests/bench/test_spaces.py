"""How many Spaces a machine carries: when the ramp stops, and what is made of it."""

from typing import Any, cast

import pytest

from folkmoot.bench.load import StageFailed
from folkmoot.bench.spaces import Sample, Stages, ramp, results
from folkmoot.bench.speech import packets, speech


def sample(stages: int, **changes: Any) -> Sample:
    usual: dict[str, Any] = {
        "stage_cores": 0.2 * stages,
        "generator_cores": 0.06 * stages,
        "other_cores": 0.0,
        "memory_mb": 40.0 * stages,
        "late_share": 0.0,
        "underrun_share": 0.0,
        "dropped_ticks": 0,
    }
    return Sample(stages=stages, **{**usual, **changes})


class FakeStages:
    """Measures what it is told to, one after another."""

    speakers = 3

    def __init__(self, told: list[Sample], carries: int = 99) -> None:
        self._told = told
        self._carries = carries
        self.added = 0

    def __enter__(self) -> "FakeStages":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def add(self) -> None:
        if self.added == self._carries:
            raise StageFailed("there is no memory.")
        self.added += 1

    def measure(self) -> Sample:
        return self._told.pop(0)


def carried(told: list[Sample], carries: int = 99) -> Any:
    return ramp(cast("Any", lambda: FakeStages(told, carries)), 1, lambda _line: None)


def test_it_stops_where_sound_suffers_twice_in_a_row() -> None:
    found = carried([sample(1), sample(2), sample(3, late_share=0.02), sample(3, dropped_ticks=4)])
    assert found.best == sample(2)
    assert found.stopped == "with 3, 4 ticks were dropped."


def test_a_moment_of_somebody_else_stops_nothing() -> None:
    late = sample(2, underrun_share=0.2)
    found = carried([sample(1), late, sample(2), sample(3, late_share=0.5), sample(3, late_share=0.5)])
    assert found.best == sample(2)
    assert found.stopped == "with 3, 50.0% of a stage's ticks were late."


def test_it_stops_where_no_more_can_be_started() -> None:
    assert carried([sample(1)], carries=1).stopped == "one more could not be started: there is no memory."


def test_what_the_speakers_took_is_worked_out() -> None:
    found = {one.name: one.value for one in results("full", carried([sample(8), *[sample(9, late_share=1)] * 2]))}
    assert found["full_stages"] == 8
    assert found["full_stages_without_generator"] == 10
    assert found["full_stage_cores"] == pytest.approx(0.2)
    assert found["full_stage_memory_mb"] == 40


def test_a_machine_that_carries_none_says_so() -> None:
    assert [one.value for one in results("full", carried([sample(1, late_share=1)] * 2))] == [0]


@pytest.mark.slow
def test_a_real_stage_is_measured() -> None:
    with Stages(packets(speech(0.1), expected_loss_percent=5), 2) as stages:
        stages.add()
        found = stages.measure()
    assert found.stages == 1
    assert 0 < found.stage_cores < 2
    assert found.memory_mb > 5
