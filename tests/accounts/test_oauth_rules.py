"""Scopes, redirect addresses and PKCE."""

import base64
import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.accounts.oauth import rules
from folkmoot.accounts.oauth.model import Application, AuthorizationRequest, OAuthError

VERIFIERS = st.text(string.ascii_letters + string.digits + "-._~", min_size=43, max_size=128)
APPLICATION = Application(1, "id", b"", "App", None, ("https://app.test/cb",), "read write:statuses push")


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@given(VERIFIERS, VERIFIERS)
def test_only_the_verifier_meets_its_challenge(verifier: str, other: str) -> None:
    assert rules.meets_challenge(verifier, challenge_of(verifier))
    assert rules.meets_challenge(other, challenge_of(verifier)) is (other == verifier)
    assert not rules.meets_challenge(None, challenge_of(verifier))
    assert not rules.meets_challenge(challenge_of(verifier), challenge_of(verifier)) or len(verifier) == 43


def test_the_example_of_rfc_7636() -> None:
    assert rules.meets_challenge(
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_a_verifier_without_a_challenge_is_a_downgrade() -> None:
    assert rules.meets_challenge(None, None)
    assert not rules.meets_challenge("x" * 43, None)


@pytest.mark.parametrize(
    "address",
    [
        "https://app.test/callback?x=1",
        "http://127.0.0.1:8080/cb",
        "http://[::1]:1234/",
        "https://app.test",
        "com.example.app:/oauth",
        "icecubesapp://",
        "app.fedilab://back?x=[1]",
        rules.OUT_OF_BAND,
    ],
)
def test_addresses_that_may_be_registered(address: str) -> None:
    rules.check_redirect_uri(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/relative",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "blob:https://a.test/x",
        "file:///etc/passwd",
        "https://a.test/#fragment",
        "https://user@a.test/",
        "https://a.test\\@b.test/",
        "https://a.test/\r\nSet-Cookie: x",
        "https:///nowhere",
        "https:nowhere",
        'myapp://"><script>',
        "myapp://é",
        "https://a.test; script-src *",
        "https://" + "a" * 2000,
        "urn:ietf:wg:oauth:2.0:oob:auto",
    ],
)
def test_addresses_that_may_not(address: str) -> None:
    with pytest.raises(OAuthError):
        rules.check_redirect_uri(address)


@given(st.text(max_size=80))
def test_an_address_that_passes_is_harmless_in_a_header(address: str) -> None:
    try:
        rules.check_redirect_uri(address)
    except OAuthError:
        return
    target = rules.form_target(address)
    assert target.isascii()
    assert not set(target) & set(" ;,\"'<>\r\n")
    assert not set(address) & set('#\\"<> \r\n')


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://app.test:444/cb?x=1", "https://app.test:444"),
        ("http://[::1]:80/cb", "http:"),
        ("com.Example.app:/cb", "com.example.app:"),
    ],
)
def test_where_a_form_may_lead(address: str, target: str) -> None:
    assert rules.form_target(address) == target


@pytest.mark.parametrize(
    ("granted", "asked", "is_covered"),
    [
        ("read", "read:statuses", True),
        ("read", "read:statuses read:accounts", True),
        ("read", "write", False),
        ("read:statuses", "read", False),
        ("write:statuses", "write:statuses", True),
        ("follow", "write:follows read:blocks", True),
        ("follow", "write:statuses", False),
        ("read", "profile", True),
        ("profile", "read:accounts", False),
        ("", "read", False),
    ],
)
def test_what_a_scope_covers(granted: str, asked: str, is_covered: bool) -> None:
    assert rules.covers(granted.split(), asked) is is_covered


@given(st.lists(st.sampled_from(rules.SCOPES), min_size=1))
def test_scopes_cover_themselves_once_each(scopes: list[str]) -> None:
    clean = rules.clean_scopes(" ".join(scopes)).split()
    assert sorted(clean) == sorted(set(scopes))
    assert rules.covers(clean, " ".join(clean))


def test_scopes_default_to_reading() -> None:
    assert rules.clean_scopes(None) == rules.clean_scopes("") == rules.clean_scopes("  ") == "read"
    with pytest.raises(OAuthError, match="scope"):
        rules.clean_scopes("read admin:everything")


def test_moderating_is_within_no_other_scope() -> None:
    assert rules.covers(["admin:read"], "admin:read:reports")
    assert not rules.covers(["read", "write", "follow", "push"], "admin:read:accounts")
    assert not rules.covers(["admin:write"], "admin:read:accounts")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scopes": "write"}, "invalid_scope"),
        ({"scopes": "nonsense"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
    ],
)
def test_requests_that_go_back_with_an_error(changed: dict[str, str | None], error: str) -> None:
    good: dict[str, str | None] = {
        "response_type": "code",
        "scopes": "read:accounts write:statuses",
        "code_challenge": challenge_of("v" * 43),
        "code_challenge_method": "S256",
    }
    asked = _check(good)
    assert asked.scopes == "read:accounts write:statuses"
    with pytest.raises(OAuthError) as raised:
        _check(good | changed)
    assert raised.value.error == error


def _check(values: dict[str, str | None]) -> AuthorizationRequest:
    return rules.check_request(
        APPLICATION,
        redirect_uri="https://app.test/cb",
        response_type=values["response_type"] or "",
        scopes=values["scopes"],
        state=None,
        code_challenge=values["code_challenge"],
        code_challenge_method=values["code_challenge_method"],
    )
