"""Letters, as the settings say who takes them."""

from collections.abc import Mapping

from folkmoot.accounts.letters import Letters
from folkmoot.gate import Gate
from folkmoot.mail.model import PORTS, MailServer
from folkmoot.mail.smtp import Mailer
from folkmoot.moderation.notices import Notices
from folkmoot.settings import Settings
from folkmoot.storage.jobs import Handler


def mailer(settings: Settings) -> Mailer | None:
    """None where no mail server is set."""
    if not settings.smtp_host:
        return None
    security = settings.smtp_security
    server = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port or PORTS[security],
        security=security,
        user=settings.smtp_user,
        password=settings.smtp_password,
        sender=settings.mail_from,
    )
    return Mailer(server, settings.title)


def letters(gate: Gate, base_url: str, mailer: Mailer | None) -> Mapping[str, Handler]:
    """The jobs that write letters; none without a mail server."""
    if mailer is None:
        return {}
    return {**Letters(gate, base_url, mailer).handlers(), **Notices(gate, base_url, mailer).handlers()}
