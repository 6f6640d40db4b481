"""`folkmoot admin`: accounts from the command line, by whoever can read the server's data.

Each command is one transaction of the system, whose commit rings the doorbell: running processes act on it at once.
"""

import re
import secrets
import sys
from typing import Annotated, TypeVar

import typer

from folkmoot.accounts import actions as accounts
from folkmoot.accounts import deletion, letters, rules
from folkmoot.accounts.passwords import Passwords
from folkmoot.accounts.second_factor import actions as factors
from folkmoot.gate import Action, Refused, Role
from folkmoot.mail.outbox import Outbox
from folkmoot.moderation.queries import Listed, all_accounts
from folkmoot.recordings import redacting
from folkmoot.recordings.model import Reason, Redaction
from folkmoot.surfaces.cli.arrivals import add_arrivals
from folkmoot.surfaces.cli.for_all import add_for_all
from folkmoot.surfaces.cli.media import add_media
from folkmoot.surfaces.cli.moderating import add_moderating
from folkmoot.surfaces.cli.programs import add_programs
from folkmoot.surfaces.cli.running import BY, AdminServices, Id, Name, Opener, Runner, columns, id_of, iso, one_line
from folkmoot.surfaces.cli.things import add_things
from folkmoot.tape.model import TapeError

Result = TypeVar("Result")
_PASSWORD_BYTES = 15
_FROM_INPUT = "-"


def build_admin(open_services: Opener) -> typer.Typer:
    """The commands, on whatever `open_services` opens: it is called once a command and closed at its end."""
    app = typer.Typer(no_args_is_help=True, help="Make and moderate accounts.")
    commands = Commands(open_services)
    for command in (
        commands.create,
        commands.password,
        commands.token,
        commands.redact,
        commands.owner_link,
        commands.password_link,
        commands.email_link,
        commands.second_factor_link,
        commands.delete,
        commands.list_accounts,
    ):
        name = "list" if command == commands.list_accounts else command.__name__.replace("_", "-")
        app.command(name)(command)
    add_moderating(app, open_services)
    add_programs(app, open_services)
    add_things(app, open_services)
    add_arrivals(app, open_services)
    add_for_all(app, open_services)
    add_media(app, open_services)
    return app


class Commands:
    """One method for each command."""

    def __init__(self, open_services: Opener) -> None:
        self._run = Runner(open_services).run

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

    def redact(
        self,
        space: Annotated[int, Id(help="The Space's id: the number in its address.")],
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

    def password_link(self, name: Name) -> None:
        """Print a link that sets a new password, once, and unlocks the account. An earlier one stops working."""
        typer.echo(self._run(lambda services: _password_link(services, name)))

    def email_link(self, name: Name) -> None:
        """Print a link that confirms the e-mail address an account gave last, for a server without mail."""
        typer.echo(self._run(lambda services: _email_link(services, name)))

    def second_factor_link(self, name: Name) -> None:
        """Print a link by which somebody who knows their password takes away second factors that they lost."""
        typer.echo(self._run(lambda services: _second_factor_link(services, name)))

    def delete(
        self,
        name: Name,
        yes: Annotated[bool, typer.Option("--yes", help="Without it, what would be deleted is only said.")] = False,
    ) -> None:
        """Delete an account with all that it published, at once: nobody can take it back."""
        if not yes:
            typer.echo(f"@{name.removeprefix('@')} would be deleted, with its posts, files and follows: add --yes.")
            raise typer.Exit(1)
        self._run(lambda services: _delete(services, name))
        typer.echo(f"@{name.removeprefix('@')} is shut, and being deleted by the running server.")

    def list_accounts(self) -> None:
        """List every account with its role and standing."""
        head = ("account", "role", "standing", "until", "reason")
        rows = [
            (f"@{row.username}", row.role.value, row.standing.value, iso(row.until_ms), one_line(row.reason))
            for row in self._run(_listed)
        ]
        for line in columns([head, *rows]):
            typer.echo(line)


async def _create(services: AdminServices, name: str, role: Role, password: str) -> int:
    username = rules.clean_username(name)
    new = accounts.NewAccount(username, await _hash(password, username))
    permit = services.gate.permit_system(Action.MODERATE, BY)
    return await services.gate.act(permit, lambda acting: accounts.create_account(acting, new, role))


async def _change_password(services: AdminServices, name: str, password: str) -> None:
    account_id = await id_of(services, name)
    password_hash = await _hash(password, name.removeprefix("@"))
    permit = services.gate.permit_system(Action.SIGN_IN, BY)
    await services.gate.act(permit, lambda acting: accounts.change_password(acting, account_id, password_hash))


async def _hash(password: str, username: str) -> str:
    passwords = Passwords()
    try:
        return await passwords.hash(rules.clean_password(password, username))
    finally:
        passwords.close()


async def _token(services: AdminServices, name: str, scopes: str) -> str:
    account_id = await id_of(services, name)
    permit = services.gate.permit_system(Action.AUTHORIZE, BY)
    wanted = " ".join(dict.fromkeys(scopes.split()))
    return await services.gate.act(permit, lambda acting: accounts.issue_token(acting, account_id, wanted))


async def _redact(services: AdminServices, space_id: int, from_ms: int, to_ms: int, reason: Reason) -> Redaction:
    sound_ms = await services.carrying.sound_ms(space_id)
    permit = services.gate.permit_system(Action.REDACT, BY)
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
    permit = services.gate.permit_system(Action.AUTHORIZE, BY)
    secret = await services.gate.act(permit, accounts.make_owner_link)
    if secret is None:
        raise Refused(
            "has_owner", "This server has an owner. Make another with: folkmoot admin create NAME --role owner"
        )
    return f"{services.base_url}/setup?secret={secret}"


async def _password_link(services: AdminServices, name: str) -> str:
    account_id = await id_of(services, name)
    permit = services.gate.permit_system(Action.SIGN_IN, BY)
    secret = await services.gate.act(permit, lambda acting: accounts.make_password_link(acting, account_id))
    return f"{services.base_url}/password?secret={secret}"


async def _email_link(services: AdminServices, name: str) -> str:
    account_id = await id_of(services, name)
    permit = services.gate.permit_system(Action.SIGN_IN, BY)
    made = await services.gate.act(permit, lambda acting: letters.make_confirmation(acting, account_id))
    if made is None:
        raise Refused("nothing_to_confirm", "This account gave no address that is to be confirmed.")
    return f"{services.base_url}/confirm-email?secret={made[1]}"


async def _second_factor_link(services: AdminServices, name: str) -> str:
    account_id = await id_of(services, name)
    permit = services.gate.permit_system(Action.SIGN_IN, BY)
    secret = await services.gate.act(permit, lambda acting: factors.make_off_link(acting, account_id))
    return f"{services.base_url}/second-factor?secret={secret}"


async def _delete(services: AdminServices, name: str) -> None:
    account_id = await id_of(services, name)
    permit = services.gate.permit_system(Action.LEAVE, BY)
    nobody = Outbox(is_open=False)
    await services.gate.act(permit, lambda acting: deletion.ask(acting, account_id, nobody, grace_ms=0))


async def _listed(services: AdminServices) -> list[Listed]:
    async with services.database.read() as read:
        return await all_accounts(read)


def _position_ms(text: str) -> int:
    """1:02:03.5, 62:03.5 or 3723.5 in ms."""
    match = re.fullmatch(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6})(?:\.(\d{1,3}))?", text, re.ASCII)
    if match is None:
        raise typer.BadParameter("Write a place such as 1:02:03.5.")
    hours, minutes, seconds, thousandths = match.groups(default="0")
    whole_s = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return whole_s * 1000 + int(thousandths.ljust(3, "0"))
