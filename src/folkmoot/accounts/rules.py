"""What an account may be called, what may stand in a profile, and which passwords are worth having. Pure."""

import re
import unicodedata

from folkmoot.gate import Refused

USERNAME_CHARACTERS_MAX = 30
PASSWORD_CHARACTERS_MIN = 10
PASSWORD_CHARACTERS_MAX = 256
PASSWORD_DIFFERENT_CHARACTERS_MIN = 5
DISPLAY_NAME_CHARACTERS_MAX = 50
NOTE_CHARACTERS_MAX = 500
REASON_CHARACTERS_MAX = 500
EMAIL_CHARACTERS_MAX = 254

_USERNAME = re.compile(rf"[A-Za-z0-9_]{{1,{USERNAME_CHARACTERS_MAX}}}", re.ASCII)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Names under which a stranger could pose as the server, or which are addresses of something else.
RESERVED_USERNAMES = _words(
    """
    about abuse account accounts admin administrator anonymous api auth authorize everyone folkmoot help host
    hostmaster info instance login mail me media mod moderator nobody none noreply null oauth official owner
    postmaster public root rules security session settings setup sign_in sign_up signin signup spaces staff static
    support system undefined webmaster
    """
)
# Long enough, and still among the first that anybody tries. Compared without case.
COMMON_PASSWORDS = _words(
    """
    0123456789 0987654321 1029384756 1111111111 11223344556 1122334455 1234512345 123123123123 1234567890
    12345678910 123456789a 123456789q 1234567899 123456789123 12345qwert 1234qwerasdf 123qweasdzxc 147258369123
    1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc abcd123456 abcdefghij abcdefghijkl administrator
    asdfghjkl123 asdfghjkl; baseball123 basketball businessman changeme123 chocolate1 computer123 dragon12345
    football123 folkmoot123 iloveyou123 iloveyou12 iloveyou1234 letmein123 letmein1234 liverpool1 manchester
    masterpassword monkey12345 mypassword passw0rd123 password00 password01 password10 password11 password12
    password123 password1234 password12345 password21 password99 passwordpassword princess123 q1w2e3r4t5
    q1w2e3r4t5y6 qazwsxedcrfv qwe123qwe123 qwer1234qwer qwerasdfzxcv qwerty1234 qwerty12345 qwerty123456
    qwertyqwerty qwertyuiop qwertyuiop123 qwertyuiop[] secret12345 starwars123 sunshine123 superman123
    trustno1trustno1 welcome123 welcome1234 welcome12345 zaq12wsxcde3 zxcvbnm123 zxcvbnmasdf
    """
)

_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Characters that reorder the text around them: a name with one can pose as another.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_username(username: str) -> str:
    """The name as it will be shown. Raises Refused 422."""
    if not is_username(username):
        raise _wrong("username_invalid", f"A username has 1–{USERNAME_CHARACTERS_MAX} letters a–z, digits or _.")
    if fold(username) in RESERVED_USERNAMES:
        raise _wrong("username_reserved", "This username is reserved.")
    return username


def is_username(text: str) -> bool:
    """Whether an account could have this name: what could not need not be looked up."""
    return _USERNAME.fullmatch(text) is not None


def fold(username: str) -> str:
    """The form in which usernames are compared: upper and lower case are one."""
    return username.lower()


def clean_password(password: str, username: str) -> str:
    """The password in the form that is hashed (NIST SP 800-63B, 3.1.1.2: NFKC). Raises Refused 422."""
    if len(password) > PASSWORD_CHARACTERS_MAX or not _is_text(password):
        raise _wrong("password_too_long", f"A password has at most {PASSWORD_CHARACTERS_MAX} characters.")
    normal = normal_password(password)
    if len(normal) < PASSWORD_CHARACTERS_MIN:
        raise _wrong("password_too_short", f"A password has at least {PASSWORD_CHARACTERS_MIN} characters.")
    folded = normal.casefold()
    if username and fold(username) in (folded, folded[::-1], folded.rstrip("0123456789!")):
        raise _wrong("password_is_username", "The password must not be the username.")
    if folded in COMMON_PASSWORDS or len(set(folded)) < PASSWORD_DIFFERENT_CHARACTERS_MIN:
        raise _wrong("password_common", "This password is among the first that anybody would try.")
    return normal


def normal_password(password: str) -> str:
    """One form for what different keyboards and systems send for the same characters."""
    return unicodedata.normalize("NFKC", password)


def clean_display_name(name: str) -> str:
    """One visible line in NFC. Empty is allowed: clients then show the username. Raises Refused 422."""
    return clean_line(name, "display_name", "A display name", DISPLAY_NAME_CHARACTERS_MAX)


def clean_note(note: str) -> str:
    """The profile's text in NFC, line breaks kept. Raises Refused 422."""
    return clean_lines(note, "note", "The text of a profile", NOTE_CHARACTERS_MAX)


def clean_reason(reason: str) -> str:
    """Why somebody wants an account, where the owner approves them. Raises Refused 422."""
    return clean_lines(reason, "reason", "The reason", REASON_CHARACTERS_MAX)


def clean_email(email: str | None) -> str | None:
    """An address that could be one; whether mail arrives there is not asked. Raises Refused 422."""
    if not email:
        return None
    if len(email) > EMAIL_CHARACTERS_MAX or not _EMAIL.fullmatch(email) or not _is_clean(email):
        raise _wrong("email_invalid", "This is not an e-mail address.")
    return email


def clean_line(text: str, field: str, what: str, characters_max: int) -> str:
    """One line without control characters, in NFC, without outer spaces. Raises Refused 422."""
    if len(text) > characters_max * 4:  # before work that grows with the length
        raise _wrong(f"{field}_too_long", f"{what} has at most {characters_max} characters.")
    if not _is_clean(text):
        raise _wrong(f"{field}_characters", f"{what} cannot hold line breaks or control characters.")
    clean = unicodedata.normalize("NFC", text).strip()
    if len(clean) > characters_max:
        raise _wrong(f"{field}_too_long", f"{what} has at most {characters_max} characters.")
    return clean


def clean_lines(text: str, field: str, what: str, characters_max: int) -> str:
    """Lines without other control characters, in NFC. Raises Refused 422."""
    if len(text) > characters_max * 4:
        raise _wrong(f"{field}_too_long", f"{what} has at most {characters_max} characters.")
    clean = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not _is_clean(clean.replace("\n", "").replace("\t", "")):
        raise _wrong(f"{field}_characters", f"{what} cannot hold control characters.")
    if len(clean) > characters_max:
        raise _wrong(f"{field}_too_long", f"{what} has at most {characters_max} characters.")
    return clean


def _is_clean(text: str) -> bool:
    return not any(
        unicodedata.category(character) in _REFUSED_CATEGORIES or character in _REORDERING for character in text
    )


def _is_text(text: str) -> bool:
    """Whether it has a UTF-8 form: lone surrogates have none."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _wrong(code: str, sentence: str) -> Refused:
    return Refused(code, sentence, status=422)
