"""What may stand in a profile."""

import pytest

from folkmoot.accounts.model import Field
from folkmoot.accounts.profiles.model import Changes, PostingDefaults
from folkmoot.accounts.profiles.rules import FIELD_CHARACTERS_MAX, FIELDS_MAX, account_columns, changed_defaults
from folkmoot.gate import Refused


def test_only_what_is_given_changes() -> None:
    assert account_columns(Changes()) == {}
    assert account_columns(Changes(locked=False, display_name=" A ")) == {"locked": False, "display_name": "A"}


def test_empty_fields_are_none() -> None:
    rows = (Field("Web", " https://a.test "), Field("", ""), Field(" ", ""))
    assert account_columns(Changes(fields=rows)) == {"fields": [{"name": "Web", "value": "https://a.test"}]}


@pytest.mark.parametrize(
    "fields",
    [
        (Field("a", "b"),) * (FIELDS_MAX + 1),
        (Field("", "b"),),
        (Field("a", "x" * (FIELD_CHARACTERS_MAX + 1)),),
        (Field("a", "b\x00"),),
        (Field("a\nb", "b"),),
    ],
)
def test_fields_that_cannot_be(fields: tuple[Field, ...]) -> None:
    with pytest.raises(Refused):
        account_columns(Changes(fields=fields))


def test_defaults() -> None:
    before = PostingDefaults("unlisted", True, "de", "nobody")
    assert changed_defaults(before, Changes()) == before
    assert changed_defaults(before, Changes(language="", sensitive=False)) == PostingDefaults(
        "unlisted", False, None, "nobody"
    )


@pytest.mark.parametrize(
    "changes", [Changes(privacy="direct"), Changes(language="Deutsch!"), Changes(quote_policy="friends")]
)
def test_defaults_that_cannot_be(changes: Changes) -> None:
    with pytest.raises(Refused):
        changed_defaults(PostingDefaults(), changes)
