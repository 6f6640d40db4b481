"""`folkmoot tape restore`: a recording's folder made anew from its copy, after it was lost here."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from folkmoot.serve.archive import remote_store
from folkmoot.serve.places import places
from folkmoot.settings import load
from folkmoot.tape.model import TapeError
from folkmoot.tape.reader import SEGMENT_MS
from folkmoot.tape.restore import restore

SpaceId = Annotated[int, typer.Argument(metavar="SPACE", help="The number in the address of the Space's page.")]


def restore_tape(
    space: SpaceId,
    data: Annotated[str | None, typer.Option(help="The server's data directory.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
) -> None:
    """Make a recording's folder anew from the bucket of the setting media. Exit code 1: it can't be."""
    settings = load(file=config, overrides={"data": data})
    store = remote_store(settings.media)
    if store is None:
        raise _cannot("The setting media names no bucket, so there are no copies of recordings.")
    directory = places(settings).tape(space)
    try:
        found = asyncio.run(restore(directory, store))
    except FileExistsError as error:
        raise _cannot(f"{directory} is there already, and was left as it is.") from error
    except (TapeError, OSError) as error:
        raise _cannot(f"Not restored: {error}.") from error
    for codec, segments in found.items():
        typer.echo(f"{codec}: {segments} segments, {segments * SEGMENT_MS // 1000} s")


def _cannot(sentence: str) -> typer.Exit:
    sys.stderr.write(f"{sentence}\n")
    return typer.Exit(1)
