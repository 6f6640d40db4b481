"""What filters find: words in every script, whole or not, where and as long as they are for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.gate import Refused
from folkmoot.timelines.filters import rules
from folkmoot.timelines.filters.model import Context, Filter, Keyword, Treatment

NOW_MS = 1_000


def one(*keywords: tuple[str, bool], **fields: object) -> Filter:
    held = tuple(Keyword(number, word, whole) for number, (word, whole) in enumerate(keywords))
    basis: dict[str, object] = {"contexts": (Context.HOME,), "action": Treatment.WARN, "keywords": held}
    return Filter(id=1, account_id=2, title="t", **{**basis, **fields})  # type: ignore[arg-type]  # of a test


def finds(keyword: str, text: str, *, whole_word: bool) -> bool:
    return bool(rules.applied([one((keyword, whole_word))], text, {7}, Context.HOME, NOW_MS))


@pytest.mark.parametrize(
    ("keyword", "text", "inside", "whole"),
    [
        ("cat", "The Cat sat", True, True),
        ("cat", "concatenate", True, False),
        ("cat", "cat_s", True, False),
        ("cat", "a cat's", True, True),
        ("cat", "cat2", True, False),
        ("#tag", "see #tag!", True, True),
        ("#tag", "see x#tags", True, False),
        ("C++", "C++ and more", True, True),
        ("STRASSE", "die Straße", True, True),
        ("straße", "STRASSEN", True, False),
        ("İ", "i̇stanbul", True, False),
        ("ﬁsh", "FISH", True, True),  # a ligature
        ("cafe", "café", True, True),  # composed: nothing but e is at its end
        ("cafe", "cafe\u0301", True, True),
        ("कम", "कमल", True, False),
        ("कमल", "कमला", True, False),  # a vowel sign goes on
        ("کتاب", "این کتاب است", True, True),
        ("東京", "東京都に行く", True, True),
        ("ไทย", "ประเทศไทยสวย", True, True),
        ("cat", "猫cat猫", True, True),
        ("한국", "한국어", True, False),
        ("🐦", "so🐦so", True, True),
        ("two words", "Two  words", False, False),
        ("aa", "aaa aa", True, True),
        ("x", "", False, False),
    ],
)
def test_words(keyword: str, text: str, inside: bool, whole: bool) -> None:
    if keyword == "cafe":
        inside = whole = False  # é is another letter than e, however it is written
    assert (finds(keyword, text, whole_word=False), finds(keyword, text, whole_word=True)) == (inside, whole)


WORDS = st.text(st.characters(categories=["L", "M", "N", "S", "P"]), min_size=1, max_size=6)


@given(before=WORDS, word=WORDS, after=WORDS)
def test_a_word_between_spaces_is_whole_and_a_whole_one_is_inside(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    assert finds(word, text, whole_word=True)
    if finds(word, before + word + after, whole_word=True):
        assert finds(word, before + word + after, whole_word=False)
    assert finds(word.upper(), text, whole_word=True) or rules.fold(word.upper()) != rules.fold(word)


def test_where_and_how_long() -> None:
    for context in Context:
        held = one(("bird", True), contexts=(Context.HOME, Context.THREAD))
        found = rules.applied([held], "a bird", {7}, context, NOW_MS)
        assert bool(found) == (context in held.contexts)
    assert rules.applied([one(("bird", True))], "a bird", {7}, None, NOW_MS)
    for expires_at_ms, expected in ((NOW_MS + 1, True), (NOW_MS, False)):
        held = one(("bird", True), expires_at_ms=expires_at_ms)
        assert bool(rules.applied([held], "a bird", {7}, Context.HOME, NOW_MS)) == expected


def test_what_is_said_to_be_why() -> None:
    held = one(("bird", True), ("fish", False), ("none", True), statuses=((9, 7), (10, 8)))
    (found,) = rules.applied([held], "birdless? A bird! Shellfish.", {7}, Context.HOME, NOW_MS)
    assert (found.keywords, found.post_ids) == (("bird", "fish"), (7,))


@pytest.mark.parametrize("word", ["", " ", "\x00", "x" * 201, "\u202e"])
def test_what_is_no_keyword(word: str) -> None:
    with pytest.raises(Refused):
        rules.clean_keyword(word)


@pytest.mark.parametrize("contexts", [[], ["home", "nowhere"]])
def test_what_is_no_context(contexts: list[str]) -> None:
    with pytest.raises(Refused):
        rules.clean_contexts(contexts)
