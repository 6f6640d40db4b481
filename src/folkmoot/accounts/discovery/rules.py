"""By which words somebody is found. Pure."""

import re
import unicodedata

from folkmoot.accounts.rules import fold

WORD_CHARACTERS_MAX = 50
ASKED_WORDS_MAX = 5
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a text in the form in which they are compared: without case, accents, and what is no letter,
    digit or underscore. In their order, each once."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return list(dict.fromkeys(word[:WORD_CHARACTERS_MAX] for word in _WORD.findall(plain.casefold())))


def words_of_account(username: str, display_name: str) -> list[str]:
    """By which an account is found."""
    return list(dict.fromkeys([fold(username), *words(display_name)]))


def asked_words(text: str) -> list[str]:
    """What somebody looks for, the longest first: it leaves the fewest."""
    return sorted(words(text)[:ASKED_WORDS_MAX], key=len, reverse=True)
