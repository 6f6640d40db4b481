"""`folkmoot admin spaces|clips|hosts`: narrow decisions, about one of them, with their history."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any

import typer

from folkmoot.accounts.model import Page
from folkmoot.gate import Acting, Kind, Standing, Subject, subjects
from folkmoot.gate.model import Sanction
from folkmoot.moderation.clips.actions import lift_clip, remove_clip
from folkmoot.moderation.hosts import actions as hosts
from folkmoot.moderation.hosts import queries
from folkmoot.moderation.hosts.model import Decided
from folkmoot.moderation.spaces.actions import lift_space, mute_space, remove_space
from folkmoot.surfaces.cli.running import (
    AdminServices,
    Id,
    Opener,
    Runner,
    columns,
    iso,
    one_line,
    permit_to_moderate,
    unix_ms,
)

LIST_MAX = 1_000

SpaceId = Annotated[int, Id(help="The Space's id, as its address has it.")]
ClipId = Annotated[int, Id(help="The clip's id, as its post's JSON has it.")]
Host = Annotated[str, typer.Argument(help="A host's name; all names below it are meant, too.")]
Told = Annotated[str, typer.Option(help="Why: whoever comes there will read it.")]
End = Annotated[str | None, typer.Option(help="When it ends, such as 2030-01-31T12:00Z.")]
Public = Annotated[str, typer.Option("--reason", help="Why: people may read it.")]
Private = Annotated[str, typer.Option("--note", help="For moderators only.")]


def add_things(app: typer.Typer, open_services: Opener) -> None:
    """Add the commands to `folkmoot admin`."""
    runner = Runner(open_services)
    spaces, clips, networks = Spaces(runner), Clips(runner), Hosts(runner)
    for name, words, commands in (
        ("spaces", "One Space.", (spaces.show, spaces.remove, spaces.mute, spaces.lift)),
        ("clips", "One clip.", (clips.show, clips.remove, clips.lift)),
        ("hosts", "Hosts of other networks.", (networks.limit, networks.suspend, networks.allow, networks.lift)),
    ):
        group = typer.Typer(no_args_is_help=True, help=words)
        for command in commands:
            group.command()(command)
        if name == "hosts":
            group.command("list")(networks.list_hosts)
        app.add_typer(group, name=name)


class _Things:
    """What Spaces and clips share."""

    kind: Kind
    called: str

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def _decide(self, id_: int, work: Callable[[Acting], Awaitable[Any]]) -> None:
        self._runner.moderate(work)
        self._tell(id_)

    def _tell(self, id_: int) -> None:
        async def read(services: AdminServices) -> tuple[Sanction, list[Sanction]]:
            subject = Subject(self.kind, id_)
            async with services.database.read() as read:
                now = (await subjects.held(read, [subject]))[subject]
                return now, await subjects.sanctions_about(read, subject)

        now, history = self._runner.run(read)
        end = "" if now.until_ms is None else f" until {iso(now.until_ms)}"
        typer.echo(f"{self.called} {id_}: {now.standing.value}{end}")
        for line in _history(history):
            typer.echo(line)


class Spaces(_Things):
    kind, called = Kind.SPACE, "Space"

    def show(self, space: SpaceId) -> None:
        """Show how a Space stands, and what was decided about it."""
        self._tell(space)

    def remove(self, space: SpaceId, reason: Told) -> None:
        """Remove a Space: it ends, and everything of it is hidden until that is lifted."""
        self._decide(space, lambda acting: remove_space(acting, space, reason=reason))

    def mute(self, space: SpaceId, reason: Told, until: End = None) -> None:
        """Mute a Space's stage for everybody. Nobody loses a seat."""
        until_ms = None if until is None else unix_ms(until)
        self._decide(space, lambda acting: mute_space(acting, space, reason=reason, until_ms=until_ms))

    def lift(self, space: SpaceId) -> None:
        """Lift the strictest of what is on a Space."""
        self._decide(space, lambda acting: lift_space(acting, space))


class Clips(_Things):
    kind, called = Kind.CLIP, "Clip"

    def show(self, clip: ClipId) -> None:
        """Show how a clip stands, and what was decided about it."""
        self._tell(clip)

    def remove(self, clip: ClipId, reason: Told) -> None:
        """Remove one clip: its post stays, with the reason in place of the sound."""
        self._decide(clip, lambda acting: remove_clip(acting, clip, reason=reason))

    def lift(self, clip: ClipId) -> None:
        """Bring a clip back as it was."""
        self._decide(clip, lambda acting: lift_clip(acting, clip))


class Hosts:
    """One method for each command."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def list_hosts(self) -> None:
        """List what is decided about hosts, the newest first, a thousand at most."""
        head = ("host", "standing", "since", "reason", "note")
        for line in columns([head, *map(_row, self._runner.run(_listed))]):
            typer.echo(line)

    def limit(self, host: Host, reason: Public = "", note: Private = "") -> None:
        """Limit a host: its people are seen by their followers only."""
        self._decide(host, Standing.LIMITED, reason, note)

    def suspend(self, host: Host, reason: Public = "", note: Private = "") -> None:
        """Suspend a host: nothing comes from there, or goes there."""
        self._decide(host, Standing.SUSPENDED, reason, note)

    def allow(self, host: Host, note: Private = "") -> None:
        """Allow a host although a name above it is stopped."""
        self._decide(host, Standing.ACTIVE, "", note)

    def lift(self, host: Host) -> None:
        """Lift what is decided about this very name."""

        async def work(acting: Acting) -> str:
            return await hosts.lift_by_name(acting, host)

        typer.echo(f"Nothing is decided about {self._runner.moderate(work)} any more.")

    def _decide(self, host: str, standing: Standing, reason: str, note: str) -> None:
        async def decided(services: AdminServices) -> Decided:
            own = services.base_url.partition("://")[2].partition(":")[0]
            return await services.gate.act(
                permit_to_moderate(services),
                lambda acting: hosts.decide(acting, host, standing, own_host=own, reason=reason, private_note=note),
            )

        one = self._runner.run(decided)
        word = "allowed" if standing is Standing.ACTIVE else standing.value
        typer.echo(f"{one.host} is {word}, and all that is below it.")


async def _listed(services: AdminServices) -> list[Decided]:
    async with services.database.read() as read:
        return await queries.page_of(read, queries.BLOCKED + queries.ALLOWED, Page(limit=LIST_MAX))


def _row(one: Decided) -> tuple[str, ...]:
    now = one.sanction
    word = "allowed" if now.standing is Standing.ACTIVE else now.standing.value
    return one.host, word, iso(now.decided_at_ms), one_line(now.reason), one_line(now.private_note)


def _history(history: list[Sanction]) -> Iterator[str]:
    for one in history:
        end = "" if one.until_ms is None else f" until {iso(one.until_ms)}"
        lifted = "" if one.lifted_at_ms is None else f" (lifted {iso(one.lifted_at_ms)})"
        yield f"{iso(one.decided_at_ms)}  {one.standing.value}{end}: {one_line(one.reason)}{lifted}"
