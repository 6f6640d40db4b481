"""`folkmoot admin`: the command line's commands on the database that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import click
import typer

from folkmoot.gate import Gate
from folkmoot.serve.places import places
from folkmoot.settings import Settings, load
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.ids import SLOTS
from folkmoot.storage.migrations import migrate
from folkmoot.surfaces.cli.admin import AdminServices, build_admin

# Far from the slots of the server's own processes, whose ids are made at the same time.
SLOT = SLOTS - 1


@asynccontextmanager
async def _open() -> AsyncIterator[AdminServices]:
    settings = click.get_current_context().find_object(Settings)
    assert settings is not None, "the callback below has put them there"
    where = places(settings)
    doorbell = Doorbell(where.doorbells)
    database = Database(where.database_url, slot=SLOT, ring=doorbell.ring)
    try:
        yield AdminServices(database, Gate(database), settings.base_url or "http://localhost:8000")
    finally:
        await database.close()


admin = build_admin(_open)


@admin.callback()
def choose(
    context: typer.Context,
    data: Annotated[str | None, typer.Option(help="The server's data directory.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
) -> None:
    """Make and moderate accounts."""
    context.obj = load(file=config, overrides={"data": data})
    where = places(context.obj)
    where.make()
    migrate(where.database_url)
