"""Titles, topics and language tags: cleaned, or refused with a sentence. Pure.

What a text *says* is not judged here; only whether it is one visible line of a bounded length.
"""

import re
import unicodedata

from folkmoot.spaces.refusals import (
    TITLE_CHARACTERS_MAX,
    TOPIC_CHARACTERS_MAX,
    TOPICS_MAX,
    Code,
    RefusalError,
)

# Controls, surrogates (no UTF-8 for them), line and paragraph separators.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Format characters stay, for joiners make emoji and Persian; those that reorder the text around them do not.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and symbols by category, yet nothing that anybody sees.
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0")

# The common shape of RFC 5646, 2.1: language, script, region, variants. Extensions say nothing of a Space.
_LANGUAGE = re.compile(
    r"(?P<language>[a-z]{2,3})(-(?P<script>[a-z]{4}))?(-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3})){0,2})",
    re.IGNORECASE | re.ASCII,
)


def _one_line(text: str, characters: Code) -> str:
    clean = unicodedata.normalize("NFC", text).strip()
    for character in clean:
        if unicodedata.category(character) in _REFUSED_CATEGORIES or character in _REORDERING:
            raise RefusalError(characters)
    return clean


def _visible(text: str) -> bool:
    return any(unicodedata.category(c)[0] in "LNPS" and c not in _INVISIBLE for c in text)


def clean_title(title: str) -> str:
    """The title in NFC without outer spaces. Raises RefusalError."""
    clean = _one_line(title, Code.TITLE_CHARACTERS)
    if not _visible(clean):
        raise RefusalError(Code.TITLE_EMPTY)
    if len(clean) > TITLE_CHARACTERS_MAX:
        raise RefusalError(Code.TITLE_TOO_LONG)
    return clean


def clean_topics(topics: tuple[str, ...]) -> tuple[str, ...]:
    """The topics in NFC without outer spaces; one that differs from an earlier one in case only is left out.
    Raises RefusalError."""
    if len(topics) > TOPICS_MAX:
        raise RefusalError(Code.TOPICS_TOO_MANY)
    kept: dict[str, str] = {}
    for topic in topics:
        clean = _one_line(topic, Code.TOPIC_CHARACTERS)
        if not _visible(clean):
            raise RefusalError(Code.TOPIC_EMPTY)
        if len(clean) > TOPIC_CHARACTERS_MAX:
            raise RefusalError(Code.TOPIC_TOO_LONG)
        kept.setdefault(clean.casefold(), clean)
    return tuple(kept.values())


def clean_language(tag: str) -> str:
    """The tag in its canonical case (zh-Hant-TW). Raises RefusalError."""
    match = _LANGUAGE.fullmatch(tag.strip())
    if match is None:
        raise RefusalError(Code.LANGUAGE_INVALID)
    parts = [match["language"].lower()]
    if match["script"]:
        parts.append(match["script"].title())
    if match["region"]:
        parts.append(match["region"].upper())
    return "-".join(parts) + match["variants"].lower()
