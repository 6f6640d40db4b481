"""A letter, and the server that takes it. Plain data."""

from typing import Literal

import msgspec

Security = Literal["starttls", "tls", "none"]
PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}


class MailServer(msgspec.Struct, frozen=True):
    """Where letters are handed over (RFC 6409). `security`: STARTTLS (RFC 3207), TLS from the first byte
    (RFC 8314), or none."""

    host: str
    port: int
    security: Security
    user: str
    password: str
    sender: str  # what stands in From


class Letter(msgspec.Struct, frozen=True):
    """One letter to one person. `link`: the one thing to do, with its words."""

    to: str
    subject: str
    paragraphs: tuple[str, ...]
    link: tuple[str, str] | None = None  # (what it does, its address)
    after: tuple[str, ...] = ()  # what stands below the link
