"""Bodies as programs for Rails send them. Pure.

Names of form fields: `a[]` is a list, `a[b]` a field of a document, `a[][b]` a
field of documents in a list.
Values, in JSON too: numbers, and yes or no, as text; ids as numbers.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from folkmoot.gate import Refused, invalid

Body = TypeVar("Body")
DEPTH_MAX = 4
NUMBER_MAX = 2**63 - 1
SAID = dict.fromkeys(("1", "t", "true", "on", "yes"), True) | dict.fromkeys(("0", "f", "false", "off", "no"), False)
# What a value of JSON is before it is cast; of all other types a value stays what it is.
_NATIVE: dict[type[inspect.Type], type | tuple[type, ...]] = {
    inspect.NoneType: type(None),
    inspect.BoolType: bool,
    inspect.IntType: int,
    inspect.FloatType: (int, float),
    inspect.StrType: str,
    inspect.LiteralType: str,
    inspect.EnumType: str,
    inspect.ListType: list,
    inspect.DictType: dict,
    inspect.StructType: dict,
}
_NAME = re.compile(r"[^\[\]]+(?:\[[^\[\]]*\])+")
_PART = re.compile(r"\[([^\[\]]*)\]")
_PART_NAME = re.compile(rb';[ \t]*name="([^"]*)"', re.IGNORECASE)
_IN_A_LIST = re.compile(r"([^\[\]]+(?:\[[^\[\]]+\])*\[\])\[")
Document = dict[str, Any]


def as_sent(document: Any, kind: type[Body]) -> Body:
    """The document as a `kind`. Raises msgspec.ValidationError for what it can't be."""
    hashable: Any = kind  # as every class is, but mypy can't tell
    return msgspec.convert(cast(document, _described(hashable)), kind, strict=False)


@cache
def _described(kind: type) -> inspect.Type:
    return inspect.type_info(kind)


def cast(value: Any, wanted: inspect.Type) -> Any:
    """The value as Rails would take it for a field of this type; what it can't be stays what it is."""
    match wanted:
        case inspect.UnionType(types=types):
            return _of_several(value, types)
        case inspect.BoolType() if isinstance(value, str):
            return SAID.get(value.lower(), value)
        case inspect.StrType() if isinstance(value, int) and not isinstance(value, bool):
            return str(value) if abs(value) <= NUMBER_MAX else value
        case inspect.ListType(item_type=item) if isinstance(value, list):
            return [cast(one, item) for one in value]
        case inspect.DictType(value_type=item) if isinstance(value, dict):
            return {name: cast(one, item) for name, one in value.items()}
        case inspect.StructType(fields=fields) if isinstance(value, dict):
            types_of = {field.encode_name: field.type for field in fields}
            return {name: cast(one, types_of[name]) if name in types_of else one for name, one in value.items()}
    return value


def _of_several(value: Any, types: Sequence[inspect.Type]) -> Any:
    """Nothing said in a field that is no text is nothing."""
    fitting = [one for one in types if isinstance(value, _NATIVE.get(type(one), object))]
    if not fitting and value == "" and any(isinstance(one, inspect.NoneType) for one in types):
        return None
    others = [one for one in types if not isinstance(one, inspect.NoneType)]
    return cast(value, (fitting or others)[0])


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


def part_names(body: bytes, boundary: str) -> list[str]:
    """The names of the parts of a multipart body (RFC 7578), in order, as far as they are written as usual."""
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]
    found = (_PART_NAME.search(part.partition(b"\r\n\r\n")[0]) for part in parts)
    return [one[1].decode(errors="replace") for one in found if one is not None]


def in_turn(fields: Mapping[str, Sequence[Any]], order: Sequence[str] = ()) -> list[tuple[str, Any]]:
    """Fields of which is known what each name was given, in the `order` of the names where that has all of them;
    else documents in a list one after another.

    Raises Refused 422 where these don't all say the same fields: which of them says what is not known then.
    """
    if Counter(order) == {name: len(given) for name, given in fields.items()}:
        left = {name: iter(given) for name, given in fields.items()}
        return [(name, next(left[name])) for name in order]
    lists: dict[str, list[str]] = {}
    for name in fields:
        found = _IN_A_LIST.match(name)
        lists.setdefault(found[1] if found else name, []).append(name)
    pairs: list[tuple[str, Any]] = []
    for names in lists.values():
        if len({len(fields[name]) for name in names}) > 1:
            raise _wrong(names[-1])
        pairs += [(name, fields[name][turn]) for turn in range(len(fields[names[0]])) for name in names]
    return pairs


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
    return invalid(f"{name[:100]} cannot be read")
