"""Writes docs/standings.md from the table: `python -m folkmoot.gate.standings_page > docs/standings.md`."""

import sys

from folkmoot.gate.model import Action, Standing
from folkmoot.gate.standings import ENDING, REASONS, TABLE, loses_rights

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
    return _HEAD + _actions() + _SHOWN + _shown() + _CHANGES + _losses()


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


def _losses() -> str:
    return "".join(
        f"| {before.value} | {', '.join(after.value for after in Standing if loses_rights(before, after))} |\n"
        for before in Standing
        if any(loses_rights(before, after) for after in Standing)
    )


if __name__ == "__main__":
    sys.stdout.write(page())
