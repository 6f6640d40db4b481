"""Writes docs/standings.md from the table: `python -m folkmoot.gate.standings_page > docs/standings.md`."""

import sys
from collections.abc import Iterable, Mapping

from folkmoot.gate.model import Action, Kind, Role, Standing
from folkmoot.gate.standings import (
    ENDING,
    REASONS,
    STRICTEST_FIRST,
    TABLE,
    TABLES,
    TOLD,
    Rights,
    loses_rights,
    may_sanction,
)

_HEAD = """\
# What each standing keeps

Made from `src/folkmoot/gate/standings.py` by `python -m folkmoot.gate.standings_page > docs/standings.md`; a test
compares the two. Nobody else in the program knows what a standing means, and what is not in this table is refused.

## Actions of accounts

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

"""
_THINGS = """
## Spaces, clips, programs, hosts

What somebody does needs their own standing and that of what they do it to. Each table says which actions are left
to people, whoever they are, with a thing of each standing; those that no standing takes are left out. The decisions
are kept, end, and are lifted like those about accounts, by the same people: a moderator decides about members'
Spaces and clips, nobody about their own. Who hosts the Space, or cut the clip, can appeal.
"""
_ABOUT = {
    Kind.SPACE: (
        "A Space",
        """\
A Space that is *removed* ends, if it is live, and every connection to it with it. Its page is a tombstone that says
why; sound, replay, download, clips and the post that announced it are shown to nobody. Nothing is deleted: a lift
brings all of it back. In one that is *muted* the stage is silent for everybody until the end, and people are told
so; nobody loses a seat, a place in the queue or what was recorded before.""",
    ),
    Kind.MEMBER: (
        "Somebody in one Space",
        """\
By its host or a co-host, with or without an end (a mute always with one); the Space itself keeps it. Who is
*muted* for a time can stay on stage and can't open the microphone; at the end they open it themselves. Who is
*removed* sees a public Space as everybody does who has no account, and nothing of a closed one.""",
    ),
    Kind.CLIP: (
        "A clip",
        """\
The post that it hangs on stays, with a tombstone in place of the sound; the file's addresses are dead.""",
    ),
    Kind.APPLICATION: (
        "A program (an OAuth application)",
        """\
One that is *stopped* is stopped as a whole: its tokens and codes are deleted, what is open by them ends, and it
gets no new ones until it is allowed again.""",
    ),
    Kind.HOST: (
        "A host of another network",
        """\
By its name and all names below it; what is decided about the narrowest name holds, so that one can be allowed
(*active*) below another that is suspended. An account of the host stands under what the host does, besides what is
decided about itself.""",
    ),
}
_KIND = """
### {name}

{text}

"""
_CHANGES = """
What somebody said in other people's Spaces stays in the recording and in clips, the seat shown as a sanctioned
account.

## When a standing changes

A change that takes a right away raises the account's revocation counter: every token, ticket, link, socket, stream
and seat from before ends, and never opens anything again, also after the lift. Whoever is let back in signs in anew
and has everything that the table gives; what they signed in with while suspended ends with the suspension. These
changes take something away:

| from | to |
|---|---|
"""


def page() -> str:
    """The whole page, Markdown."""
    things = "".join(_thing(kind) for kind in _ABOUT)
    return (
        _HEAD + _actions(TABLE, Action) + _SHOWN + _shown() + _sanctions() + _CHANGES + _losses() + _THINGS + things
    )


def _actions(table: Mapping[Standing, Rights], actions: Iterable[Action]) -> str:
    lines = [
        "| action | " + " | ".join(standing.value for standing in table) + " |",
        "|---|" + ":-:|" * len(table),
    ]
    for action in actions:
        kept = ("✓" if action in rights.actions else "–" for rights in table.values())
        lines.append(f"| {action.value} | " + " | ".join(kept) + " |")
    return "\n".join(lines) + "\n"


def _thing(kind: Kind) -> str:
    name, text = _ABOUT[kind]
    table = TABLES[kind]
    taken = [action for action in Action if any(action not in rights.actions for rights in table.values())]
    rows = "".join(
        f"| {standing.value} | {rights.shown.value} | {'yes' if standing in ENDING[kind] else 'no'} "
        f"| {TOLD[kind].get(standing, '–')} |\n"
        for standing, rights in table.items()
    )
    head = "| standing | is shown to | can be given an end | what people are told |\n|---|---|---|---|\n"
    return _KIND.format(name=name, text=text) + _actions(table, taken) + "\n" + head + rows


def _shown() -> str:
    return "".join(
        f"| {standing.value} | {rights.shown.value} | {'yes' if standing in ENDING[Kind.ACCOUNT] else 'no'} "
        f"| {REASONS.get(standing, '–')} |\n"
        for standing, rights in TABLE.items()
    )


def _sanctions() -> str:
    authority = "".join(
        f"| {role.value} | {', '.join(other.value for other in Role if may_sanction(role, other)) or '–'} |\n"
        for role in Role
    )
    return _SANCTIONS.format(
        order=", ".join(one.value for one in STRICTEST_FIRST if one in TABLE), authority=authority
    )


def _losses() -> str:
    return "".join(
        f"| {before.value} | {', '.join(after.value for after in TABLE if loses_rights(before, after))} |\n"
        for before in TABLE
        if any(loses_rights(before, after) for after in TABLE)
    )


if __name__ == "__main__":
    sys.stdout.write(page())
