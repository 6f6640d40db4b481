"""`folkmoot admin`: what each command does, says and refuses."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from sqlalchemy import insert, update
from tests.support.waiting import PATIENCE_S
from typer.testing import CliRunner, Result

from folkmoot.accounts import queries
from folkmoot.accounts.actions import NewAccount, create_account
from folkmoot.accounts.marks import Marks
from folkmoot.accounts.oauth.actions import register
from folkmoot.accounts.oauth.model import NewApplication
from folkmoot.accounts.passwords import Passwords
from folkmoot.clips.redacting import Carrying
from folkmoot.gate import Acting, Action, Gate, Refused, Role, Standing, Viewer
from folkmoot.gate.actions import impose
from folkmoot.media.depot import Depot
from folkmoot.media.processing import Workshop
from folkmoot.moderation.reports import actions as reports
from folkmoot.moderation.reports.model import About, Category
from folkmoot.posts import actions as posts
from folkmoot.posts import edits
from folkmoot.posts.model import Draft as PostDraft
from folkmoot.spaces import actions as spaces
from folkmoot.spaces.commands import Start
from folkmoot.spaces.model import Draft
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.objects import ObjectStore
from folkmoot.storage.tables.credentials import totp_secrets
from folkmoot.storage.tables.people import credentials
from folkmoot.surfaces.cli.admin import build_admin
from folkmoot.surfaces.cli.running import AdminServices
from folkmoot.tape.encode import StepEncoder
from folkmoot.tape.model import Note
from folkmoot.tape.redactions import read_redactions
from folkmoot.tape.writer import TapeWriter

Answer = TypeVar("Answer")


class Terminal:
    """Types commands against one database."""

    def __init__(self, database_url: str, doorbells: Path) -> None:
        self._database_url = database_url
        self._doorbells = doorbells
        self.directory = doorbells.parent

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AdminServices]:
        database = Database(self._database_url, slot=63, ring=Doorbell(self._doorbells).ring)
        try:
            gate = Gate(database)
            objects = ObjectStore.open(str(self.directory / "media"))
            carrying = Carrying(gate, objects, self.directory / "tapes")
            depot = Depot(objects, Workshop(self.directory / "work", at_once_max=1))
            known, remote = Marks(b"m" * 32), self.directory / "remote-media"
            yield AdminServices(database, gate, "https://moot.example", carrying, known, depot, remote)
        finally:
            await database.close()

    def run(self, *words: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(build_admin(self.open), list(words), input=typed)

    def says(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    def refuses(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        return result.stderr.strip()

    def ask(self, question: Callable[[AdminServices], Awaitable[Answer]]) -> Answer:
        async def opened() -> Answer:
            async with self.open() as services:
                return await question(services)

        return asyncio.run(opened())

    def holds(self, name: str, password: str) -> bool:
        """Whether this is the account's password."""

        async def stored(services: AdminServices) -> bool:
            async with services.database.read() as read:
                found = await queries.credentials_of(read, name)
            assert found is not None
            return await Passwords().verify(password, found[1])

        return self.ask(stored)

    def identify(self, token: str) -> Viewer:
        return self.ask(lambda services: services.gate.identify(token))


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal(database_url, tmp_path / "doorbells")


def test_an_account_with_a_made_password_can_sign_in(terminal: Terminal) -> None:
    said = terminal.says("create", "Bela", "--role", "moderator")
    match = re.fullmatch(r"@Bela was created as moderator\.\nPassword: (\S{20})", said)
    assert match is not None
    assert terminal.holds("bela", match[1])


def test_a_password_from_standard_input_stands_in_no_list_of_processes(terminal: Terminal) -> None:
    assert terminal.run("create", "bela", "--password", "-", typed="a long password\n").exit_code == 0

    async def stored(services: AdminServices) -> bool:
        async with services.database.read() as read:
            found = await queries.credentials_of(read, "bela")
        assert found is not None
        return await Passwords().verify("a long password", found[1])

    assert terminal.ask(stored)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("a b", "--password", "a long password"), "A username"),
        (("bela", "--password", "short"), "at least 10 characters"),
        (("taken", "--password", "a long password"), "taken"),
    ],
)
def test_what_is_no_account(terminal: Terminal, words: tuple[str, ...], sentence: str) -> None:
    terminal.says("create", "taken", "--password", "a long password")
    assert sentence in terminal.refuses("create", *words)


def test_a_new_password_ends_what_was_held(terminal: Terminal) -> None:
    terminal.says("create", "Bela", "--password", "the first password")
    token = terminal.says("token", "bela")
    said = terminal.says("password", "@Bela")
    match = re.fullmatch(r"@Bela has a new password, and is signed out everywhere\.\nPassword: (\S{20})", said)
    assert match is not None
    assert terminal.holds("bela", match[1])
    with pytest.raises(Refused):
        terminal.identify(token)
    assert "Password" not in terminal.says("password", "bela", "--password", "the third password")
    assert terminal.holds("bela", "the third password")
    typed = CliRunner().invoke(
        build_admin(terminal.open), ["password", "bela", "--password", "-"], input="the fourth password\n"
    )
    assert typed.exit_code == 0
    assert terminal.holds("bela", "the fourth password")
    assert "at least 10 characters" in terminal.refuses("password", "bela", "--password", "short")
    assert terminal.refuses("password", "nobody") == "There is no account @nobody."


def test_suspended_and_back(terminal: Terminal) -> None:
    terminal.says("create", "reporter")
    token = terminal.says("token", "@reporter", "--scopes", "read write")
    assert terminal.identify(token).scopes == {"read", "write"}
    assert terminal.says("suspend", "reporter", "--reason", "rule 3") == "@reporter is suspended without end."
    with pytest.raises(Refused):
        terminal.identify(token)
    assert terminal.identify(terminal.says("token", "reporter")).standing is Standing.SUSPENDED
    assert re.search(r"^@reporter +member +suspended +rule 3", terminal.says("list"), re.MULTILINE)
    terminal.says("reinstate", "reporter")
    with pytest.raises(Refused):
        terminal.identify(token)
    assert terminal.identify(terminal.says("token", "reporter")).standing is Standing.ACTIVE
    assert terminal.refuses("reinstate", "reporter") == "Nothing of the kind is on this account."
    assert terminal.refuses("approve", "reporter") == "This account doesn't wait for approval."


def test_a_suspension_with_an_end(terminal: Terminal) -> None:
    terminal.says("create", "reporter")
    assert "ahead" in terminal.refuses("suspend", "reporter", "--reason", "x", "--until", "2001-01-01T00:00Z")
    said = terminal.says("suspend", "reporter", "--reason", "rule 3", "--until", "2999-01-31T12:00+01:00")
    assert said == "@reporter is suspended until 2999-01-31T11:00:00+00:00."
    for end in ("tomorrow", "2999-01-31T12:00"):
        assert terminal.run("suspend", "reporter", "--reason", "x", "--until", end).exit_code == 2


def test_many_are_suspended_at_once(terminal: Terminal) -> None:
    for name in ("spammer", "scammer", "bela"):
        terminal.says("create", name, "--role", "owner" if name == "bela" else "member")
    said = terminal.says("suspend", "spammer", "@scammer", "--reason", "spam")
    assert said.splitlines()[-1] == "2 of 2 are suspended."
    again = terminal.run("suspend", "spammer", "bela", "scammer", "--reason", "spam")
    assert again.exit_code == 1
    assert again.stdout.splitlines()[-1] == "2 of 3 are suspended."
    assert again.stderr.startswith("@bela: This is the server's last owner.")
    assert terminal.refuses("suspend", "spammer", "nobody", "--reason", "x") == "There is no account @nobody."


def test_nobody_of_that_name(terminal: Terminal) -> None:
    for command in (("token",), ("suspend", "--reason", "x"), ("reinstate",), ("approve",)):
        assert terminal.refuses(*command, "nobody") == "There is no account @nobody."


def test_the_owner_link_is_there_until_there_is_an_owner(terminal: Terminal) -> None:
    assert terminal.says("owner-link").startswith("https://moot.example/setup?secret=")
    terminal.says("create", "bela", "--role", "owner")
    assert "has an owner" in terminal.refuses("owner-link")
    assert "last owner" in terminal.refuses("suspend", "bela", "--reason", "x")


def test_what_people_wrote_is_no_markup_in_the_list(terminal: Terminal) -> None:
    terminal.says("create", "reporter")
    terminal.says("suspend", "reporter", "--reason", "[bold]rule 3[/bold] [link=https://evil.test]here[/link]")
    assert "[bold]rule 3[/bold] [link=https://evil.test]here[/link]" in terminal.says("list")


def test_a_running_process_hears_of_it_at_once(terminal: Terminal, tmp_path: Path, database_url: str) -> None:
    terminal.says("create", "reporter")

    async def heard() -> None:
        doorbell, wake = Doorbell(tmp_path / "doorbells"), asyncio.Event()
        with doorbell.heard_by(wake):
            async with doorbell.listening(database_url):
                wake.clear()
                await asyncio.to_thread(terminal.says, "suspend", "reporter", "--reason", "rule 3")
                await asyncio.wait_for(wake.wait(), PATIENCE_S)

    asyncio.run(heard())


def recorded_space(terminal: Terminal) -> int:
    """A live Space with four seconds of silence on its tape."""

    async def hold(services: AdminServices) -> int:
        permit = services.gate.permit_system(Action.MODERATE, "test")
        hana = NewAccount("hana", password_hash="none")
        host_id = await services.gate.act(permit, lambda acting: create_account(acting, hana, Role.MEMBER))
        async with services.database.read() as read:
            host = await services.gate.as_account(read, host_id)
        space = await services.gate.act(
            services.gate.permit(host, Action.OPEN_SPACE),
            lambda acting: spaces.create(acting, Draft(title="Letters"), page_url="https://moot.example/spaces"),
        )
        await services.gate.act(
            services.gate.permit(host, Action.TAKE_PART),
            lambda acting: spaces.command(acting, space.id, Start()),
        )
        return space.id

    space_id = terminal.ask(hold)
    writer = TapeWriter.open(terminal.directory / "tapes" / str(space_id), lambda: 0)
    encoder = StepEncoder(writer.next_samples)
    for _ in range(200):
        if parts := encoder.encode(np.zeros(960, np.int16)):
            writer.append(parts, Note())
    writer.release()
    return space_id


def test_a_range_is_taken_out_also_of_a_live_space(terminal: Terminal) -> None:
    space_id = recorded_space(terminal)
    said = terminal.says("redact", str(space_id), "0:01.25", "2.5", "--reason", "unlawful")
    assert said == f"1.3 s of Space {space_id} are taken out, from every clip too."
    (line, *_) = read_redactions(terminal.directory / "tapes" / str(space_id))
    assert (line.redaction.by, line.redaction.reason) == ("operator", "unlawful")
    assert terminal.refuses("redact", "12", "0:01", "0:02", "--reason", "other")
    assert terminal.refuses("redact", str(space_id), "9:00", "9:01", "--reason", "other")
    assert terminal.run("redact", str(space_id), "1:2:3:4", "0:02", "--reason", "other").exit_code == 2
    assert terminal.refuses("redact", str(space_id), "0:01", "0:02", "--reason", "consent_withdrawn")


def test_limited_suspended_and_lifted_one_after_the_other(terminal: Terminal) -> None:
    terminal.says("create", "reporter")
    assert terminal.says("limit", "@reporter", "--reason", "rule 4") == "@reporter is limited without end."
    assert terminal.says("suspend", "reporter", "--reason", "rule 3").startswith("@reporter is suspended")
    left = "The sanction on @reporter is lifted. It is limited still: lift that too."
    assert terminal.says("lift", "reporter") == left
    assert terminal.says("lift", "reporter") == "The sanction on @reporter is lifted."
    assert "Nothing of the kind" in terminal.refuses("lift", "reporter")
    told = terminal.says("show", "reporter")
    assert told.startswith("@reporter (member): active\n")
    assert re.search(r"suspended by the system: rule 3 \(lifted 2", told)


def test_what_is_left_is_said_with_the_way_on(terminal: Terminal) -> None:
    terminal.says("create", "bela")

    async def waits(services: AdminServices) -> None:
        async with services.database.read() as read:
            account = await queries.by_username(read, "bela")
        assert account is not None
        permit = services.gate.permit_system(Action.MODERATE, "test")
        await services.gate.act(permit, lambda acting: impose(acting, account.id, Standing.AWAITING_APPROVAL))

    terminal.ask(waits)
    terminal.says("suspend", "bela", "--reason", "rule 3")
    left = "The sanction on @bela is lifted. The account waits for approval still: approve it, or reject it."
    assert terminal.says("lift", "bela") == left


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_id_is_said(terminal: Terminal) -> None:
    for words in (
        "reports show {}",
        "reports resolve {}",
        "spaces show {}",
        "clips remove {} --reason 3",
        "programs allow {}",
        "announcements withdraw {}",
        "redact {} 0:01 0:02 --reason other",
        "suspend bela --reason 3 --space {}=ends",
    ):
        for number in ("99999999999999999999", "x"):
            result = terminal.run(*words.format(number).split())
            assert (result.exit_code, "is no id" in result.stderr) == (2, True), (words, result.output)


def test_accounts_are_found(terminal: Terminal) -> None:
    for name in ("ana", "anabel", "cleo"):
        terminal.says("create", name)
    terminal.says("suspend", "anabel", "--reason", "rule 3")
    assert [line.split()[0] for line in terminal.says("find", "ana").splitlines()] == ["account", "@anabel", "@ana"]
    found = terminal.says("find", "--standing", "suspended").splitlines()
    assert [line.split()[0] for line in found[1:]] == ["@anabel"]


def test_a_role_is_given_and_taken_and_the_last_owner_stays(terminal: Terminal) -> None:
    terminal.says("create", "bela", "--role", "owner")
    terminal.says("create", "cleo")
    assert terminal.says("role", "cleo", "moderator") == "@cleo is moderator, and was member."
    token = terminal.says("token", "cleo")
    assert terminal.identify(token).role is Role.MODERATOR
    assert terminal.says("role", "cleo", "member") == "@cleo is member, and was moderator."
    with pytest.raises(Refused):
        terminal.identify(token)
    assert "last owner" in terminal.refuses("role", "bela", "member")


def test_who_waits_is_let_in_or_removed(terminal: Terminal) -> None:
    terminal.says("create", "ana")
    assert "doesn't wait" in terminal.refuses("reject", "ana")

    async def wait(services: AdminServices) -> None:
        async with services.database.read() as read:
            account = await queries.by_username(read, "ana")
        assert account is not None
        permit = services.gate.permit_system(Action.MODERATE, "test")
        await services.gate.act(permit, lambda acting: impose(acting, account.id, Standing.AWAITING_APPROVAL))

    terminal.ask(wait)
    assert terminal.says("reject", "ana") == "@ana is not let in, and removed."
    assert terminal.refuses("show", "ana") == "There is no account @ana."


def test_the_queue_of_reports(terminal: Terminal) -> None:
    for name in ("ana", "troll"):
        terminal.says("create", name)

    async def report(services: AdminServices) -> str:
        async with services.database.read() as read:
            found = [await queries.by_username(read, name) for name in ("ana", "troll")]
            assert found[0] is not None
            ana = await services.gate.as_account(read, found[0].id)
            troll = await services.gate.admit_one(read, ana, found[1], "Account")
            seller = await services.gate.as_account(read, troll.item.id)
        writing = services.gate.permit(seller, Action.POST)
        post = await services.gate.act(
            writing, lambda acting: posts.create_post(acting, PostDraft(source="buy this"))
        )
        permit = services.gate.permit(ana, Action.REPORT)
        about = About(post_ids=(post.id,))
        made = await services.gate.act(
            permit, lambda acting: reports.report(acting, troll, about, Category.SPAM, "he sells\nthings")
        )
        await services.gate.act(
            writing, lambda acting: edits.edit(acting, post.id, PostDraft(source="nice weather"), descriptions={})
        )
        deleting = services.gate.permit(seller, Action.DELETE_POST)
        await services.gate.act(deleting, lambda acting: posts.delete_post(acting, post.id))
        return str(made.id)

    first = terminal.ask(report)
    listed = terminal.says("reports", "list").splitlines()
    assert re.fullmatch(rf"{first}  2\S+  @troll +@ana +spam +– +open +he sells things", listed[1])
    shown = terminal.says("reports", "show", first)
    assert re.search(r"^posts: +\d+$", shown, re.MULTILINE)
    assert "he sells\nthings\n" in shown
    assert re.search(r"as it was reported: buy this\nFrom 2\S+ on: nice weather$", shown)
    assert terminal.says("reports", "resolve", first) == f"Report {first} is closed."
    assert len(terminal.says("reports", "list").splitlines()) == 1
    assert "nothing" in terminal.says("reports", "list", "--resolved")
    second = terminal.ask(report)
    terminal.says("suspend", "troll", "--reason", "spam")
    assert "suspended" in terminal.says("reports", "show", second)
    for command in ("show", "resolve"):
        assert "no" in terminal.refuses("reports", command, "404")


def test_a_locked_account_and_its_way_out(terminal: Terminal) -> None:
    terminal.says("create", "reporter", "--password", "the first password")
    token = terminal.says("token", "reporter")
    said = terminal.says("lock", "reporter", "--reason", "a leaked list")
    assert said == "@reporter is locked. What sets a new password: folkmoot admin password-link"
    with pytest.raises(Refused):
        terminal.identify(token)
    assert terminal.says("password-link", "@reporter").startswith("https://moot.example/password?secret=")
    assert terminal.refuses("password-link", "nobody") == "There is no account @nobody."


def test_a_program_is_stopped_and_let_in_again(terminal: Terminal) -> None:
    new = NewApplication("App", None, ("https://app.test",), "read")

    async def register_one(services: AdminServices) -> int:
        permit = services.gate.permit_system(Action.AUTHORIZE, "test")
        return (await services.gate.act(permit, lambda acting: register(acting, new)))[0].id

    program = str(terminal.ask(register_one))
    assert "is stopped" in terminal.says("programs", "stop", program, "--reason", "a flood")
    assert re.search(rf"^{program} +0 .* a flood$", terminal.says("programs", "list"), re.MULTILINE)
    assert "ask people anew" in terminal.says("programs", "allow", program)
    assert terminal.refuses("programs", "stop", "5", "--reason", "x") == "There is no such program."


def test_a_host_of_another_network_is_stopped_by_name(terminal: Terminal) -> None:
    said = terminal.says("hosts", "suspend", "Bad.Example.", "--reason", "spam", "--note", "by post")
    assert said == "bad.example is suspended, and all that is below it."
    assert terminal.says("hosts", "allow", "good.bad.example").startswith("good.bad.example is allowed")
    listed = terminal.says("hosts", "list")
    assert re.search(r"^bad.example +suspended .* spam +by post$", listed, re.MULTILINE)
    assert terminal.says("hosts", "lift", "bad.example") == "Nothing is decided about bad.example any more."
    assert terminal.refuses("hosts", "lift", "bad.example") == "Nothing is decided about bad.example itself."
    assert terminal.refuses("hosts", "limit", "moot.example") == "That is this server."
    assert "no host's name" in terminal.refuses("hosts", "limit", "a b")


async def _live_space(services: AdminServices) -> int:
    async with services.database.read() as read:
        account = await queries.by_username(read, "cohen")
        assert account is not None
        viewer = await services.gate.as_account(read, account.id)
    draft = Draft(title="Tonight")

    async def work(acting: Acting) -> int:
        made = await spaces.create(acting, draft, page_url="https://moot.example/spaces")
        return (await spaces.command(acting, made.id, Start())).id

    return await services.gate.act(services.gate.permit(viewer, Action.OPEN_SPACE), work)


def test_a_space_is_muted_removed_and_lifted(terminal: Terminal) -> None:
    terminal.says("create", "cohen", "--password", "the first password")
    space = str(terminal.ask(_live_space))
    said = terminal.says("spaces", "mute", space, "--reason", "a raid", "--until", "2100-01-01T00:00Z")
    assert said.startswith(f"Space {space}: muted until 2100-01-01T00:00:00+00:00")
    assert terminal.says("spaces", "remove", space, "--reason", "rule 4").startswith(f"Space {space}: removed")
    assert terminal.says("spaces", "lift", space).startswith(f"Space {space}: muted")
    assert "rule 4 (lifted" in terminal.says("spaces", "show", space)
    assert terminal.refuses("spaces", "remove", "5", "--reason", "x") == "There is no such Space."
    assert terminal.refuses("clips", "remove", "5", "--reason", "x") == "There is no such clip."


def test_what_becomes_of_a_suspended_hosts_space(terminal: Terminal) -> None:
    terminal.says("create", "cohen", "--password", "the first password")
    space = str(terminal.ask(_live_space))
    why = ("--reason", "rule 3")
    assert "no co-host" in terminal.refuses("suspend", "cohen", *why, "--space", f"{space}=goes_on")
    assert "name another" in terminal.refuses("suspend", "cohen", *why, "--space", f"{space}=@cohen")
    assert terminal.run("suspend", "cohen", *why, "--space", "tonight").exit_code == 2
    assert terminal.says("suspend", "cohen", *why, "--space", f"{space}=ends") == "@cohen is suspended without end."


def test_links_for_a_server_without_mail(terminal: Terminal) -> None:
    terminal.says("create", "carol", "--password", "four words in a row")
    assert terminal.refuses("email-link", "carol") == "This account gave no address that is to be confirmed."
    assert terminal.refuses("second-factor-link", "carol") == "This account has no second factor."

    async def give(services: AdminServices) -> None:
        async with services.database.read() as read:
            found = await queries.by_username(read, "carol")
        assert found is not None
        permit = services.gate.permit_system(Action.SIGN_IN, "test")
        await services.gate.act(permit, lambda acting: set_up(acting, found.id))

    async def set_up(acting: Acting, account_id: int) -> None:
        mail = update(credentials).where(credentials.c.account_id == account_id).values(email="carol@mail.example")
        await acting.tx.connection.execute(mail)
        made = {"sealed": b"", "made_at_ms": 0, "confirmed_at_ms": 1}
        await acting.tx.connection.execute(insert(totp_secrets).values(account_id=account_id, **made))

    terminal.ask(give)
    for command, page in (("email-link", "confirm-email"), ("second-factor-link", "second-factor")):
        assert terminal.says(command, "carol").startswith(f"https://moot.example/{page}?secret=")


def test_an_account_is_deleted(terminal: Terminal) -> None:
    terminal.says("create", "carol", "--password", "four words in a row")
    assert "add --yes" in terminal.run("delete", "carol").stdout
    assert terminal.says("delete", "carol", "--yes") == "@carol is shut, and being deleted by the running server."
    assert terminal.refuses("delete", "carol", "--yes") == "This account is going to be deleted already."
    assert "deactivated" in terminal.says("list")
