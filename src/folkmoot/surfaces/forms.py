"""Names of form fields as programs for Rails send them: `a[]` is a list, `a[b]` a field of a document, `a[][b]` a
field of documents in a list. Pure."""

import re
from collections.abc import Iterable
from typing import Any

from folkmoot.gate import Refused

DEPTH_MAX = 4
_NAME = re.compile(r"[^\[\]]+(?:\[[^\[\]]*\])+")
_PART = re.compile(r"\[([^\[\]]*)\]")
Document = dict[str, Any]


def nested(pairs: Iterable[tuple[str, Any]]) -> Document:
    """The fields as one document, like the same body in JSON. A name that is not made so is a name as it is.

    Raises Refused 422 for one that is deeper than any of ours, and where two say different things of one field.
    """
    document: Document = {}
    for name, value in pairs:
        parts = _parts(name)
        if len(parts) > DEPTH_MAX:
            raise _wrong(name)
        _put(document, parts, value, name)
    return document


def _parts(name: str) -> list[str]:
    if not _NAME.fullmatch(name):
        return [name]
    return [name.partition("[")[0], *_PART.findall(name)]


def _put(document: Document, parts: list[str], value: Any, name: str) -> None:
    first, *rest = parts
    if not rest:
        document[first] = value
        return
    if rest[0] != "":
        within = document.setdefault(first, {})
        if not isinstance(within, dict):
            raise _wrong(name)
        _put(within, rest, value, name)
        return
    items = document.setdefault(first, [])
    if not isinstance(items, list):
        raise _wrong(name)
    _append(items, rest[1:], value, name)


def _append(items: list[Any], parts: list[str], value: Any, name: str) -> None:
    """To the last document of a list, as long as that doesn't say the field already."""
    if not parts:
        items.append(value)
        return
    if not items or not isinstance(items[-1], dict) or _says(items[-1], parts):
        items.append({})
    _put(items[-1], parts, value, name)


def _says(document: Document, parts: list[str]) -> bool:
    first, *rest = parts
    if first not in document or rest[:1] == [""]:
        return False
    within = document[first]
    return not rest or not isinstance(within, dict) or _says(within, rest)


def _wrong(name: str) -> Refused:
    return Refused("validation_failed", f"Validation failed: {name[:100]} cannot be read", status=422)
