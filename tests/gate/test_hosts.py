"""Hosts by one form of their names; what is decided about the narrowest name holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.gate import Refused, Standing
from folkmoot.gate.hosts import and_above, canonical, holding_for
from folkmoot.gate.model import Sanction


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Example.ORG", "example.org"),
        (" example.org. ", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("ｅｘａｍｐｌｅ.org", "example.org"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("faß.example", "xn--fa-hia.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
    ],
)
def test_one_form(written: str, name: str) -> None:
    assert canonical(written) == name
    assert canonical(name) == name


@pytest.mark.parametrize(
    "written",
    ["", ".", "a..b", "evil.example/@x", "user@evil.example", "evil.example:80", "a b", "-a.example",
     "a" * 64 + ".b", "a." * 130 + "b", "evil\\.example", "0x7f.1", "127.1", "xn--zz.example", "\0", "\ud800"],
)  # fmt: skip
def test_what_is_no_host(written: str) -> None:
    with pytest.raises(Refused, match="no host's name"):
        canonical(written)


@given(st.text(max_size=300))
def test_any_text_is_a_name_in_one_form_or_none(text: str) -> None:
    try:
        name = canonical(text)
    except Refused:
        return
    assert canonical(name) == name
    assert next(and_above(name)) == name


def test_above() -> None:
    assert list(and_above("a.b.example")) == ["a.b.example", "b.example", "example"]
    assert list(and_above("192.0.2.1")) == ["192.0.2.1"]


@given(
    st.dictionaries(
        st.sampled_from(["a.b.example", "b.example", "example"]),
        st.lists(
            st.builds(
                Sanction,
                st.sampled_from([Standing.LIMITED, Standing.SUSPENDED, Standing.ACTIVE]),
                id=st.integers(1, 9),
                lifted_at_ms=st.none() | st.just(1),
            ),
            max_size=3,
        ),
    )
)
def test_the_narrowest_name_that_is_decided_about_holds(held: dict[str, list[Sanction]]) -> None:
    order = [Standing.SUSPENDED, Standing.LIMITED, Standing.ACTIVE]
    expected = Standing.ACTIVE
    for name in ("example", "b.example", "a.b.example"):
        in_force = [one.standing for one in held.get(name, []) if one.lifted_at_ms is None]
        if in_force:
            expected = min(in_force, key=order.index)
    assert holding_for("a.b.example", held, 5).standing is expected
