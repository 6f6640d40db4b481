"""Names, passwords and profile texts."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.accounts import rules
from folkmoot.gate import Refused

NAMES = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=30)


@given(NAMES)
def test_a_username_is_kept_as_written_or_reserved(name: str) -> None:
    if rules.fold(name) in rules.RESERVED_USERNAMES:
        with pytest.raises(Refused, match="reserved"):
            rules.clean_username(name)
    else:
        assert rules.clean_username(name) == name


@given(st.text(max_size=40))
def test_what_is_accepted_is_ascii_and_short(name: str) -> None:
    try:
        clean = rules.clean_username(name)
    except Refused:
        return
    assert clean.isascii()
    assert 1 <= len(clean) <= 30


@pytest.mark.parametrize("name", ["", "a b", "é", "a" * 31, "a\n", "ａ", "a-b", "ADMIN", "Oauth"])
def test_names_that_nobody_gets(name: str) -> None:
    with pytest.raises(Refused):
        rules.clean_username(name)


@given(st.text(max_size=300), NAMES)
def test_a_password_that_is_taken_has_one_form(password: str, username: str) -> None:
    try:
        clean = rules.clean_password(password, username)
    except Refused:
        return
    assert len(clean) >= rules.PASSWORD_CHARACTERS_MIN
    assert rules.normal_password(clean) == clean
    assert rules.normal_password(password) == clean
    clean.encode()


@pytest.mark.parametrize(
    "password",
    [
        "correct horse",
        "пароль-пароль",
        "ｆｕｌｌｗｉｄｔｈ-pass",
        "🦆🦢🐧🦉🦅🐦🐔🦃🦚🦜",
        " spaces count ",
        "tab\tand\nline",
    ],
)
def test_passwords_that_are_fine(password: str) -> None:
    assert rules.clean_password(password, "carol")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "ninechars",
        "Password123",
        "aaaaaaaaaaaa",
        "ababababababab",
        "caroline_is",
        "CAROLINE_IS2024",
        "x" * 257,
        "\ud800" * 12,
    ],
)
def test_passwords_that_are_not(password: str) -> None:
    with pytest.raises(Refused):
        rules.clean_password(password, "Caroline_is")


@given(st.text(max_size=80))
def test_a_display_name_is_one_visible_line(name: str) -> None:
    try:
        clean = rules.clean_display_name(name)
    except Refused:
        return
    assert len(clean) <= rules.DISPLAY_NAME_CHARACTERS_MAX
    assert len(clean.splitlines()) <= 1
    assert "\x00" not in clean
    assert rules.clean_display_name(clean) == clean


@given(st.text(max_size=600))
def test_a_note_keeps_its_lines_and_nothing_that_a_database_refuses(note: str) -> None:
    try:
        clean = rules.clean_note(note)
    except Refused:
        return
    assert len(clean) <= rules.NOTE_CHARACTERS_MAX
    assert "\x00" not in clean
    assert "\r" not in clean
    clean.encode()
    assert rules.clean_note(clean) == clean


@pytest.mark.parametrize("name", ["a\nb", "a\x00", "a\u202eb", "a\u2028b", "x" * 51, "x" * 100_000])
def test_display_names_that_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        rules.clean_display_name(name)


@pytest.mark.parametrize("email", ["a@b.test", "Ä@ö.test", None, ""])
def test_addresses_that_could_be(email: str | None) -> None:
    assert rules.clean_email(email) == (email or None)


@pytest.mark.parametrize("email", ["a", "a@b", "a b@c.test", "a@b.test\n", "@b.test", "a@b.test" + "x" * 250])
def test_addresses_that_cannot_be(email: str) -> None:
    with pytest.raises(Refused):
        rules.clean_email(email)
