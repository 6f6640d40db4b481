"""What may be posted."""

import pytest

from folkmoot.gate import Refused
from folkmoot.posts.model import Draft
from folkmoot.posts.rules import clean_draft, require_attachable


@pytest.mark.parametrize(
    "draft",
    [
        Draft(source=""),
        Draft(source=" \n\t "),
        Draft(source="\u200b\u200d"),
        Draft(source="x" * 501),
        Draft(source="x" * 400, spoiler_text="y" * 101),
        Draft(source="e" + "\u0301" * 10_000),
        Draft(source="bell\x07"),
        Draft(source="null\x00"),
        Draft(source="half a pair \ud800"),
        Draft(source="x", language="not a language"),
        Draft(source="x", media_ids=(1, 2, 3, 4, 5)),
        Draft(source="x", idempotency_key="k" * 256),
    ],
)
def test_what_cannot_be_posted_is_refused(draft: Draft) -> None:
    with pytest.raises(Refused) as refusal:
        clean_draft(draft)
    assert refusal.value.status == 422


@pytest.mark.parametrize(
    "draft",
    [
        Draft(source="x" * 500),
        Draft(source=("https://example.com/" + "x" * 300 + " ") * 20),
        Draft(source="", media_ids=(1,)),
        Draft(source="👍"),
        Draft(source="tab\tand\nline", language="zh-Hant-TW"),
    ],
)
def test_what_can_be_posted_is_kept(draft: Draft) -> None:
    assert clean_draft(draft).source == draft.source.strip()


def test_a_content_warning_makes_it_sensitive_and_is_one_line() -> None:
    clean = clean_draft(Draft(source="x", spoiler_text=" a \n b "))
    assert (clean.spoiler_text, clean.sensitive) == ("a b", True)


def test_line_ends_are_made_one_kind() -> None:
    assert clean_draft(Draft(source="a\r\nb\rc")).source == "a\nb\nc"


def test_a_sound_stands_alone() -> None:
    require_attachable(["audio"])
    with pytest.raises(Refused):
        require_attachable(["audio", "audio"])
