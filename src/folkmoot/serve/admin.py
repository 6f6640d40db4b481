"""`folkmoot admin`: the command line's commands on the database that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

from folkmoot.accounts import marks
from folkmoot.accounts.marks import Marks
from folkmoot.clips.redacting import Carrying
from folkmoot.gate import Gate, Refused
from folkmoot.media.depot import Depot
from folkmoot.media.processing import Workshop
from folkmoot.serve import logs
from folkmoot.serve.places import places
from folkmoot.serve.prepare import prepare
from folkmoot.settings import Settings, load
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.ids import SLOTS
from folkmoot.storage.keys import load_or_create_key
from folkmoot.storage.objects import ObjectStore
from folkmoot.surfaces.cli.admin import build_admin
from folkmoot.surfaces.cli.running import AdminServices

# Far from the slots of the server's own processes, whose ids are made at the same time.
SLOT = SLOTS - 1
# On a machine without a server yet, these begin one; the others have nothing to act on.
_BEGINNING = frozenset({"create", "owner-link"})
_chosen: ContextVar[Settings] = ContextVar("settings")


@asynccontextmanager
async def _open() -> AsyncIterator[AdminServices]:
    settings = _chosen.get()
    where = places(settings)
    if _is_missing(settings):
        raise Refused("no_database", f"There is no database in {where.data}. Is that the server's data directory?")
    doorbell = Doorbell(where.doorbells)
    database = Database(where.database_url, slot=SLOT, ring=doorbell.ring)
    try:
        gate = Gate(database)
        objects = ObjectStore.open(settings.media or str(where.media))
        carrying = Carrying(gate, objects, where.tapes)
        depot = Depot(objects, Workshop(where.work, at_once_max=1))
        known = Marks(load_or_create_key(where.keys, marks.KEY))
        base_url = settings.base_url or "http://localhost:8000"
        yield AdminServices(database, gate, base_url, carrying, known, depot, where.remote_media)
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
    logs.configure("warning")  # to standard error: what a command says is its answer alone
    settings = load(file=config, overrides={"data": data})
    _chosen.set(settings)
    # A mistyped directory is not made; the command says so when it opens it.
    if context.invoked_subcommand in _BEGINNING or not _is_missing(settings):
        prepare(settings)


def _is_missing(settings: Settings) -> bool:
    return not settings.database and not (places(settings).data / "folkmoot.db").exists()
