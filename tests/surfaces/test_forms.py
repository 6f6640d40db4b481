"""Fields of forms as documents."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.gate import Refused
from folkmoot.surfaces.forms import nested


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
