"""`folkmoot admin networks`, `mail` and `invites`: who may come in, from where, and who brought whom."""

from typing import Annotated

import typer

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.invites import actions as invite_actions
from folkmoot.accounts.invites import queries as invites
from folkmoot.accounts.model import Page
from folkmoot.accounts.rules import clean_email
from folkmoot.gate import Acting, Refused
from folkmoot.moderation.evasion import mail
from folkmoot.moderation.networks import actions as networks
from folkmoot.moderation.networks import queries as network_queries
from folkmoot.moderation.networks.model import Severity, Stop
from folkmoot.moderation.networks.rules import parse_network
from folkmoot.storage.database import Read
from folkmoot.surfaces.cli.moderating import End, Why
from folkmoot.surfaces.cli.running import (
    AdminServices,
    Name,
    Opener,
    Runner,
    columns,
    id_of,
    iso,
    one_line,
    permit_to_moderate,
    unix_ms,
)

_EVERY = Page(limit=10_000)
_LINES_MAX = 1_000

NetworkText = Annotated[str, typer.Argument(help="An address or a network, such as 203.0.113.0/24.")]
MailText = Annotated[str, typer.Argument(help="An e-mail address, or a domain of mail such as trash.example.")]


def add_arrivals(app: typer.Typer, open_services: Opener) -> None:
    """Add the commands to `folkmoot admin`."""
    commands = Arrivals(Runner(open_services))
    for name, says, methods in (
        (
            "networks",
            "Networks that are stopped.",
            (commands.list_networks, commands.stop_network, commands.lift_network),
        ),
        ("mail", "Mail that nobody signs up with.", (commands.list_mail, commands.block_mail, commands.allow_mail)),
        ("invites", "Who brought whom.", (commands.show_invites, commands.close_invites)),
    ):
        group = typer.Typer(no_args_is_help=True, help=says)
        for method in methods:
            group.command(method.__name__.partition("_")[0])(method)
        app.add_typer(group, name=name)


class Arrivals:
    """One method for each command."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def list_networks(self) -> None:
        """List the networks that are stopped now, the newest first."""
        head = ("network", "severity", "since", "until", "why")
        for line in columns([head, *map(_network_row, self._runner.run(_networks))]):
            typer.echo(line)

    def stop_network(
        self,
        network: NetworkText,
        reason: Why,
        severity: Annotated[Severity, typer.Option(help="What is stopped.")] = Severity.NO_ACCESS,
        until: End = None,
        confirm: Annotated[bool, typer.Option("--confirm", help="Yes, although it is large.")] = False,
    ) -> None:
        """Stop a network: what is open from there ends at once, or nobody signs up from there."""
        until_ms = None if until is None else unix_ms(until)

        async def stopped(acting: Acting) -> Stop:
            return await networks.stop(
                acting, parse_network(network), severity, reason=reason, until_ms=until_ms, confirmed=confirm
            )

        made = self._runner.moderate(stopped)
        end = "without end" if made.until_ms is None else f"until {iso(made.until_ms)}"
        typer.echo(f"{made.network} is stopped {end} ({made.severity.value}).")

    def lift_network(self, network: NetworkText) -> None:
        """Let a network in again."""

        async def lifted(acting: Acting) -> Stop:
            held = await network_queries.of_network(acting.tx, parse_network(network))
            return await networks.lift(acting, held.id if held is not None else 0)

        typer.echo(f"{self._runner.moderate(lifted).network} is let in again.")

    def list_mail(self) -> None:
        """List blocked domains, and how many mailboxes are blocked: what those are is kept nowhere."""
        domains, mailboxes = self._runner.run(_mail)
        head = ("domain", "since", "")
        rows = [
            (one.domain, iso(one.decided_at_ms), "a person looks" if one.allow_with_approval else "refused")
            for one in domains
        ]
        for line in columns([head, *rows]):
            typer.echo(line)
        typer.echo(f"Mailboxes: {mailboxes}.")

    def block_mail(
        self,
        what: MailText,
        approval: Annotated[bool, typer.Option("--approval", help="Of a domain: a person looks.")] = False,
    ) -> None:
        """Let nobody sign up with a mailbox, however its address is written, or with mail of a domain."""

        async def blocked(services: AdminServices) -> str:
            permit = permit_to_moderate(services)
            if "@" not in what.strip().removeprefix("@"):
                made = await services.gate.act(
                    permit, lambda acting: mail.block_domain(acting, what, allow_with_approval=approval)
                )
                return made.domain
            mark = _mark(services, what)
            await services.gate.act(permit, lambda acting: mail.block_mailbox(acting, mark))
            return "This mailbox"

        typer.echo(f"{self._runner.run(blocked)} is blocked: nobody signs up with it.")

    def allow_mail(self, what: MailText) -> None:
        """Let people sign up with a mailbox or a domain again."""

        async def allowed(services: AdminServices) -> None:
            permit = permit_to_moderate(services)
            is_domain = "@" not in what.strip().removeprefix("@")
            mark = b"" if is_domain else _mark(services, what)

            async def allow(acting: Acting) -> None:
                if is_domain:
                    domains = await mail.domains(acting.tx, Page(limit=1), domain=what.strip().removeprefix("@"))
                    await mail.unblock_domain(acting, domains[0].id if domains else 0)
                else:
                    mailboxes = await mail.mailboxes(acting.tx, Page(limit=1), mark=mark)
                    await mail.unblock_mailbox(acting, mailboxes[0].id if mailboxes else 0)

            await services.gate.act(permit, allow)

        self._runner.run(allowed)
        typer.echo("People may sign up with it again.")

    def show_invites(self, name: Name) -> None:
        """Show who brought an account, and whom it brought, and by them, to the last."""
        for line in self._runner.run(lambda services: _tree(services, name)):
            typer.echo(line)

    def close_invites(self, name: Name) -> None:
        """Take back every open invite of an account. Who came by them stays."""

        async def closed(acting: Acting, account_id: int) -> int:
            made = [one for one in await invites.made_by(acting.tx, account_id) if one.is_open(acting.now_ms)]
            for one in made:
                await invite_actions.take_back(acting, one.id)
            return len(made)

        typer.echo(f"Taken back: {self._runner.moderate_account(name, closed)}.")


async def _networks(services: AdminServices) -> list[Stop]:
    async with services.database.read() as read:
        return await network_queries.listed(read, _EVERY)


def _network_row(stop: Stop) -> tuple[str, ...]:
    return (
        str(stop.network),
        stop.severity.value,
        iso(stop.decided_at_ms),
        iso(stop.until_ms),
        one_line(stop.reason),
    )


async def _mail(services: AdminServices) -> tuple[list[mail.DomainBlock], int]:
    async with services.database.read() as read:
        return await mail.domains(read, _EVERY), len(await mail.mailboxes(read, _EVERY))


def _mark(services: AdminServices, address: str) -> bytes:
    email = clean_email(address.strip())
    if email is None:
        raise Refused("email_invalid", "This is not an e-mail address.", status=422)
    return services.marks.mailbox(email)


async def _tree(services: AdminServices, name: str) -> list[str]:
    account_id = await id_of(services, name)
    async with services.database.read() as read:
        chain = await invites.chain_of(read, account_id)
        above = [one.inviter_id for one in reversed(chain)]
        names = {one.id: one.username for one in await accounts.by_ids(read, [*above, account_id])}
        lines = [f"{'  ' * depth}@{names[id_]}" for depth, id_ in enumerate([*above, account_id])]
        await _add_below(read, account_id, len(above) + 1, lines)
    return lines


async def _add_below(read: Read, account_id: int, depth: int, lines: list[str]) -> None:
    """A line for each that was brought, with those below them. Who is brought is newer: it ends."""
    if len(lines) >= _LINES_MAX:
        return
    brought = await invites.arrivals_by(read, [account_id])
    for one in await accounts.by_ids(read, [arrival.account_id for arrival in brought]):
        lines.append(f"{'  ' * depth}@{one.username}")
        await _add_below(read, one.id, depth + 1, lines)
