"""The `folkmoot` command."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from folkmoot import __version__
from folkmoot.bench.cli import bench
from folkmoot.serve.admin import admin
from folkmoot.serve.tape import tape
from folkmoot.serve.top import top
from folkmoot.settings import NotThereYet, SettingsError, load

app = typer.Typer(help="A self-hosted public square with live audio.", no_args_is_help=True, add_completion=False)
app.add_typer(admin, name="admin")
app.add_typer(bench, name="bench")
app.add_typer(tape, name="tape")
app.command("top")(top)


@app.command()
def serve(
    data: Annotated[str | None, typer.Option(help="Directory of the database, tapes, media and keys.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
) -> None:
    """Start the server and everything it needs; stop it with Ctrl-C or SIGTERM."""
    from folkmoot.serve.start import serve as start

    raise typer.Exit(start(load(file=config, overrides={"data": data, "host": host, "port": port})))


@app.command()
def reload(
    data: Annotated[str | None, typer.Option(help="The server's data directory.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
) -> None:
    """Have the running server become what is installed and set now; nobody who listens or speaks is interrupted."""
    from folkmoot.serve.places import places
    from folkmoot.serve.reload import reload_server

    reload_server(places(load(file=config, overrides={"data": data})).run)
    typer.echo("The server has reloaded.")


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of the server's API."""
    from folkmoot.app import openapi_document

    sys.stdout.buffer.write(openapi_document() + b"\n")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command; a setting that is wrong is one sentence and exit code 2, what isn't there yet 75."""
    try:
        app()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(os.EX_TEMPFAIL if isinstance(error, NotThereYet) else 2) from error


if __name__ == "__main__":
    main()
