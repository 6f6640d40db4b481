"""The language of a post, where nobody said it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.posts import rules
from folkmoot.posts.language import detected
from folkmoot.posts.model import Draft


@pytest.mark.parametrize(
    ("source", "language"),
    [
        ("Good morning everybody, how are you today?", "en"),
        ("Guten Morgen zusammen", "de"),
        ("@alice https://a.example/the-english-words #hashtag Je ne sais pas quoi faire", "fr"),
        ("今日はとても寒いですね", "ja"),
        ("今天外面很冷", "zh"),
        ("오늘은 정말 추워요", "ko"),
        ("الجو بارد جدا اليوم", "ar"),
        ("היום קר מאוד\nבחוץ", "he"),
        ("आज बाहर बहुत ठंड है", "hi"),
        ("lol", None),
        ("👍🏽👍🏽👍🏽👍🏽", None),
        ("https://example.org/guten-morgen", None),
        ("", None),
        ("12345678", None),
    ],
)
def test_what_a_text_is_in(source: str, language: str | None) -> None:
    assert detected(source) == language


@given(st.text(max_size=300))
def test_any_text_is_in_a_language_or_in_none(source: str) -> None:
    found = detected(source)
    assert found is None or rules.clean_language(found) == found


def test_what_is_said_counts_more() -> None:
    assert rules.clean_draft(Draft(source="Guten Morgen zusammen", language="en-GB")).language == "en-GB"
    assert rules.clean_draft(Draft(source="Guten Morgen zusammen")).language == "de"
