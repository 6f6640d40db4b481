from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.spaces.refusals import Code, RefusalError
from folkmoot.spaces.text import clean_language, clean_title, clean_topics


def refusal(check: Callable[[], object]) -> Code:
    with pytest.raises(RefusalError) as caught:
        check()
    return caught.value.refused.code


@pytest.mark.parametrize("title", ["", "   ", "\u200b\u200d", "\u2800", "\u3164", "\u0301"])
def test_a_title_can_be_seen(title: str) -> None:
    assert refusal(lambda: clean_title(title)) is Code.TITLE_EMPTY


@pytest.mark.parametrize("title", ["a\nb", "a\x00b", "a\x85b", "a\u2028b", "a\u202eb", "a\ud800b"])
def test_a_title_is_one_honest_line(title: str) -> None:
    assert refusal(lambda: clean_title(title)) is Code.TITLE_CHARACTERS


def test_a_titles_length_is_that_of_its_composed_form() -> None:
    assert clean_title("  " + "e\u0301" * 120 + " ") == "\u00e9" * 120
    assert refusal(lambda: clean_title("e" * 121)) is Code.TITLE_TOO_LONG
    assert clean_title("\U0001f468\u200d\U0001f469\u200d\U0001f467") == "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@given(st.text(st.characters(), max_size=130))
def test_cleaning_a_title_twice_changes_nothing(title: str) -> None:
    try:
        clean = clean_title(title)
    except RefusalError:
        return
    assert clean_title(clean) == clean
    clean.encode()


def test_topics() -> None:
    assert clean_topics((" News ", "news", "Law")) == ("News", "Law")
    assert refusal(lambda: clean_topics(("a", "b", "c", "d"))) is Code.TOPICS_TOO_MANY
    assert refusal(lambda: clean_topics((" ",))) is Code.TOPIC_EMPTY
    assert refusal(lambda: clean_topics(("a" * 41,))) is Code.TOPIC_TOO_LONG
    assert refusal(lambda: clean_topics(("a\tb",))) is Code.TOPIC_CHARACTERS


@pytest.mark.parametrize(
    ("tag", "clean"),
    [("en", "en"), ("PT-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419"), ("de-1996", "de-1996")],
)
def test_languages(tag: str, clean: str) -> None:
    assert clean_language(tag) == clean


@pytest.mark.parametrize("tag", ["", "e", "english", "en_US", "en-", "en\n-US", "\u0435n", "x" * 10_000])
def test_what_is_no_language(tag: str) -> None:
    assert refusal(lambda: clean_language(tag)) is Code.LANGUAGE_INVALID
