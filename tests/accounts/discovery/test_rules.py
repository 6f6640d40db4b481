"""By which words people are found."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.accounts.discovery.rules import ASKED_WORDS_MAX, WORD_CHARACTERS_MAX, asked_words, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("José  O'Neill", ["jose", "o", "neill"]),
        ("ÅNGSTRÖM ångström", ["angstrom"]),
        ("анна-мария", ["анна", "мария"]),
        ("🌊 wave_rider 2", ["wave_rider", "2"]),
        ("", []),
        ("…", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@settings(max_examples=40)
@given(st.text())
def test_words_are_short_and_stay_what_they_are(text: str) -> None:
    found = words(text)
    assert all(0 < len(word) <= WORD_CHARACTERS_MAX for word in found)
    assert set(asked_words(text)) <= set(found)
    assert len(asked_words(text)) <= ASKED_WORDS_MAX
