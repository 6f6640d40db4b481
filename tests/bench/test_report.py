"""The results' JSON is an interface; the exit code says whether every reach holds."""

from io import StringIO
from pathlib import Path

import msgspec
from rich.console import Console

from folkmoot.bench.machine import this_machine
from folkmoot.bench.report import (
    Report,
    Result,
    at_least,
    at_most,
    beside,
    exactly,
    finish,
    median,
    shown,
)


def report(*results: Result) -> Report:
    return Report(
        bench="boot",
        command="folkmoot bench boot",
        machine=this_machine(),
        started_at="2026-01-01T00:00:00+00:00",
        results=list(results),
        notes=["One start."],
    )


def finished(made: Report, file: Path | None = None) -> tuple[int, str]:
    out = StringIO()
    return finish(made, file, Console(file=out, width=100)), out.getvalue()


def test_the_json_has_the_names_that_programs_rely_on(tmp_path: Path) -> None:
    ours, peer = at_most("stage_cores", 0.2, "cores", 0.25), shown("aiortc_cores", 0.5, "cores")
    file = tmp_path / "results.json"
    code, _ = finished(report(beside(ours, peer), peer), file)
    written = msgspec.json.decode(file.read_bytes())
    assert code == 0
    assert written.keys() == {"bench", "command", "machine", "started_at", "results", "notes"}
    assert written["results"][0] == {
        "name": "stage_cores",
        "value": 0.2,
        "unit": "cores",
        "reach": "≤ 0.25",
        "holds": True,
        "peer": "aiortc_cores",
        "ratio": 0.4,
    }
    assert written["results"][1] == {
        "name": "aiortc_cores",
        "value": 0.5,
        "unit": "cores",
        "reach": None,
        "holds": True,
        "peer": None,
        "ratio": None,
    }


def test_a_reach_holds_at_its_bound_and_not_beyond() -> None:
    assert at_most("a", 3, "s", 3).holds
    assert not at_most("a", 3.0001, "s", 3).holds
    assert at_least("a", 0.99, "", 0.99).holds
    assert not at_least("a", 0.98999, "", 0.99).holds
    assert exactly("a", 0, "frames", 0).holds
    assert not exactly("a", 1, "frames", 0).holds


def test_what_was_not_measured_does_not_hold_and_is_said() -> None:
    missing = at_most("listener_hls_ms", None, "ms", 1500)
    assert not missing.holds
    code, text = finished(report(missing))
    assert code == 1
    assert "not measured" in text


def test_one_that_falls_short_fails_the_bench() -> None:
    code, text = finished(report(at_most("a", 1, "s", 3), at_most("b", 4, "s", 3), shown("c", 9, "s")))
    assert code == 1
    assert (text.count("yes"), text.count("no ")) == (1, 1)
    assert "One start." in text


def test_a_peer_that_was_not_measured_leaves_no_ratio() -> None:
    ours = at_most("stage_cores", 0.2, "cores", 0.25)
    assert beside(ours, shown("janus_cores", None, "cores")) == ours


def test_the_median_of_nothing_is_nothing() -> None:
    assert median([]) is None
    assert median([3, 1, 2]) == 2


def test_the_machine_is_described() -> None:
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.memory_mb > 100
    assert "aiortc" in machine.versions
    assert machine.kernel in machine.summary()
