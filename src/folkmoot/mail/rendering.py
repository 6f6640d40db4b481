"""A letter as MIME: text, and the same as simple HTML. Pure."""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from html import escape

import msgspec

from folkmoot.mail.model import Letter
from folkmoot.storage.jobs import Job

_HTML = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    '<body style="font-family: sans-serif; line-height: 1.5; max-width: 36em">{body}</body></html>'
)


def message(letter: Letter, job: Job, sender: str, server_name: str, now_ms: int) -> EmailMessage:
    """What is sent. `server_name` signs it; `now_ms`: Unix ms. Raises ValueError for a line break in a header.

    A job that is done again, because the process died when the letter was taken and before that was written down,
    makes the same Message-ID (RFC 5322, 3.6.4): by that mailboxes know it for the same letter.
    """
    made = EmailMessage()
    made["From"] = sender
    made["To"] = letter.to
    made["Subject"] = letter.subject
    made["Date"] = format_datetime(datetime.fromtimestamp(now_ms // 1000, UTC))
    made["Message-ID"] = f"<{_number(letter, job)}@{sender.rpartition('@')[2].rstrip('>')}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer by a program is wanted
    made.set_content(as_text(letter, server_name))
    made.add_alternative(as_html(letter, server_name), subtype="html")
    return made


def _number(letter: Letter, job: Job) -> str:
    """The same for the same letter of the same job. A job's id alone may come again after a backup is restored."""
    whole = msgspec.json.encode((job.id, job.kind, job.payload, letter.to, letter.subject))
    return sha256(whole).hexdigest()[:40]


def as_text(letter: Letter, server_name: str) -> str:
    link = [f"{letter.link[0]}:\n{letter.link[1]}"] if letter.link else []
    return "\n\n".join([*letter.paragraphs, *link, *letter.after, f"-- \n{server_name}"]) + "\n"


def as_html(letter: Letter, server_name: str) -> str:
    parts = [_paragraph(text) for text in letter.paragraphs]
    if letter.link is not None:
        words, address = letter.link
        parts.append(f'<p><a href="{escape(address)}">{escape(words)}</a><br>{escape(address)}</p>')
    parts += [_paragraph(text) for text in letter.after]
    parts.append(f"<hr><p>{escape(server_name)}</p>")
    return _HTML.format(title=escape(letter.subject), body="".join(parts))


def _paragraph(text: str) -> str:
    return f"<p>{escape(text).replace(chr(10), '<br>')}</p>"
