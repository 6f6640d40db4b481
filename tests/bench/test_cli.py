"""Each bench from the command line: its names are the interface, its exit code says whether every reach holds."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

import folkmoot.bench.boot
from folkmoot.bench.cli import bench
from folkmoot.bench.server import ServerFailed


def run(tmp_path: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """The results by name."""
    file = tmp_path / "results.json"
    command = [sys.executable, "-m", "folkmoot", "bench", *arguments, "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode in (0, 1), done.stderr
    written = msgspec.json.decode(file.read_bytes())
    results = {result["name"]: result for result in written["results"]}
    assert done.returncode == (0 if all(result["holds"] for result in results.values()) else 1)
    assert all(name in done.stdout for name in results)
    return results


def test_there_is_a_command_for_each_bench() -> None:
    shown = CliRunner().invoke(bench, ["--help"])
    assert shown.exit_code == 0
    assert all(name in shown.output for name in ("boot", "stage", "tape", "latency", "standing"))


def test_a_server_that_does_not_start_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(times: int) -> None:
        raise ServerFailed(f"no server, {times} times")

    monkeypatch.setattr(folkmoot.bench.boot, "run_boot", fail)
    result = CliRunner().invoke(bench, ["boot", "--times", "2"])
    assert result.exit_code == 2
    assert "no server, 2 times" in result.output


@pytest.mark.slow
def test_boot(tmp_path: Path) -> None:
    results = run(tmp_path, "boot", "--times", "1")
    assert results["first_page_s"]["value"] > 0.1
    assert results["idle_memory_mb"]["value"] > 20


@pytest.mark.slow
def test_tape(tmp_path: Path) -> None:
    results = run(tmp_path, "tape", "--hours", "2")
    for name in ("seek_p99_ms", "clip_30s_ms", "recovery_ms", "index_mb", "sqlite_p99_ms"):
        assert results[name]["value"] > 0
    assert results["seek_p99_ms"]["peer"] == "sqlite_p99_ms"


@pytest.mark.slow
def test_stage_with_its_peers(tmp_path: Path) -> None:
    results = run(tmp_path, "stage", "--speakers", "2", "--seconds", "2")
    for name in ("stage_cores", "aiortc_cores", "generator_cores"):
        assert 0 < results[name]["value"] < 2
    assert results["loss3_correlation"]["value"] > 0.9
    assert 20 < results["loss3_buffer_ms"]["value"] < 200
    assert results["stage_cores"]["peer"] in ("aiortc_cores", "janus_cores")
    assert {"underruns", "janus_cores", "speakers_per_core"} <= results.keys()


@pytest.mark.slow
def test_latency(tmp_path: Path) -> None:
    results = run(tmp_path, "latency", "--seconds", "4")
    # No bound that a busy machine would break: only that each was heard, and not before it was said.
    assert 20 < results["speaker_to_speaker_ms"]["value"] < 5_000
    assert 100 < results["listener_mse_ms"]["value"] < 10_000
    assert 100 < results["listener_hls_ms"]["value"] < 40_000
