"""`folkmoot admin networks`, `mail`, `invites`."""

from pathlib import Path

import pytest
from tests.surfaces.cli.test_admin import Terminal

from folkmoot.accounts.actions import Entry, NewAccount, create_account
from folkmoot.accounts.invites import actions as invites
from folkmoot.accounts.marks import Marks
from folkmoot.gate import Action, Role
from folkmoot.moderation.evasion import actions as evasion
from folkmoot.moderation.evasion.model import arriving
from folkmoot.surfaces.cli.running import AdminServices


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal(database_url, tmp_path / "doorbells")


def test_a_network_is_stopped_and_let_in(terminal: Terminal) -> None:
    words = ("networks", "stop", "203.0.113.7/24", "--reason", "A flood", "--until", "2999-01-31T12:00Z")
    assert terminal.run(*words).output == (
        "203.0.113.0/24 is stopped until 2999-01-31T12:00:00+00:00 (no_access).\n"
    )
    listed = terminal.run("networks", "list").output.splitlines()
    assert listed[0].split() == ["network", "severity", "since", "until", "why"]
    assert listed[1].startswith("203.0.113.0/24  no_access")
    assert terminal.run("networks", "lift", "203.0.113.0/24").output == "203.0.113.0/24 is let in again.\n"
    refused = terminal.run("networks", "lift", "203.0.113.0/24")
    assert (refused.exit_code, refused.output) == (1, "This network isn't stopped.\n")


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        ("0.0.0.0/0", "This is half the Internet"),
        ("nobody", "Write an address or a network"),
        ("203.0.0.0/16", "Confirm it if you mean it"),
    ],
)
def test_what_is_no_narrow_stop(terminal: Terminal, network: str, sentence: str) -> None:
    refused = terminal.run("networks", "stop", network, "--reason", "A flood")
    assert refused.exit_code == 1
    assert sentence in refused.output


def test_a_large_one_is_confirmed(terminal: Terminal) -> None:
    words = ("--reason", "A flood", "--severity", "sign_up_block", "--confirm")
    assert terminal.run("networks", "stop", "203.0.0.0/16", *words).exit_code == 0


def test_mail_is_blocked_and_allowed(terminal: Terminal) -> None:
    assert terminal.run("mail", "block", "T.Roll@gmail.com").output.startswith("This mailbox is blocked")
    assert terminal.run("mail", "block", "@Trash.Example", "--approval").output.startswith("trash.example is")
    listed = terminal.run("mail", "list").output
    assert "trash.example" in listed
    assert "a person looks" in listed
    assert "Mailboxes: 1." in listed
    assert "troll" not in listed
    for what in ("troll+x@googlemail.com", "trash.example"):
        assert terminal.run("mail", "allow", what).exit_code == 0
        assert terminal.run("mail", "allow", what).output == "There is no such block.\n"
    assert "not an e-mail address" in terminal.run("mail", "block", "a@b").output


def test_who_brought_whom(terminal: Terminal) -> None:
    async def brought(services: AdminServices) -> None:
        gate, system = services.gate, services.gate.permit_system(Action.SIGN_IN, "test")
        new = NewAccount("alice", "none")
        by = await gate.act(system, lambda acting: create_account(acting, new, Role.MEMBER))
        for name in ("nora", "olga", "pia"):
            async with services.database.read() as read:
                viewer = await gate.as_account(read, by)
            made = await gate.act(
                gate.permit(viewer, Action.INVITE),
                lambda acting: invites.make(acting, "everybody", uses=2, lasts_s=3_600),
            )
            entry = Entry("closed", "everybody", made.id)
            marks = arriving(Marks(b"m" * 32), f"of {name}", None)
            guest = NewAccount(name, "none")
            by = await gate.act(system, lambda acting: evasion.sign_up(acting, guest, marks, entry))  # noqa: B023

    terminal.ask(brought)
    assert terminal.run("invites", "show", "olga").output == "@alice\n  @nora\n    @olga\n      @pia\n"
    assert terminal.run("invites", "close", "alice").output == "Taken back: 1.\n"
    assert terminal.run("invites", "close", "alice").output == "Taken back: 0.\n"
