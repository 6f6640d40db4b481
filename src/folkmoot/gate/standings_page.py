"""Writes docs/standings.md from the table: `python -m folkmoot.gate.standings_page > docs/standings.md`."""

import sys

from folkmoot.gate.model import Action, Role, Standing
from folkmoot.gate.standings import ENDING, REASONS, STRICTEST_FIRST, TABLE, loses_rights, may_sanction

_HEAD = """\
# What each standing keeps

Made from `src/folkmoot/gate/standings.py` by `python -m folkmoot.gate.standings_page > docs/standings.md`; a test
compares the two. Nobody else in the program knows what a standing means, and what is not in this table is refused.

## Actions

"""
_SHOWN = """
`moderate` besides needs the role of a moderator or an owner. Reading without an account needs no standing.

## What they published

| standing | is shown to | can be given an end | what the person is told |
|---|---|---|---|
"""
_SANCTIONS = """
## Sanctions

Each decision is kept, with who decided it, why, and until when; a lift is written beside it. The standing is
derived from the decisions in force and kept nowhere else: the strictest holds, of two of a kind the one that ends
last, and when it is lifted or over (by the clock; no job has to run) whatever is below it holds. From the strictest
on: {order}. The same decision by the same person twice is one.

| who | decides about |
|---|---|
{authority}
Nobody decides about themselves, but to deactivate their account and come back; the last owner stays. The command
line decides about everybody: who can read the server's data is its operator. An appeal (once against each
suspension or limit) is decided by any moderator but the one who decided first, whoever it is about. Setting a new
password by a moderator's link lifts a lock and nothing else.

A program (an OAuth application) is stopped as a whole: its tokens and codes are deleted, what is open by them ends,
and it gets no new ones until it is allowed again.
"""
_CHANGES = """
What somebody said in other people's Spaces stays in the recording and in clips, the seat shown as a sanctioned
account.

## When a standing changes

A change that takes a right away raises the account's revocation counter: every token, ticket, link, socket, stream
and seat from before ends, and never opens anything again, also after the lift. Whoever is let back in signs in anew
and has everything that the table gives. These changes take something away:

| from | to |
|---|---|
"""


def page() -> str:
    """The whole page, Markdown."""
    return _HEAD + _actions() + _SHOWN + _shown() + _sanctions() + _CHANGES + _losses()


def _actions() -> str:
    lines = [
        "| action | " + " | ".join(standing.value for standing in Standing) + " |",
        "|---|" + ":-:|" * len(Standing),
    ]
    for action in Action:
        kept = ("✓" if action in TABLE[standing].actions else "–" for standing in Standing)
        lines.append(f"| {action.value} | " + " | ".join(kept) + " |")
    return "\n".join(lines) + "\n"


def _shown() -> str:
    return "".join(
        f"| {standing.value} | {TABLE[standing].shown.value} | {'yes' if standing in ENDING else 'no'} "
        f"| {REASONS.get(standing, '–')} |\n"
        for standing in Standing
    )


def _sanctions() -> str:
    authority = "".join(
        f"| {role.value} | {', '.join(other.value for other in Role if may_sanction(role, other)) or '–'} |\n"
        for role in Role
    )
    return _SANCTIONS.format(order=", ".join(one.value for one in STRICTEST_FIRST), authority=authority)


def _losses() -> str:
    return "".join(
        f"| {before.value} | {', '.join(after.value for after in Standing if loses_rights(before, after))} |\n"
        for before in Standing
        if any(loses_rights(before, after) for after in Standing)
    )


if __name__ == "__main__":
    sys.stdout.write(page())
