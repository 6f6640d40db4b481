"""What the commands of `folkmoot admin` share: what they run on, how they refuse, how they write."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer

from folkmoot.accounts import queries
from folkmoot.accounts.marks import Marks
from folkmoot.clips.redacting import Carrying
from folkmoot.gate import Acting, Action, Gate, Permit, Refused
from folkmoot.media.depot import Depot
from folkmoot.storage.database import Database, DatabaseBusy
from folkmoot.surfaces.cli.printable import printable
from folkmoot.surfaces.mastodon.paging import possible_id

Result = TypeVar("Result")
BY = "admin: command line"

Name = Annotated[str, typer.Argument(help="Username, without the @.")]


def id_from(text: str) -> int:
    """An id as somebody types it: what the database could hold as one."""
    found = possible_id(text)
    if found is None:
        raise typer.BadParameter(f"“{printable(text[:40])}” is no id: that is a whole number.")
    return found


Id = partial(typer.Argument, parser=id_from, metavar="ID")


class AdminServices(msgspec.Struct, frozen=True):
    """What the commands work with; `base_url` without a slash at the end."""

    database: Database
    gate: Gate
    base_url: str
    carrying: Carrying
    marks: Marks
    depot: Depot
    remote_media: Path  # where files of other servers are kept


Opener = Callable[[], AbstractAsyncContextManager[AdminServices]]


class Runner:
    """Runs one command. A refusal is a sentence on standard error and exit code 1."""

    def __init__(self, open_services: Opener) -> None:
        self._open_services = open_services

    def run(self, work: Callable[[AdminServices], Awaitable[Result]]) -> Result:
        """Open the services, work, close them."""

        async def opened() -> Result:
            async with self._open_services() as services:
                return await work(services)

        try:
            return asyncio.run(opened())
        except Refused as refusal:
            sentence = refusal.sentence
        except DatabaseBusy as error:
            sentence = str(error)
        typer.echo(sentence, err=True)
        raise typer.Exit(1)

    def moderate(self, work: Callable[[Acting], Awaitable[Result]]) -> Result:
        """The same for one action of a moderator, by the system."""

        async def moderated(services: AdminServices) -> Result:
            return await services.gate.act(permit_to_moderate(services), work)

        return self.run(moderated)

    def moderate_account(self, name: str, work: Callable[[Acting, int], Awaitable[Result]]) -> Result:
        """The same for an account of this name."""

        async def moderated(services: AdminServices) -> Result:
            account_id = await id_of(services, name)
            permit = permit_to_moderate(services)
            return await services.gate.act(permit, lambda acting: work(acting, account_id))

        return self.run(moderated)


def permit_to_moderate(services: AdminServices) -> Permit:
    """Whoever may type here is who runs the server."""
    return services.gate.permit_system(Action.MODERATE, BY)


async def id_of(services: AdminServices, name: str) -> int:
    """The id of the account of this name, with or without the @. Raises Refused 404."""
    async with services.database.read() as read:
        account = await queries.by_username(read, name.removeprefix("@"))
    if account is None:
        raise Refused("not_found", f"There is no account @{name.removeprefix('@')}.", status=404)
    return account.id


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell; what may be long comes last."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def one_line(text: str) -> str:
    return " ".join(text.split())


def unix_ms(text: str) -> int:
    """Unix ms of a time with its zone, as somebody types it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("Write a time such as 2030-01-31T12:00Z.", param_hint="--until") from error
    if moment.tzinfo is None:
        raise typer.BadParameter("Say in which zone: 2030-01-31T12:00Z for UTC.", param_hint="--until")
    return int(moment.timestamp() * 1000)


def iso(unix_ms: int | None) -> str:
    """A time, or nothing."""
    return "" if unix_ms is None else datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="seconds")
