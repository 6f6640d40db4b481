"""What may stand in a profile. Pure."""

from typing import Any

import msgspec

from folkmoot.accounts import rules
from folkmoot.accounts.model import Field
from folkmoot.accounts.profiles.model import Changes, PostingDefaults
from folkmoot.accounts.relations.rules import is_language
from folkmoot.gate import invalid

FIELDS_MAX = 4
FIELD_CHARACTERS_MAX = 255
_PRIVACIES = ("public", "unlisted", "private")
_QUOTE_POLICIES = ("public", "followers", "nobody")
_FLAGS = ("locked", "bot", "discoverable", "indexable", "hide_collections")


def account_columns(changes: Changes) -> dict[str, Any]:
    """The columns of the account that change, cleaned. Raises Refused 422."""
    columns = {name: value for name in _FLAGS if (value := getattr(changes, name)) is not None}
    if changes.display_name is not None:
        columns["display_name"] = rules.clean_display_name(changes.display_name)
    if changes.note is not None:
        columns["note"] = rules.clean_note(changes.note)
    if changes.fields is not None:
        columns["fields"] = [msgspec.to_builtins(one) for one in _clean_fields(changes.fields)]
    return columns


def changed_defaults(before: PostingDefaults, changes: Changes) -> PostingDefaults:
    """Raises Refused 422 for what is no privacy, no language or no policy."""
    language = before.language if changes.language is None else changes.language or None
    if language is not None and not is_language(language):
        raise invalid("Language is a code such as en")
    return PostingDefaults(
        privacy=_one_of(_PRIVACIES, changes.privacy or before.privacy, "Privacy"),
        sensitive=before.sensitive if changes.sensitive is None else changes.sensitive,
        language=language,
        quote_policy=_one_of(_QUOTE_POLICIES, changes.quote_policy or before.quote_policy, "Quote policy"),
    )


def _clean_fields(fields: tuple[Field, ...]) -> list[Field]:
    """Without those in which nothing stands."""
    kept = [
        Field(
            rules.clean_line(one.name, "field_name", "The name of a field", FIELD_CHARACTERS_MAX),
            rules.clean_line(one.value, "field_value", "A field", FIELD_CHARACTERS_MAX),
        )
        for one in fields[: FIELDS_MAX + 1]
        if one.name.strip() or one.value.strip()
    ]
    if len(kept) > FIELDS_MAX:
        raise invalid(f"A profile has at most {FIELDS_MAX} fields")
    if any(not one.name for one in kept):
        raise invalid("A field needs a name")
    return kept


def _one_of(values: tuple[str, ...], value: str, what: str) -> str:
    if value not in values:
        raise invalid(f"{what} is {', '.join(values[:-1])} or {values[-1]}")
    return value
