"""Words as both databases' indexes keep them: pure."""

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage import words
from folkmoot.storage.words import Match, Phrase

TEXTS = st.one_of(
    st.text(max_size=80), st.text(st.sampled_from("ab 東京猫한국สวดी'\"*():=&|!<>-_\\\u0301"), max_size=40)
)


@given(TEXTS)
def test_a_token_is_nothing_that_means_something_else(text: str) -> None:
    for token in words.tokens(text):
        assert token
        assert not set(token) & set(" '\"*():=&|!<>-_\\\0")


@given(TEXTS, TEXTS)
def test_what_is_asked_for_is_found_in_what_holds_it(one: str, other: str) -> None:
    asked = words.phrase(one)
    kept = words.tokens(f"{other}\n{one}\n{other}")
    if asked is None:
        assert words.tokens(one) == []
        return
    width = len(asked.tokens)
    windows = [tuple(kept[at : at + width]) for at in range(len(kept) - width + 1)]
    if asked.is_prefix:
        *whole, last = asked.tokens
        assert any(list(window[:-1]) == whole and window[-1].startswith(last) for window in windows)
    else:
        assert asked.tokens in windows


def test_both_languages_say_the_same() -> None:
    wanted = Match(
        (Phrase(("green", "tea")), Phrase(("猫",), is_prefix=True), words.label("from:1")), (Phrase(("milk",)),)
    )
    assert words.fts5_query(wanted) == '("green tea" AND "猫" * AND "=from:1") NOT "milk"'
    assert words.tsquery(wanted) == "'green' <-> 'tea' & '猫':* & '=from:1' & !('milk')"
    either = Match((Phrase(("tea",)),), (Phrase(("milk",)),), (words.label("from:1"), words.label("from:2")))
    assert words.fts5_query(either) == '("tea" AND ("=from:1" OR "=from:2")) NOT "milk"'
    assert words.tsquery(either) == "'tea' & ('=from:1' | '=from:2') & !('milk')"
    assert words.fts5_row(["a", "b", "a"], ["post"]) == "a b a =post"
    assert words.tsvector_row(["a", "b", "a"], ["post"]) == "'a':1,3 'b':2 '=post':4"
