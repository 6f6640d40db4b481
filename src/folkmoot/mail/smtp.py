"""Handing letters over by SMTP (RFC 5321, 6409), with what went wrong said without a word of the letter."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage

from folkmoot.mail.model import Letter, MailServer
from folkmoot.mail.rendering import message
from folkmoot.storage.jobs import GiveUp, Job

TIMEOUT_S = 30.0
_PERMANENT = range(500, 600)


class NotSent(Exception):
    """Nobody took the letter; it is tried again. Says which step failed: never whom to, nor what."""


class Mailer:
    """One for each process that sends. `context`: whose certificates are believed; by default the system's."""

    def __init__(self, server: MailServer, server_name: str, context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._server_name = server_name
        self._context = context or ssl.create_default_context()

    async def send(self, letter: Letter, job: Job, now_ms: int) -> None:
        """Hand the letter of a job over, in a thread. Raises NotSent, and GiveUp where it is refused for good."""
        made = message(letter, job, self._server.sender, self._server_name, now_ms)
        await asyncio.to_thread(self._deliver, made)

    def _deliver(self, made: EmailMessage) -> None:
        # What these exceptions say quotes addresses and the server's own words: only the number is kept.
        try:
            with self._connect() as connection:
                if self._server.user:
                    connection.login(self._server.user, self._server.password)
                connection.send_message(made)
        except smtplib.SMTPRecipientsRefused as refused:
            raise _refusal(max(code for code, _ in refused.recipients.values())) from None
        except smtplib.SMTPAuthenticationError as refused:
            raise NotSent(f"The mail server takes neither name nor password ({refused.smtp_code}).") from None
        except smtplib.SMTPConnectError as refused:
            raise NotSent(f"The mail server takes no connection ({refused.smtp_code}).") from None
        except smtplib.SMTPResponseException as refused:
            raise _refusal(refused.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise NotSent("The mail server has no STARTTLS, no passwords, or no addresses in Unicode.") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(f"The mail server can't be talked to ({type(error).__name__}).") from None

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.security == "tls":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=self._context)
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        if server.security == "starttls":
            try:
                connection.starttls(context=self._context)
            except BaseException:
                connection.close()
                raise
        return connection


def _refusal(code: int) -> Exception:
    if code in _PERMANENT:
        return GiveUp(f"The mail server refused the letter for good ({code}).")
    return NotSent(f"The mail server refused the letter for now ({code}).")
