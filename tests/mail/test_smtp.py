"""Letters handed over to a real SMTP server on loopback."""

import socket
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support.certificates import Authority
from tests.support.mail import PASSWORD, USER, mail_server

from folkmoot.mail.model import Letter, MailServer, Security
from folkmoot.mail.rendering import message
from folkmoot.mail.smtp import Mailer, NotSent
from folkmoot.storage.jobs import GiveUp, Job

LETTER = Letter(
    to="carol@mail.example",
    subject="Confirm – it is <you>",
    paragraphs=("Somebody & somebody gave this address.",),
    link=("Confirm it", "https://moot.example/confirm-email?secret=canary&x=1"),
    after=("The link works once.",),
)
JOB = Job(7, "mail", "mail.confirm", {"account": "1"}, 1)


def server(port: int, security: Security, user: str = "", password: str = "") -> MailServer:
    return MailServer("localhost", port, security, user, password, "The Moot <moot@moot.example>")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("mail"))


async def test_by_starttls_with_a_password(authority: Authority) -> None:
    async with mail_server(authority.issue("mail")) as mail:
        settings = server(mail.port, "starttls", USER, PASSWORD)
        await Mailer(settings, "The Moot", authority.client()).send(LETTER, JOB, 1_700_000_000_000)
    (letter,) = mail.letters
    assert mail.recipients == ["carol@mail.example"]
    assert (letter["From"], letter["To"]) == ("The Moot <moot@moot.example>", "carol@mail.example")
    assert letter["Subject"] == "Confirm – it is <you>"
    assert (letter["Auto-Submitted"], letter["Date"]) == ("auto-generated", "Tue, 14 Nov 2023 22:13:20 +0000")
    assert letter["Message-ID"].endswith("@moot.example>")
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Confirm it:\r\nhttps://moot.example/confirm-email?secret=canary&x=1\r\n" in text.get_content()
    assert '<a href="https://moot.example/confirm-email?secret=canary&amp;x=1">' in html.get_content()
    assert "Somebody &amp; somebody" in html.get_content()


async def test_to_a_server_on_this_machine() -> None:
    async with mail_server() as mail:
        await Mailer(server(mail.port, "none"), "The Moot").send(LETTER, JOB, 0)
    assert mail.recipients == ["carol@mail.example"]


async def test_what_goes_wrong_is_said_without_a_word_of_the_letter(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path)
    async with mail_server(authority.issue("mail")) as mail:
        for settings, believes, says in (
            (server(mail.port, "starttls", USER, "not it"), authority, "(535)"),
            (server(mail.port, "starttls", USER, PASSWORD), stranger, "(SSLCertVerificationError)"),
            (server(mail.port, "none"), authority, "(530)"),
            (server(_free_port(), "starttls"), authority, "(ConnectionRefusedError)"),
        ):
            with pytest.raises((NotSent, GiveUp)) as failed:
                await Mailer(settings, "The Moot", believes.client()).send(LETTER, JOB, 0)
            assert says in str(failed.value)
            assert not [word for word in ("carol", "canary", "not it") if word in repr(failed.value)]
    assert not mail.letters


async def test_a_server_without_starttls_is_told_nothing() -> None:
    async with mail_server() as mail:
        with pytest.raises(NotSent, match="no STARTTLS"):
            await Mailer(server(mail.port, "starttls"), "The Moot").send(LETTER, JOB, 0)
    assert not mail.letters


@pytest.mark.parametrize(
    ("answer", "what"), [("550 no such mailbox carol", GiveUp), ("451 not now, carol", NotSent)]
)
async def test_a_refused_recipient(answer: str, what: type[Exception]) -> None:
    async with mail_server() as mail:
        mail.answer = answer
        with pytest.raises(what) as refused:
            await Mailer(server(mail.port, "none"), "The Moot").send(LETTER, JOB, 0)
    assert "carol" not in str(refused.value)
    assert refused.value.__cause__ is None


async def test_no_line_break_gets_into_a_header() -> None:
    for letter in (Letter("a@b.c\r\nBcc: d@e.f", "x", ()), Letter("a@b.c", "x\r\nBcc: d@e.f", ())):
        with pytest.raises(ValueError):
            await Mailer(server(1, "none"), "The Moot").send(letter, JOB, 0)


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def test_a_letter_that_is_sent_again_is_known_by_its_number() -> None:
    def number(letter: Letter = LETTER, job: Job = JOB) -> str:
        return str(message(letter, job, "The Moot <moot@moot.example>", "The Moot", 0)["Message-ID"])

    other_link = replace(LETTER, link=("Confirm it", "https://moot.example/confirm-email?secret=another"))
    assert number(other_link, replace(JOB, attempt=2)) == number()
    others = {
        number(job=replace(JOB, id=8)),
        number(job=replace(JOB, payload={"account": "2"})),
        number(replace(LETTER, to="dave@mail.example")),
        number(replace(LETTER, subject="Another")),
    }
    assert len(others | {number()}) == 5
    assert number().endswith("@moot.example>")
