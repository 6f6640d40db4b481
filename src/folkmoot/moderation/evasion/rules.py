"""Which likeness holds a sign-up until a person has looked. Pure: the time is an argument.

It is a reason to look and never a verdict: nobody is refused for it, and a school, a family's tablet or the address
of a mobile network must not shut everybody out who uses it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from folkmoot.gate import Standing
from folkmoot.gate.model import Sanction
from folkmoot.gate.standings import holding
from folkmoot.moderation.evasion.model import Hint, Kind, Match

DAY_MS = 86_400_000
BROWSERS_KEPT_MS = 90 * DAY_MS
ADDRESSES_KEPT_MS = 30 * DAY_MS
ADDRESS_HOLDS_MS = 7 * DAY_MS
SHARED_BY = 5  # an address that so many accounts use says nothing of one of them
HINTS_KEPT_MS = 90 * DAY_MS
SANCTIONED = frozenset({Standing.SUSPENDED, Standing.LIMITED})


def decided(held: Iterable[Sanction], now_ms: int) -> Sanction:
    """What moderators decided about an account, also where it is shut by its owner or locked besides: who shuts a
    limited account and signs up anew is looked at. Active without such a thing."""
    return holding((one for one in held if one.standing in SANCTIONED), now_ms)


def worth_a_look(matches: Iterable[Match], now_ms: int) -> list[Match]:
    """The matches that hold a sign-up: for each other account the surest.

    A mailbox that somebody has already; a browser of a sanctioned account; the address of one, as long as few use
    it and it was used within a week.
    """
    surest: dict[int, Match] = {}
    for match in matches:
        known = surest.get(match.account_id)
        if _holds(match, now_ms) and (known is None or _surer(match.kind, known.kind)):
            surest[match.account_id] = match
    return list(surest.values())


def sentence(hint: Hint, username: str) -> str:
    """What moderators read of it."""
    stands = ""
    if hint.standing in SANCTIONED and hint.since_ms is not None:
        stands = f", {hint.standing.value} on {_day(hint.since_ms)},"
    used = f"used last on {_day(hint.seen_at_ms)}"
    if hint.kind is Kind.MAILBOX:
        return f"This sign-up gave the e-mail address that @{username}{stands} has; whose it is was not checked."
    if hint.kind is Kind.BROWSER:
        return f"This sign-up came from a browser that @{username}{stands} {used}. Browsers are lent and shared."
    return (
        f"This sign-up came from an address that @{username}{stands} {used}. "
        "That says little: homes, schools and mobile networks share addresses."
    )


def _day(unix_ms: int) -> str:
    return f"{datetime.fromtimestamp(unix_ms / 1000, UTC):%Y-%m-%d}"


def _holds(match: Match, now_ms: int) -> bool:
    if match.kind is Kind.MAILBOX:
        return True
    if match.standing not in SANCTIONED:
        return False
    age_ms = now_ms - match.seen_at_ms
    if match.kind is Kind.BROWSER:
        return age_ms < BROWSERS_KEPT_MS
    return age_ms < ADDRESS_HOLDS_MS and match.users < SHARED_BY


def _surer(kind: Kind, other: Kind) -> bool:
    return list(Kind).index(kind) < list(Kind).index(other)
