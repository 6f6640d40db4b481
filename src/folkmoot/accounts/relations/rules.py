"""What can be chosen, and how it is kept. Pure."""

import re
from collections.abc import Sequence

from folkmoot.accounts.relations.model import Choices
from folkmoot.accounts.rules import clean_lines
from folkmoot.gate import invalid

LANGUAGES_MAX = 50
NOTE_CHARACTERS_MAX = 2000
MUTE_SECONDS_MAX = 10 * 365 * 24 * 3600
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}", re.ASCII)


def clean_choices(choices: Choices) -> dict[str, bool | str | None]:
    """The columns that are chosen, as `follows` keeps them. Raises Refused 422 for what is no language."""
    columns: dict[str, bool | str | None] = {}
    if choices.reblogs is not None:
        columns["reblogs"] = choices.reblogs
    if choices.notify is not None:
        columns["notify"] = choices.notify
    if choices.languages is not None:
        columns["languages"] = _joined(choices.languages)
    return columns


def split_languages(kept: str | None) -> tuple[str, ...] | None:
    """`,de,en,` as it is shown."""
    return tuple(kept.strip(",").split(",")) if kept else None


def clean_note(note: str) -> str:
    """What somebody notes about another. Raises Refused 422."""
    return clean_lines(note, "comment", "A note", NOTE_CHARACTERS_MAX)


def mute_ends_at_ms(now_ms: int, duration_s: int | None) -> int | None:
    """None, 0: without end. Raises Refused 422 for what is no time."""
    if not duration_s:
        return None
    if not 0 < duration_s <= MUTE_SECONDS_MAX:
        raise invalid("duration is a number of seconds, at most ten years")
    return now_ms + duration_s * 1000


def is_language(text: str) -> bool:
    """A language as posts name theirs (BCP 47: the language, then what narrows it)."""
    return _LANGUAGE.fullmatch(text) is not None


def _joined(languages: Sequence[str]) -> str | None:
    if len(languages) > LANGUAGES_MAX or not all(is_language(one) for one in languages):
        raise invalid("languages are codes such as en")
    return f",{','.join(sorted(set(languages)))}," if languages else None
