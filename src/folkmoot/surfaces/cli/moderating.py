"""The moderating half of `folkmoot admin`: find and see accounts, decide about them, the queue of reports."""

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
import typer

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Page
from folkmoot.gate import Acting, Refused, Role, Standing
from folkmoot.gate.model import Sanction
from folkmoot.moderation import actions as moderation
from folkmoot.moderation.many import Decide, decide_about
from folkmoot.moderation.members import actions as member_actions
from folkmoot.moderation.members import queries as members
from folkmoot.moderation.members.model import History, Member, Wanted
from folkmoot.moderation.reports import actions as report_actions
from folkmoot.moderation.reports import queries as reports
from folkmoot.moderation.reports.model import Report, Resolution
from folkmoot.moderation.spaces.actions import suspend_host
from folkmoot.moderation.spaces.model import Becomes, Fate
from folkmoot.posts import edits
from folkmoot.posts.model import Version
from folkmoot.storage.database import Read
from folkmoot.surfaces.cli.printable import printable
from folkmoot.surfaces.cli.running import (
    AdminServices,
    Id,
    Name,
    Opener,
    Runner,
    columns,
    id_from,
    id_of,
    iso,
    one_line,
    permit_to_moderate,
    unix_ms,
)

_EVERY = Page(limit=1_000)
_COMMENT_CHARACTERS = 60
# What a lift leaves that is no sanction: not for whoever lifts to lift.
_LEFT = {
    Standing.ACTIVE: "",
    Standing.AWAITING_APPROVAL: " The account waits for approval still: approve it, or reject it.",
    Standing.DEACTIVATED: " The person deactivated the account, and alone can return.",
}

Names = Annotated[list[str], typer.Argument(help="Usernames, without the @.")]
Why = Annotated[str, typer.Option(help="Why: the person will read it.")]
End = Annotated[str | None, typer.Option(help="When it ends, such as 2030-01-31T12:00Z.")]
Rooms = Annotated[
    list[str] | None,
    typer.Option(
        "--space", help="What becomes of a live Space: ID=goes_on, ID=ends, or ID=@NAME, who hosts it then. Repeat."
    ),
]
ReportId = Annotated[int, Id(help="The report's id.")]


class Named(msgspec.Struct, frozen=True):
    """A report with names in place of ids."""

    report: Report
    names: dict[int, str]
    said: Mapping[int, list[Version]]  # what each reported post said before it said what it does

    def name(self, account_id: int | None) -> str:
        return f"@{self.names[account_id]}" if account_id in self.names else "–"


def add_moderating(app: typer.Typer, open_services: Opener) -> None:
    """Add the commands to `folkmoot admin`."""
    commands = Moderating(Runner(open_services))
    for command in (
        commands.find,
        commands.show,
        commands.suspend,
        commands.limit,
        commands.lock,
        commands.lift,
        commands.approve,
        commands.reject,
        commands.role,
    ):
        app.command()(command)
    app.command("reinstate", hidden=True)(commands.lift)  # its first name
    queue = typer.Typer(no_args_is_help=True, help="What people reported.")
    queue.command("list")(commands.list_reports)
    queue.command("show")(commands.show_report)
    queue.command("resolve")(commands.resolve_report)
    app.add_typer(queue, name="reports")


class _Room(msgspec.Struct, frozen=True):
    """What --space said. `to`: a name."""

    space_id: int
    becomes: Becomes
    to: str | None = None

    @classmethod
    def parse(cls, text: str) -> "_Room":
        number, _, what = text.partition("=")
        plain = what in (Becomes.GOES_ON, Becomes.ENDS)
        if not plain and not what.startswith("@"):
            raise typer.BadParameter("Write ID=goes_on, ID=ends or ID=@NAME.", param_hint="--space")
        space_id = id_from(number)
        return cls(space_id, Becomes(what)) if plain else cls(space_id, Becomes.HANDED_OVER, what)


async def _fates(services: AdminServices, rooms: list[_Room]) -> dict[int, Fate]:
    return {
        room.space_id: Fate(room.becomes, await id_of(services, room.to) if room.to is not None else None)
        for room in rooms
    }


class Moderating:
    """One method for each command."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def find(
        self,
        text: Annotated[str, typer.Argument(help="Part of a name, display name or e-mail address.")] = "",
        standing: Annotated[Standing | None, typer.Option(help="Only those under this.")] = None,
    ) -> None:
        """Find accounts, the newest first, a thousand at most."""
        found = self._runner.run(lambda services: _find(services, Wanted(anything=text, standing=standing)))
        head = ("account", "role", "standing", "until", "email", "reason")
        for line in columns([head, *map(_row, found)]):
            typer.echo(line)

    def show(self, name: Name) -> None:
        """Show one account: how it stands, what was decided about it, sessions, reports."""
        member, history, names = self._runner.run(lambda services: _show(services, name))
        for line in _told(member, history, names):
            typer.echo(line)

    def suspend(self, names: Names, reason: Why, until: End = None, space: Rooms = None) -> None:
        """Suspend accounts: everything they hold open ends at once, and what they published is hidden.

        A live Space that one hosts goes on with its co-hosts, or ends without one, unless --space says otherwise.
        """
        if space and len(names) > 1:
            raise typer.BadParameter("Name one account, the Space's host.", param_hint="--space")
        rooms = [_Room.parse(text) for text in space or []]
        fates = self._runner.run(lambda services: _fates(services, rooms))
        self._decide(names, Standing.SUSPENDED, reason, until, fates)

    def limit(self, names: Names, reason: Why, until: End = None) -> None:
        """Limit accounts: seen by their followers only, in no public list."""
        self._decide(names, Standing.LIMITED, reason, until)

    def lock(self, name: Name, reason: Why) -> None:
        """Lock an account whose credentials may be stolen, until a link sets a new password, or it is lifted."""
        self._runner.moderate_account(
            name, lambda acting, account_id: moderation.lock(acting, account_id, reason=reason)
        )
        typer.echo(f"@{name.removeprefix('@')} is locked. What sets a new password: folkmoot admin password-link")

    def lift(self, name: Name) -> None:
        """Lift the strictest sanction. The person signs in anew and has back whatever nothing else takes."""
        now = self._runner.moderate_account(name, moderation.reinstate)
        left = _LEFT.get(now.standing, f" It is {now.standing.value} still: lift that too.")
        typer.echo(f"The sanction on @{name.removeprefix('@')} is lifted.{left}")

    def approve(self, name: Name) -> None:
        """Let in somebody who signed up and waits."""
        self._runner.moderate_account(name, moderation.approve)
        typer.echo(f"@{name.removeprefix('@')} is approved.")

    def reject(self, name: Name) -> None:
        """Don't let in somebody who waits: nothing of the account is kept."""
        self._runner.moderate_account(name, member_actions.reject)
        typer.echo(f"@{name.removeprefix('@')} is not let in, and removed.")

    def role(self, name: Name, role: Annotated[Role, typer.Argument(help="What the account may do here.")]) -> None:
        """Give an account a role. Who loses one is signed out everywhere; the last owner stays one."""
        before = self._runner.moderate_account(
            name, lambda acting, account_id: member_actions.change_role(acting, account_id, role)
        )
        was = "" if before is role else f", and was {before.value}"
        typer.echo(f"@{name.removeprefix('@')} is {role.value}{was}.")

    def list_reports(
        self, resolved: Annotated[bool, typer.Option("--resolved", help="Those that are closed.")] = False
    ) -> None:
        """List the open reports, the newest first, a thousand at most."""
        found = self._runner.run(lambda services: _reports(services, resolved=resolved))
        head = ("report", "at", "about", "by", "category", "looked at by", "became", "comment")
        for line in columns([head, *map(_report_row, found)]):
            typer.echo(line)

    def show_report(self, report: ReportId) -> None:
        """Show one report whole."""
        one = self._runner.run(lambda services: _report(services, report))
        head = ("report", "at", "about", "by", "category", "looked at by", "became")
        for label, cell in zip(head, _report_row(one), strict=False):
            typer.echo(f"{label + ':':14}{cell}")
        about = one.report.about
        for label, value in (
            ("posts", " ".join(map(str, about.post_ids))),
            ("Space", "" if about.space_id is None else str(about.space_id)),
            ("moment", "" if about.at_ms is None else f"{about.at_ms / 1000:.1f} s"),
            ("clip", "" if about.clip_id is None else str(about.clip_id)),
        ):
            if value:
                typer.echo(f"{label + ':':14}{value}")
        typer.echo(f"\n{one.report.comment or 'Without a comment.'}")
        for post in one.report.evidence.posts:
            typer.echo(f"\nPost {post.id}, as it was reported: {printable(one_line(post.version.source))}")
            for said in one.said.get(post.id, []):
                if said != post.version:
                    typer.echo(f"From {iso(said.written_at_ms)} on: {printable(one_line(said.source))}")
        for file in one.report.evidence.files:
            typer.echo(f"\nFile {file.id} ({file.kind}): {file.object_key} in the store of files")

    def resolve_report(self, report: ReportId) -> None:
        """Close a report without a sanction. A sanction closes every report about its account by itself."""
        self._runner.moderate(lambda acting: report_actions.resolve(acting, report, Resolution.NOTHING))
        typer.echo(f"Report {report} is closed.")

    def _decide(
        self,
        names: list[str],
        standing: Standing,
        reason: str,
        until: str | None,
        fates: Mapping[int, Fate] | None = None,
    ) -> None:
        until_ms = None if until is None else unix_ms(until)
        word = Resolution(standing.value)

        async def decided(acting: Acting, account_id: int) -> Sanction:
            if standing is Standing.SUSPENDED:
                now = await suspend_host(acting, account_id, reason=reason, until_ms=until_ms, fates=fates)
            else:
                now = await moderation.limit(acting, account_id, reason=reason, until_ms=until_ms)
            await report_actions.resolve_about(acting, account_id, word)
            return now

        if len(names) > 1:
            self._runner.run(lambda services: _about_many(services, names, standing, decided))
            return
        now = self._runner.moderate_account(names[0], decided)
        end = "without end" if now.until_ms is None else f"until {iso(now.until_ms)}"
        typer.echo(f"@{names[0].removeprefix('@')} is {now.standing.value} {end}.")


async def _about_many(services: AdminServices, names: list[str], standing: Standing, decide: Decide) -> None:
    """Says how far it is: whoever stops it gives the same command again, and it goes on."""
    called = {await id_of(services, name): name.removeprefix("@") for name in names}
    permit = permit_to_moderate(services)
    done, refused = 0, 0
    async for batch in decide_about(services.gate, permit, list(called), decide):
        for account_id, sentence in batch.refused.items():
            typer.echo(f"@{called[account_id]}: {sentence}", err=True)
        done, refused = done + len(batch.decided), refused + len(batch.refused)
        typer.echo(f"{done} of {len(called)} are {standing.value}.")
    if refused:
        raise typer.Exit(1)


async def _find(services: AdminServices, wanted: Wanted) -> list[Member]:
    async with services.database.read() as read:
        return await members.by_ids(read, await members.ids(read, wanted, _EVERY))


async def _show(services: AdminServices, name: str) -> tuple[Member, History, dict[int, str]]:
    account_id = await id_of(services, name)
    async with services.database.read() as read:
        (member,) = await members.by_ids(read, [account_id])
        history = await members.history(read, account_id, judge_id=None)
        deciders = {one for sanction in history.sanctions for one in (sanction.decided_by, sanction.lifted_by)}
        return member, history, await _names(read, deciders)


async def _reports(services: AdminServices, *, resolved: bool) -> list[Named]:
    async with services.database.read() as read:
        ids = await reports.ids(read, reports.Wanted(resolved=resolved), _EVERY, judge_id=None)
        return await _named(read, await reports.by_ids(read, ids, judge_id=None))


async def _report(services: AdminServices, report_id: int) -> Named:
    async with services.database.read() as read:
        found = await _named(read, await reports.by_ids(read, [report_id], judge_id=None))
    if not found:
        raise Refused("not_found", f"There is no report {report_id}.", status=404)
    return found[0]


async def _named(read: Read, found: list[Report]) -> list[Named]:
    people = {one for report in found for one in (report.reporter_id, report.target_id, report.assigned_to)}
    names = await _names(read, people)
    said = await edits.earlier(read, {post_id for report in found for post_id in report.about.post_ids})
    return [Named(one, names, said) for one in found]


async def _names(read: Read, account_ids: set[int | None]) -> dict[int, str]:
    known = await accounts.by_ids(read, sorted(one for one in account_ids if one is not None))
    return {one.id: one.username for one in known}


def _row(member: Member) -> tuple[str, ...]:
    now = member.sanction
    account = member.account
    return (
        f"@{account.username}",
        account.role.value,
        now.standing.value,
        iso(now.until_ms),
        member.email or "",
        one_line(now.reason),
    )


def _report_row(named: Named) -> tuple[str, ...]:
    one = named.report
    comment = one_line(one.comment)
    return (
        str(one.id),
        iso(one.created_at_ms),
        named.name(one.target_id),
        named.name(one.reporter_id),
        one.category.value,
        named.name(one.assigned_to),
        one.resolution.value if one.resolution is not None else "open",
        comment if len(comment) <= _COMMENT_CHARACTERS else f"{comment[:_COMMENT_CHARACTERS]}…",
    )


def _told(member: Member, history: History, names: dict[int, str]) -> Iterator[str]:
    name, role, standing, until, email, reason = _row(member)
    yield f"{name} ({role}): {standing}{f' until {until}' if until else ''}{f', {reason}' if reason else ''}"
    yield f"E-mail: {email or 'none'}. Since {iso(member.account.created_at_ms)}."
    yield f"Sessions: {history.sessions}. Programs: {history.programs}."
    yield f"Reports: {history.open_reports} open, {history.reports} in all."
    for one in history.sanctions:
        by = names.get(one.decided_by or 0, "the system")
        end = f" until {iso(one.until_ms)}" if one.until_ms is not None else ""
        lifted = f" (lifted {iso(one.lifted_at_ms)})" if one.lifted_at_ms is not None else ""
        yield f"{iso(one.decided_at_ms)}  {one.standing.value}{end} by {by}: {one_line(one.reason)}{lifted}"
