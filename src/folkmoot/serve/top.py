"""`folkmoot top`: where the running server's socket is."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from folkmoot.serve.places import places
from folkmoot.settings import load
from folkmoot.surfaces.cli.top import NoServer, fetch, show_once, watch


def top(
    data: Annotated[str | None, typer.Option(help="The server's data directory.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="One look, for a pipe or a script.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --once: for programs.")] = False,
) -> None:
    """The live Spaces of the running server: stage, delay, listeners, CPU."""
    path = places(load(file=config, overrides={"data": data})).watching_socket
    console = Console()
    try:
        if once and as_json:
            sys.stdout.buffer.write(fetch(path) + b"\n")
        elif once or not console.is_terminal:
            show_once(path, console)
        else:
            watch(path, console, every)
    except NoServer as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
