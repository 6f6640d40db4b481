"""What is typed into the search is understood, whatever it is."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.search.model import Query, Span
from folkmoot.search.parsing import TERMS_MAX, parsed
from folkmoot.storage.words import Phrase, label

PIECES = st.sampled_from(
    ["from:", "has:", "before:", "-", '"', "me", "2026-01-31", "media", "in:library", "is:reply", " ", "東", "AND",
     ")", "'", "*", "\\", ":", "=post", "\x00", "language:de", "NOT", "<->", "a"]
)  # fmt: skip


def ms(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type, misc]


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=20).map("".join)))
def test_anything_typed_is_understood_as_something(typed: str) -> None:
    query = parsed(typed)
    phrases = (*query.wanted, *query.unwanted)
    assert len(phrases) + len(query.authors) + len(query.within) <= TERMS_MAX
    for phrase in phrases:
        assert phrase.tokens
        # Nothing that means something in either database's own language gets through.
        assert not set("\"'*()&|!<>\\- \0").intersection("".join(phrase.tokens))


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("", Query()),
        ("Tea Café", Query(wanted=(Phrase(("tea",)), Phrase(("cafe",))))),
        ('"green tea" -milk', Query(wanted=(Phrase(("green", "tea")),), unwanted=(Phrase(("milk",)),))),
        ('"never closed', Query(wanted=(Phrase(("never", "closed")),))),
        ("e-mail", Query(wanted=(Phrase(("e", "mail")),))),
        ("from:me -from:@Bob@here.example", Query(authors=("me",), other_authors=("Bob@here.example",))),
        ("has:poll -has:media", Query(wanted=(label("has:poll"),), unwanted=(label("has:media"),))),
        ("has:embed", Query(wanted=(label("has:link"),))),
        ("has:wings", Query(finds_nothing=True)),
        ("is:reply language:pt-BR", Query(wanted=(label("is:reply"), label("language:pt")))),
        ("in:library in:all in:public", Query(wanted=(label("in:public"),), only_library=True)),
        ("before:2026-02-01", Query(within=(Span(to_ms=ms(2026, 2, 1)),))),
        ("after:2026-01-31", Query(within=(Span(from_ms=ms(2026, 2, 1)),))),
        ("during:2026-01", Query(within=(Span(ms(2026, 1, 1), ms(2026, 2, 1)),))),
        ("-during:2025", Query(outside=(Span(ms(2025, 1, 1), ms(2026, 1, 1)),))),
        ("before:2026-02-31", Query(finds_nothing=True)),
        ("during:9999", Query(finds_nothing=True)),
        ("https://a.example/b", Query(wanted=(Phrase(("https", "a", "example", "b")),))),
        ("re:zero", Query(wanted=(Phrase(("re", "zero")),))),
        ("- -- ::", Query()),
        ("東京", Query(wanted=(Phrase(("東京",)),))),
        ("猫", Query(wanted=(Phrase(("猫",), is_prefix=True),))),
    ],
)
def test_what_is_typed_means(typed: str, query: Query) -> None:
    assert parsed(typed) == query


def test_what_only_excludes_asks_nothing() -> None:
    assert not parsed("-milk").asks_something
    assert parsed("from:me -milk").asks_something
