"""`folkmoot admin programs`: which applications act for people here, and stopping one for everybody."""

from typing import Annotated

import typer

from folkmoot.accounts.oauth import actions, queries
from folkmoot.accounts.oauth.model import Registered
from folkmoot.surfaces.cli.running import AdminServices, Id, Opener, Runner, columns, iso, one_line

LIST_MAX = 1_000

ProgramId = Annotated[int, Id(help="The program's id, as `programs list` prints it.")]


def add_programs(app: typer.Typer, open_services: Opener) -> None:
    """Add the commands to `folkmoot admin`."""
    commands = Programs(Runner(open_services))
    group = typer.Typer(no_args_is_help=True, help="Applications that act for people.")
    group.command("list")(commands.list_programs)
    group.command("stop")(commands.stop)
    group.command("allow")(commands.allow)
    app.add_typer(group, name="programs")


class Programs:
    """One method for each command."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def list_programs(self) -> None:
        """List programs: those that are stopped, then those that most people use; a thousand at most."""
        head = ("program", "tokens", "registered", "stopped", "name", "why")
        for line in columns([head, *map(_row, self._runner.run(_listed))]):
            typer.echo(line)

    def stop(
        self, program: ProgramId, reason: Annotated[str, typer.Option(help="Why, for the others here.")]
    ) -> None:
        """Stop one program for everybody who uses it, at once; people sign in by others as before."""
        one = self._runner.moderate(lambda acting: actions.stop(acting, program, reason=reason))
        typer.echo(
            f"{one_line(one.name)} is stopped: whoever uses it is signed out of it, and it gets nobody's token."
        )

    def allow(self, program: ProgramId) -> None:
        """Let a program that was stopped ask people anew. Its old tokens stay dead."""
        one = self._runner.moderate(lambda acting: actions.allow_again(acting, program))
        typer.echo(f"{one_line(one.name)} may ask people anew.")


async def _listed(services: AdminServices) -> list[Registered]:
    async with services.database.read() as read:
        return await queries.listed(read, LIST_MAX)


def _row(one: Registered) -> tuple[str, ...]:
    program = one.application
    return (
        str(program.id),
        str(one.tokens),
        iso(one.created_at_ms),
        iso(one.now.decided_at_ms or None),
        one_line(program.name),
        one_line(one.now.reason),
    )
