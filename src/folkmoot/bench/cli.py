"""`folkmoot bench`: one command for each bench. Exit code 0 only if every reach holds, 2 if it couldn't run."""

from pathlib import Path
from typing import Annotated

import typer

from folkmoot.bench.report import Report, finish
from folkmoot.bench.server import ServerFailed

bench = typer.Typer(no_args_is_help=True, help="Measure this server on this machine, and say which reaches hold.")

JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the results to this file as JSON, too.")]


@bench.command()
def boot(
    times: Annotated[int, typer.Option(min=1, help="Starts; the median counts.")] = 3,
    json_file: JsonFile = None,
) -> None:
    """How long until the first page, and what a server without visitors needs."""
    from folkmoot.bench.boot import run_boot

    try:
        report = run_boot(times)
    except ServerFailed as error:
        raise _cannot(error) from error
    _finish(report, json_file)


def _finish(report: Report, json_file: Path | None) -> None:
    raise typer.Exit(finish(report, json_file))


def _cannot(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(2)
