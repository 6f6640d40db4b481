"""`folkmoot admin`: accounts from the command line, by whoever can read the server's data.

Each command is one transaction of the system, whose commit rings the doorbell: running processes act on it at once.
"""

import asyncio
import re
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec
import typer

from folkmoot.accounts import actions as accounts
from folkmoot.accounts import queries, rules
from folkmoot.accounts.passwords import Passwords
from folkmoot.clips.redacting import Carrying
from folkmoot.gate import Action, Gate, Refused, Role
from folkmoot.moderation import actions as moderation
from folkmoot.moderation.queries import Listed, all_accounts
from folkmoot.recordings import redacting
from folkmoot.recordings.model import Reason, Redaction
from folkmoot.storage.database import Database, DatabaseBusy
from folkmoot.tape.model import TapeError

Result = TypeVar("Result")
_BY = "admin: command line"
_PASSWORD_BYTES = 15
_FROM_INPUT = "-"

Name = Annotated[str, typer.Argument(help="Username, without the @.")]


class AdminServices(msgspec.Struct, frozen=True):
    """What the commands work with; `base_url` without a slash at the end."""

    database: Database
    gate: Gate
    base_url: str
    carrying: Carrying


Opener = Callable[[], AbstractAsyncContextManager[AdminServices]]


def build_admin(open_services: Opener) -> typer.Typer:
    """The commands, on whatever `open_services` opens: it is called once a command and closed at its end."""
    app = typer.Typer(no_args_is_help=True, help="Make and moderate accounts.")
    commands = Commands(open_services)
    for command in (
        commands.create,
        commands.password,
        commands.token,
        commands.suspend,
        commands.reinstate,
        commands.approve,
        commands.redact,
        commands.owner_link,
        commands.list_accounts,
    ):
        name = "list" if command == commands.list_accounts else command.__name__.replace("_", "-")
        app.command(name)(command)
    return app


class Commands:
    """One method for each command. A refusal is a sentence on standard error and exit code 1."""

    def __init__(self, open_services: Opener) -> None:
        self._open_services = open_services

    def create(
        self,
        name: Name,
        role: Annotated[Role, typer.Option(help="What the account may do here.")] = Role.MEMBER,
        password: Annotated[
            str | None,
            typer.Option(help="Left out: one is made and printed. -: a line of standard input, which nobody sees."),
        ] = None,
    ) -> None:
        """Make an account, whatever the server's registrations are."""
        if password == _FROM_INPUT:
            password = sys.stdin.readline().rstrip("\r\n")
        made = secrets.token_urlsafe(_PASSWORD_BYTES) if password is None else None
        self._run(lambda services: _create(services, name, role, made or password or ""))
        typer.echo(f"@{name} was created as {role.value}.")
        if made is not None:
            typer.echo(f"Password: {made}")

    def password(
        self,
        name: Name,
        password: Annotated[
            str | None, typer.Option(help="Left out: one is made and printed. -: read from standard input.")
        ] = None,
    ) -> None:
        """Give an account a new password. Every session and program of it is signed out."""
        if password == _FROM_INPUT:
            password = sys.stdin.readline().rstrip("\r\n")
        made = secrets.token_urlsafe(_PASSWORD_BYTES) if password is None else None
        self._run(lambda services: _change_password(services, name, made or password or ""))
        typer.echo(f"@{name.removeprefix('@')} has a new password, and is signed out everywhere.")
        if made is not None:
            typer.echo(f"Password: {made}")

    def token(
        self,
        name: Name,
        scopes: Annotated[str, typer.Option(help="Separated by spaces.")] = accounts.SESSION_SCOPES,
    ) -> None:
        """Print an access token for scripts and tests. It acts as the account, as far as its standing allows."""
        typer.echo(self._run(lambda services: _token(services, name, scopes)))

    def suspend(
        self,
        name: Name,
        reason: Annotated[str, typer.Option(help="Why: the person will read it.")],
        until: Annotated[str | None, typer.Option(help="When it ends, such as 2030-01-31T12:00Z.")] = None,
    ) -> None:
        """Suspend an account: everything it holds open ends at once, and what it published is hidden."""
        until_ms = None if until is None else _unix_ms(until)
        holds_until_ms = self._run(lambda services: _suspend(services, name, reason, until_ms))
        end = "without end" if holds_until_ms is None else f"until {_iso(holds_until_ms)}"
        typer.echo(f"@{name} is suspended {end}.")

    def reinstate(self, name: Name) -> None:
        """Lift a sanction. The person signs in anew and has everything back."""
        self._run(lambda services: _reinstate(services, name))
        typer.echo(f"@{name} is reinstated and can sign in again.")

    def approve(self, name: Name) -> None:
        """Let in somebody who signed up and waits."""
        self._run(lambda services: _approve(services, name))
        typer.echo(f"@{name} is approved.")

    def redact(
        self,
        space: Annotated[int, typer.Argument(help="The Space's id: the number in its address.")],
        start: Annotated[str, typer.Argument(metavar="FROM", help="Where it begins, such as 1:02:03.5.")],
        end: Annotated[str, typer.Argument(metavar="TO", help="Where it ends. Behind the live end: up to now.")],
        reason: Annotated[Reason, typer.Option(help="Everybody is told it.")],
    ) -> None:
        """Take a range out of a Space's sound, live or recorded, and of every clip. It can't be undone."""
        from_ms, to_ms = _position_ms(start), _position_ms(end)
        done = self._run(lambda services: _redact(services, space, from_ms, to_ms, reason))
        typer.echo(
            f"{(done.to_ms - done.from_ms) / 1000:.1f} s of Space {space} are taken out, from every clip too."
        )

    def owner_link(self) -> None:
        """Print the one-time link that makes the owner, while there is none. An earlier link stops working."""
        typer.echo(self._run(_owner_link))

    def list_accounts(self) -> None:
        """List every account with its role and standing."""
        for line in _lines(self._run(_listed)):
            typer.echo(line)

    def _run(self, work: Callable[[AdminServices], Awaitable[Result]]) -> Result:
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


async def _create(services: AdminServices, name: str, role: Role, password: str) -> int:
    username = rules.clean_username(name)
    new = accounts.NewAccount(username, await _hash(password, username))
    permit = services.gate.permit_system(Action.MODERATE, _BY)
    return await services.gate.act(permit, lambda acting: accounts.create_account(acting, new, role))


async def _change_password(services: AdminServices, name: str, password: str) -> None:
    account_id = await _id_of(services, name)
    password_hash = await _hash(password, name.removeprefix("@"))
    permit = services.gate.permit_system(Action.SIGN_IN, _BY)
    await services.gate.act(permit, lambda acting: accounts.change_password(acting, account_id, password_hash))


async def _hash(password: str, username: str) -> str:
    passwords = Passwords()
    try:
        return await passwords.hash(rules.clean_password(password, username))
    finally:
        passwords.close()


async def _token(services: AdminServices, name: str, scopes: str) -> str:
    account_id = await _id_of(services, name)
    permit = services.gate.permit_system(Action.AUTHORIZE, _BY)
    wanted = " ".join(dict.fromkeys(scopes.split()))
    return await services.gate.act(permit, lambda acting: accounts.issue_token(acting, account_id, wanted))


async def _suspend(services: AdminServices, name: str, reason: str, until_ms: int | None) -> int | None:
    account_id = await _id_of(services, name)
    permit = services.gate.permit_system(Action.MODERATE, _BY)
    held = await services.gate.act(
        permit, lambda acting: moderation.suspend(acting, account_id, reason=reason, until_ms=until_ms)
    )
    return held.until_ms


async def _reinstate(services: AdminServices, name: str) -> None:
    account_id = await _id_of(services, name)
    permit = services.gate.permit_system(Action.MODERATE, _BY)
    await services.gate.act(permit, lambda acting: moderation.reinstate(acting, account_id))


async def _approve(services: AdminServices, name: str) -> None:
    account_id = await _id_of(services, name)
    permit = services.gate.permit_system(Action.MODERATE, _BY)
    await services.gate.act(permit, lambda acting: moderation.approve(acting, account_id))


async def _redact(services: AdminServices, space_id: int, from_ms: int, to_ms: int, reason: Reason) -> Redaction:
    sound_ms = await services.carrying.sound_ms(space_id)
    permit = services.gate.permit_system(Action.REDACT, _BY)
    decided = await services.gate.act(
        permit, lambda acting: redacting.redact(acting, space_id, from_ms, to_ms, reason, sound_ms)
    )
    try:
        await services.carrying.carry_out(space_id)
    except (TapeError, OSError) as error:
        raise Refused(
            "not_yet_taken_out", f"It is decided, but not carried out ({error}): the server tries until it is."
        ) from error
    return decided


async def _owner_link(services: AdminServices) -> str:
    permit = services.gate.permit_system(Action.AUTHORIZE, _BY)
    secret = await services.gate.act(permit, accounts.make_owner_link)
    if secret is None:
        raise Refused(
            "has_owner", "This server has an owner. Make another with: folkmoot admin create NAME --role owner"
        )
    return f"{services.base_url}/setup?secret={secret}"


async def _listed(services: AdminServices) -> list[Listed]:
    async with services.database.read() as read:
        return await all_accounts(read)


async def _id_of(services: AdminServices, name: str) -> int:
    async with services.database.read() as read:
        account = await queries.by_username(read, name.removeprefix("@"))
    if account is None:
        raise Refused("not_found", f"There is no account @{name.removeprefix('@')}.", status=404)
    return account.id


def _lines(rows: list[Listed]) -> Iterator[str]:
    """Columns as wide as their widest cell; the reason, which may be long, comes last and on one line."""
    cells = [("account", "role", "standing", "until", "reason")]
    for row in rows:
        until = "" if row.until_ms is None else _iso(row.until_ms)
        reason = " ".join(row.reason.split())
        cells.append((f"@{row.username}", row.role.value, row.standing.value, until, reason))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _unix_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("Write a time such as 2030-01-31T12:00Z.", param_hint="--until") from error
    if moment.tzinfo is None:
        raise typer.BadParameter("Say in which zone: 2030-01-31T12:00Z for UTC.", param_hint="--until")
    return int(moment.timestamp() * 1000)


def _position_ms(text: str) -> int:
    """1:02:03.5, 62:03.5 or 3723.5 in ms."""
    match = re.fullmatch(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6})(?:\.(\d{1,3}))?", text, re.ASCII)
    if match is None:
        raise typer.BadParameter("Write a place such as 1:02:03.5.")
    hours, minutes, seconds, thousandths = match.groups(default="0")
    whole_s = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return whole_s * 1000 + int(thousandths.ljust(3, "0"))


def _iso(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="seconds")
