"""What a bench found: a table for people, JSON for programs, and whether every reach holds."""

import shlex
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from folkmoot.bench.machine import Machine


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `value` is None when it could not be measured.

    `reach` is the bound it has to keep, as text ("≤ 3"), None for a figure that is only shown; that one `holds`.
    `peer` names the result it was measured beside, `ratio` is this value by the peer's.
    """

    name: str
    value: float | None
    unit: str
    reach: str | None = None
    holds: bool = True
    peer: str | None = None
    ratio: float | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A bench's outcome; its JSON form is an interface. `notes` are sentences: what to know beside the figures."""

    bench: str
    command: str
    machine: Machine
    started_at: str
    results: list[Result]
    notes: list[str] = []

    @property
    def holds(self) -> bool:
        return all(result.holds for result in self.results)


def shown(name: str, value: float | None, unit: str) -> Result:
    """A figure without a reach."""
    return Result(name=name, value=_rounded(value), unit=unit)


def at_most(name: str, value: float | None, unit: str, limit: float) -> Result:
    """A figure that has to be `limit` or less. What could not be measured doesn't hold."""
    return _bounded(name, value, unit, f"≤ {limit:g}", value is not None and value <= limit)


def at_least(name: str, value: float | None, unit: str, limit: float) -> Result:
    """A figure that has to be `limit` or more."""
    return _bounded(name, value, unit, f"≥ {limit:g}", value is not None and value >= limit)


def exactly(name: str, value: float | None, unit: str, wanted: float) -> Result:
    """A figure that has to be `wanted`."""
    return _bounded(name, value, unit, f"= {wanted:g}", value == wanted)


def beside(result: Result, peer: Result) -> Result:
    """The result with what was measured beside it; unchanged if either has no value to compare."""
    if not result.value or not peer.value:
        return result
    return msgspec.structs.replace(result, peer=peer.name, ratio=_rounded(result.value / peer.value))


def median(values: Sequence[float]) -> float | None:
    """None of nothing."""
    return statistics.median(values) if values else None


def command_line() -> str:
    """What was typed."""
    return shlex.join(["folkmoot", *sys.argv[1:]])


def finish(report: Report, json_file: Path | None, console: Console | None = None) -> int:
    """Prints the table, writes the JSON if a file is given; returns the exit code, 0 if every reach holds."""
    show(report, console or Console())
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    return 0 if report.holds else 1


def show(report: Report, console: Console) -> None:
    """The table for people."""
    table = Table(title=report.command, title_justify="left", box=SIMPLE_HEAD)
    for column in ("result", "value", "reach", "holds", "beside"):
        table.add_column(column, justify="right" if column == "value" else "left", no_wrap=True)
    for result in report.results:
        table.add_row(result.name, _value_text(result), result.reach or "", _verdict(result), _peer_text(result))
    console.print(table)
    console.print(f"{report.started_at} on {report.machine.summary()}", soft_wrap=True, highlight=False)
    for note in report.notes:
        console.print(note, soft_wrap=True, highlight=False)


def _bounded(name: str, value: float | None, unit: str, reach: str, holds: bool) -> Result:
    return Result(name=name, value=_rounded(value), unit=unit, reach=reach, holds=holds)


def _rounded(value: float | None) -> float | None:
    """Five significant digits: what is beyond them is noise."""
    return None if value is None else float(f"{value:.5g}")


def _value_text(result: Result) -> str:
    if result.value is None:
        return "not measured"
    number = f"{result.value:.0f}" if result.value >= 1000 else f"{result.value:.4g}"
    return f"{number} {result.unit}".rstrip()


def _verdict(result: Result) -> str:
    if result.reach is None:
        return ""
    return "[green]yes[/]" if result.holds else "[bold red]no[/]"


def _peer_text(result: Result) -> str:
    return f"{result.ratio:.2f} × {result.peer}" if result.ratio is not None else ""
