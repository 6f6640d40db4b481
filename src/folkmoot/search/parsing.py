"""What somebody typed into the search, understood as Mastodon understands it. Pure; raises nothing for any text.

Words, "phrases", and filters as `name:value`; a `-` before any of them says that it must not be.
https://docs.joinmastodon.org/methods/search/ and the help of Mastodon's own client.
"""

import re
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from folkmoot.search.model import Query, Span
from folkmoot.storage import words

CHARACTERS_MAX = 1_000
TERMS_MAX = 20
_TERM = re.compile(
    r'(?P<minus>-)?(?:"(?P<phrase>[^"]*)"?|(?P<name>[a-z]+):"?(?P<value>[^\s"]+)"?|(?P<word>[^\s"]+))'
)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
# What is asked of the labels that `posts/indexed.py` gives. Mastodon calls a link's card `embed`.
_HAS = {one: one for one in ("media", "image", "gifv", "video", "audio", "poll", "link", "space")} | {
    "embed": "link",
    "card": "link",
    "images": "image",
}
_IS = frozenset({"reply", "sensitive", "quote"})
_LANGUAGE = re.compile(r"[a-z]{2,3}")


class _Term(msgspec.Struct, frozen=True):
    negated: bool
    name: str
    value: str


def parsed(typed: str) -> Query:
    """A filter whose value can't be finds nothing; one that doesn't exist is words."""
    query = Query()
    for match in list(_TERM.finditer(typed[:CHARACTERS_MAX]))[:TERMS_MAX]:
        negated = match["minus"] is not None
        name = match["name"] or ""
        if name in _FILTERS:
            query = _FILTERS[name](query, _Term(negated, name, match["value"].strip()))
        else:
            query = _with_words(query, match["phrase"] or match["word"] or match[0].lstrip("-"), negated=negated)
    return query


def _with_words(query: Query, text: str, *, negated: bool) -> Query:
    phrase = words.phrase(text)
    if phrase is None:
        return query
    return (
        replace(query, unwanted=(*query.unwanted, phrase))
        if negated
        else replace(query, wanted=(*query.wanted, phrase))
    )


def _label(query: Query, term: _Term, name: str) -> Query:
    phrase = words.label(name)
    return (
        replace(query, unwanted=(*query.unwanted, phrase))
        if term.negated
        else replace(query, wanted=(*query.wanted, phrase))
    )


def _nothing(query: Query) -> Query:
    return replace(query, finds_nothing=True)


def _from(query: Query, term: _Term) -> Query:
    author = term.value.removeprefix("@")
    if term.negated:
        return replace(query, other_authors=(*query.other_authors, author))
    return replace(query, authors=(*query.authors, author))


def _has(query: Query, term: _Term) -> Query:
    kind = _HAS.get(term.value.lower())
    return _label(query, term, f"has:{kind}") if kind is not None else _nothing(query)


def _is(query: Query, term: _Term) -> Query:
    state = term.value.lower()
    return _label(query, term, f"is:{state}") if state in _IS else _nothing(query)


def _language(query: Query, term: _Term) -> Query:
    language = words.language_label(term.value)
    if _LANGUAGE.fullmatch(language) is None:
        return _nothing(query)
    return _label(query, term, f"language:{language}")


def _in(query: Query, term: _Term) -> Query:
    where = term.value.lower()
    if where == "public":
        return _label(query, term, "in:public")
    if where == "library" and not term.negated:
        return replace(query, only_library=True)
    return query if where == "all" and not term.negated else _nothing(query)


def _time(query: Query, term: _Term) -> Query:
    whole = _span(term.value)
    if whole is None:
        return _nothing(query)
    span = {
        "before": Span(to_ms=whole.from_ms),
        "after": Span(from_ms=whole.to_ms),
        "during": whole,
    }[term.name]
    if term.negated:
        return replace(query, outside=(*query.outside, span))
    return replace(query, within=(*query.within, span))


_FILTERS = {
    "from": _from,
    "has": _has,
    "is": _is,
    "language": _language,
    "in": _in,
    "before": _time,
    "after": _time,
    "during": _time,
}


def _span(date: str) -> Span | None:
    """A day, a month or a year, in UTC. None for what is none."""
    match = _DATE.fullmatch(date)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first = datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
        if day is not None:
            end = first + timedelta(days=1)
        elif month is not None:
            end = (first + timedelta(days=31)).replace(day=1)
        else:
            end = first.replace(year=first.year + 1)
    except (ValueError, OverflowError):
        return None
    return Span(_ms(first), _ms(end))


def _ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)
