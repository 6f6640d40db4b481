"""Fields of forms as documents, and what their values are."""

from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.gate import Refused
from folkmoot.surfaces.forms import as_sent, in_turn, nested, part_names


def test_lists_and_documents() -> None:
    assert nested([("a", "1"), ("ids[]", "2"), ("ids[]", "3"), ("source[privacy]", "public")]) == {
        "a": "1",
        "ids": ["2", "3"],
        "source": {"privacy": "public"},
    }


def test_documents_in_lists() -> None:
    pairs = [("f[][name]", "a"), ("f[][value]", "1"), ("f[][name]", "b"), ("f[][value]", "2"), ("g[0][x]", "3")]
    assert nested(pairs) == {
        "f": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
        "g": {"0": {"x": "3"}},
    }


def test_documents_in_lists_that_come_name_by_name() -> None:
    sent = {"f[][name]": ["a", "b"], "t": ["x"], "f[][value]": ["1", "2"], "ids[]": ["3", "4"], "s[a][][b]": ["5"]}
    assert nested(in_turn(sent)) == {
        "f": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
        "t": "x",
        "ids": ["3", "4"],
        "s": {"a": [{"b": "5"}]},
    }
    with pytest.raises(Refused):
        in_turn({"f[][name]": ["a", "b"], "f[][value]": ["1"]})


def test_documents_in_lists_that_say_different_fields_are_told_by_the_order_of_the_body() -> None:
    rows = [{"id": "1", "gone": "true"}, {"id": "2", "gone": "true"}, {"id": "3", "word": "tea"}, {"id": "4"}]
    pairs = [(f"k[][{name}]", value) for row in rows for name, value in row.items()]
    body = httpx.Request("POST", "http://x", files=[(name, (None, value)) for name, value in pairs])
    boundary = body.headers["content-type"].partition("boundary=")[2]
    order = part_names(body.read(), boundary)
    assert order == [name for name, _ in pairs]
    assert nested(in_turn(by_name(pairs), order)) == {"k": rows}
    assert part_names(body.read(), "another") == []


NAMES = st.sampled_from(["k[][id]", "k[][gone]", "k[][word]", "t", "ids[]"])


@settings(max_examples=60)
@given(st.lists(st.tuples(NAMES, st.text(max_size=3)), max_size=12))
def test_where_the_order_is_known_it_stays(pairs: list[tuple[str, str]]) -> None:
    assert in_turn(by_name(pairs), [name for name, _ in pairs]) == pairs


def by_name(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    return {name: [value for other, value in pairs if other == name] for name, _ in pairs}


@pytest.mark.parametrize("name", ["a[", "a]b", "[]", "[a]", "a[[b]]", "", "a[b"])
def test_a_name_that_only_looks_so_is_a_name(name: str) -> None:
    assert nested([(name, "1")]) == {name: "1"}


@pytest.mark.parametrize(
    "pairs",
    [
        [("a[b][c][d][e][f]", "1")],
        [("a", "1"), ("a[]", "2")],
        [("a[]", "1"), ("a[b]", "2")],
        [("a[b]", "1"), ("a[b][c]", "2")],
    ],
)
def test_contradictions_are_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(Refused):
        nested(pairs)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text("ab[]0", max_size=12), st.text(max_size=3)), max_size=12))
def test_anything_is_a_document_or_refused(pairs: list[tuple[str, str]]) -> None:
    try:
        found = nested(pairs)
    except Refused:
        return
    assert {name for name, _ in pairs if "[" not in name} <= found.keys()


class Inner(msgspec.Struct):
    seconds: int | None = None
    text: str | None = None


class Outer(msgspec.Struct):
    sure: bool | None = None
    count: int | None = None
    share: float | None = None
    text: str | None = None
    ids: list[str] | None = None
    inner: Inner | None = None
    several: list[Inner] | dict[str, Inner] | None = None
    free: Any = None


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({"sure": "0"}, {"sure": False}),
        ({"sure": "OFF"}, {"sure": False}),
        ({"sure": "on"}, {"sure": True}),
        ({"sure": 1}, {"sure": True}),
        ({"sure": ""}, {}),
        ({"count": "600"}, {"count": 600}),
        ({"count": ""}, {}),
        ({"share": "0.5"}, {"share": 0.5}),
        ({"text": 7}, {"text": "7"}),
        ({"text": ""}, {"text": ""}),
        ({"ids": [1, "2"]}, {"ids": ["1", "2"]}),
        ({"inner": {"seconds": "5", "text": 5}}, {"inner": Inner(5, "5")}),
        ({"several": {"0": {"seconds": "5"}}}, {"several": {"0": Inner(5)}}),
        ({"several": [{"seconds": "5"}]}, {"several": [Inner(5)]}),
        ({"free": "0", "unknown": "1"}, {"free": "0"}),
    ],
)
def test_values_are_cast_as_rails_does(sent: dict[str, Any], meant: dict[str, Any]) -> None:
    assert as_sent(sent, Outer) == Outer(**meant)


@pytest.mark.parametrize(
    "sent", [{"sure": "perhaps"}, {"count": "many"}, {"text": []}, {"text": 10**30}, [], "x", 1]
)
def test_what_it_cannot_be_is_refused(sent: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        as_sent(sent, Outer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda within: st.lists(within, max_size=3) | st.dictionaries(st.text(max_size=5), within, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(Outer.__struct_fields__) | st.text(max_size=5), JSON))
def test_any_document_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        read = as_sent(document, Outer)
    except msgspec.ValidationError:
        return
    assert isinstance(read, Outer)


@given(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(), st.lists(st.text(max_size=5), max_size=4))
def test_what_is_right_already_stays(sure: bool, count: int, text: str, ids: list[str]) -> None:
    whole = Outer(sure=sure, count=count, text=text, ids=ids, inner=Inner(count, text))
    assert as_sent(msgspec.to_builtins(whole), Outer) == whole
    as_text = {"sure": str(sure), "count": str(count), "inner": {"seconds": str(count)}}
    assert as_sent(as_text, Outer) == Outer(sure=sure, count=count, inner=Inner(count))
