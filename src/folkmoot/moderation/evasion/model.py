"""What a new account has in common with another one. Plain data."""

from enum import StrEnum

import msgspec

from folkmoot.accounts.marks import Marks
from folkmoot.gate import Standing


class Kind(StrEnum):
    """In what two accounts are alike, from the surest on."""

    MAILBOX = "mailbox"
    BROWSER = "browser"
    ADDRESS = "address"


class Sureness(StrEnum):
    """How sure it is that both are one person. Never sure: a mailbox is not verified, and browsers are lent."""

    LIKELY = "likely"
    POSSIBLE = "possible"
    WEAK = "weak"


SURENESS = {Kind.MAILBOX: Sureness.LIKELY, Kind.BROWSER: Sureness.POSSIBLE, Kind.ADDRESS: Sureness.WEAK}


class Arriving(msgspec.Struct, frozen=True):
    """From where somebody signs in or up, as marks. `browser` None: it had no cookie and has none yet."""

    address: bytes
    browser: bytes | None = None
    mailbox: bytes | None = None


class Match(msgspec.Struct, frozen=True):
    """Another account that was seen with the same. `users`: accounts that were, in all."""

    kind: Kind
    account_id: int
    standing: Standing
    seen_at_ms: int
    users: int = 1


class Hint(msgspec.Struct, frozen=True):
    """Why a person looks at a sign-up. `since_ms`: when the other's sanction was decided; None without one now."""

    account_id: int
    other_id: int
    kind: Kind
    seen_at_ms: int
    standing: Standing
    since_ms: int | None


class SameBrowser(msgspec.Struct, frozen=True):
    """In a Space: somebody who is there uses a browser from which somebody else was removed."""

    account_id: int
    removed_id: int


def arriving(marks: Marks, address: str, browser: str | None, email: str | None = None) -> Arriving:
    """`address`: as limits count it; `browser`: the cookie's value."""
    return Arriving(
        marks.address(address),
        marks.browser(browser) if browser else None,
        marks.mailbox(email) if email else None,
    )
