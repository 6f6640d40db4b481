"""What may be a filter, and what it finds. Pure.

Words are compared as Unicode compares them without case and without compatibility forms (UAX #15, NFKC; case
folding). A whole word ends where neither a letter, a digit, a mark nor `_` goes on. Scripts that put no spaces
between words (Chinese, Japanese, Thai, …) show no such end: there every place is one.
"""

import unicodedata
from collections.abc import Collection, Iterable

from folkmoot.accounts.rules import clean_lines
from folkmoot.gate import invalid
from folkmoot.storage.words import is_unspaced
from folkmoot.timelines.filters.model import Context, Filter, Found, Keyword, Treatment

FILTERS_MAX = 100
KEYWORDS_MAX = 1_000
"""Of all filters of somebody: each is looked for in each post of each page."""
STATUSES_MAX = 1_000
TITLE_CHARACTERS_MAX = 255
KEYWORD_CHARACTERS_MAX = 200
EXPIRES_SECONDS_MAX = 10 * 365 * 86_400


def applied(
    filters: Iterable[Filter], text: str, post_ids: Collection[int], context: Context | None, now_ms: int
) -> list[Found]:
    """What the filters that are in force find in a post of this text and these ids (its own, and of the post that
    it boosts). `context` None: wherever they are for."""
    folded = fold(text)
    found: list[Found] = []
    for one in filters:
        if not one.in_force(now_ms) or (context is not None and context not in one.contexts):
            continue
        words = tuple(keyword.keyword for keyword in one.keywords if _is_in(keyword, folded))
        posts = tuple(post_id for _, post_id in one.statuses if post_id in post_ids)
        if words or posts:
            found.append(Found(one, words, posts))
    return found


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _is_in(keyword: Keyword, folded: str) -> bool:
    wanted = fold(keyword.keyword)
    at = folded.find(wanted)
    if not keyword.whole_word:
        return at >= 0
    while at >= 0:
        end = at + len(wanted)
        if _parts(folded[at - 1 : at], wanted[:1]) and _parts(wanted[-1:], folded[end : end + 1]):
            return True
        at = folded.find(wanted, at + 1)
    return False


def _parts(before: str, after: str) -> bool:
    """Whether a word may end between two characters ("" is an end of the text)."""
    if not before or not after or not (_is_of_word(before) and _is_of_word(after)):
        return True
    if unicodedata.category(after)[0] == "M":
        return False
    return is_unspaced(before) or is_unspaced(after)


def _is_of_word(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LNM"


def clean_title(title: str) -> str:
    """Raises Refused 422."""
    clean = " ".join(clean_lines(title, "title", "A title", TITLE_CHARACTERS_MAX).split())
    if not clean:
        raise invalid("Title can't be blank")
    return clean


def clean_keyword(keyword: str) -> str:
    """Raises Refused 422."""
    clean = " ".join(clean_lines(keyword, "keyword", "A keyword", KEYWORD_CHARACTERS_MAX).split())
    if not clean:
        raise invalid("Keyword can't be blank")
    return clean


def clean_contexts(contexts: Collection[str]) -> tuple[Context, ...]:
    """In the order of the API. Raises Refused 422."""
    known = {context.value for context in Context}
    if not contexts or set(contexts) - known:
        raise invalid("Context is one or more of home, notifications, public, thread and account")
    return tuple(context for context in Context if context.value in contexts)


def treatment(text: str) -> Treatment:
    """Raises Refused 422."""
    try:
        return Treatment(text)
    except ValueError as error:
        raise invalid("Filter action is warn, hide or blur") from error


def expires_at_ms(now_ms: int, expires_in_s: int | None) -> int | None:
    """None: never. Raises Refused 422 for what is no time."""
    if expires_in_s is None:
        return None
    if not 0 <= expires_in_s <= EXPIRES_SECONDS_MAX:
        raise invalid("expires_in is a number of seconds, at most ten years")
    return now_ms + expires_in_s * 1000
