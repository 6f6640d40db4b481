"""Addresses of one mailbox have one canonical form; addresses of different ones keep theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.accounts.email import canonical_domain, canonical_email

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=20)
WRITTEN = st.builds("{}@{}".format, st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=30))


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Reporter@Example.ORG", "reporter@example.org"),
        ("re.por.ter+moot@GoogleMail.com", "reporter@gmail.com"),
        ("reporter@me.com", "reporter@icloud.com"),
        ("re-por_ter.+moot@pm.me", "reporter@proton.me"),
        ("re.porter+moot@outlook.com", "re.porter@outlook.com"),
        ("moot@reporter.fastmail.com", "reporter@fastmail.com"),
        ("post@BÜCHER.example", "post@xn--bcher-kva.example"),
        ("post@xn--bcher-kva.example", "post@xn--bcher-kva.example"),
        ("post@example.org.", "post@example.org"),
        ("ｐost@example.org", "post@example.org"),
        # Somebody's own domain: these may be two people.
        ("re.porter+moot@example.org", "re.porter+moot@example.org"),
        # Nothing would be left.
        ("+moot@gmail.com", "+moot@gmail.com"),
        ("...@gmail.com", "...@gmail.com"),
        # No address, and no error either.
        ("nobody", "@nobody"),
        ("a@-.example", "a@-.example"),
    ],
)
def test_one_mailbox_has_one_form(written: str, canonical: str) -> None:
    assert canonical_email(written) == canonical


@given(WRITTEN)
def test_a_canonical_form_is_its_own(written: str) -> None:
    assert canonical_email(canonical_email(written)) == canonical_email(written)


@given(WRITTEN)
def test_case_makes_no_other_mailbox(written: str) -> None:
    assert canonical_email(written.lower()) == canonical_email(written)


@given(NAMES, st.data())
def test_dots_tags_and_names_of_the_provider_are_one_mailbox(name: str, data: st.DataObject) -> None:
    dotted = "".join(one + data.draw(st.sampled_from(["", "."])) for one in name)
    tag = data.draw(st.text("abc.+-", max_size=8))
    domain = data.draw(st.sampled_from(["gmail.com", "googlemail.com", "GMAIL.com", "gmail.com."]))
    assert canonical_email(f"{dotted}+{tag}@{domain}") == f"{name}@gmail.com"


@given(NAMES, NAMES)
def test_different_people_stay_different(one: str, other: str) -> None:
    for domain in ("gmail.com", "outlook.com", "example.org"):
        assert (canonical_email(f"{one}@{domain}") == canonical_email(f"{other}@{domain}")) == (one == other)


@given(st.text(max_size=300))
def test_any_text_has_a_domain_form(text: str) -> None:
    assert canonical_domain(canonical_domain(text)) == canonical_domain(text)
