"""A mail server on loopback that takes letters as any other does (aiosmtpd), and people who read them."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from folkmoot.accounts.letters import Letters
from folkmoot.gate import Gate
from folkmoot.mail.model import Letter
from folkmoot.mail.smtp import Mailer
from folkmoot.moderation.notices import Notices
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.jobs import Handler, Job, Worker

USER, PASSWORD = "moot", "the mail server's password"


class MailServer:
    """Keeps what it took. `answer`: what it says to a recipient instead."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answer = ""
        self.port = 0

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.recipients += envelope.rcpt_tos
        content = cast(bytes, envelope.original_content)
        self.letters.append(message_from_bytes(content, policy=policy.default))
        return "250 OK"


@asynccontextmanager
async def mail_server(certificate: tuple[Path, Path] | None = None) -> AsyncIterator[MailServer]:
    """With a certificate: STARTTLS before anything else, and a name and password before a letter."""
    server = MailServer()
    options: dict[str, Any] = {"hostname": "mail.test", "loop": asyncio.get_running_loop()}
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        options |= {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": _knows,
        }
    listening = await asyncio.get_running_loop().create_server(lambda: SMTP(server, **options), "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    right = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=data == right, handled=False)


class Readers(Mailer):
    """Takes letters out of the jobs and keeps them, as if everybody had read theirs."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    @property
    def server_name(self) -> str:
        return "Moot"

    async def send(self, letter: Letter, job: Job, now_ms: int) -> None:
        self.letters.append(letter)

    async def read(self, database: Database, base_url: str = "http://moot.test") -> list[Letter]:
        """Run what is due, and return the letters that came of it."""
        self.letters.clear()
        gate = Gate(database)
        kinds: dict[str, Handler] = {
            **Letters(gate, base_url, self).handlers(),
            **Notices(gate, base_url, self).handlers(),
        }
        worker = Worker(database, kinds, doorbell=Doorbell(Path("/nonexistent")))
        while await worker.step():
            pass
        return list(self.letters)


def secret_in(letter: Letter) -> str:
    """Of the link."""
    assert letter.link is not None
    found = re.search(r"[?&]secret=([\w-]+)$", letter.link[1])
    assert found, letter.link
    return found[1]
