"""`folkmoot tape`: the commands about recordings, those that ask the server's data directory among them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from folkmoot.serve.archive import remote_store
from folkmoot.serve.places import places
from folkmoot.serve.restore import restore_tape
from folkmoot.serve.signing import verifier_key_path
from folkmoot.settings import load
from folkmoot.surfaces.cli.tape import build_tape

tape = build_tape()
tape.command("restore")(restore_tape)


@tape.callback()
def choose() -> None:
    """Recordings: verify them, or make a lost one anew."""
    # What was released to the bucket of the setting `media` is read from there.
    remote_store(load().media)


@tape.command()
def key(
    data: Annotated[str | None, typer.Option(help="The server's data directory.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
) -> None:
    """Print the verifier key of this server's recordings, for others to give with --key."""
    path = verifier_key_path(places(load(file=config, overrides={"data": data})))
    try:
        typer.echo(path.read_text().strip())
    except FileNotFoundError as error:
        sys.stderr.write(f"There is no key in {path.parent} yet: it is made when the server starts.\n")
        raise typer.Exit(1) from error
