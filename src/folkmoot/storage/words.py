"""Words as the full-text indexes of both databases keep them, and as they are asked for. Pure.

Neither database's own way of finding words is used: SQLite's leaves a line of Chinese as one word, PostgreSQL's
depends on the locale, and the two differ. So words are found here: compatibility forms and case are folded, accents
taken off, and what is written without spaces (Chinese, Japanese, Korean, Thai and their neighbours) is kept as
overlapping pairs of characters, the last one alone. What is asked for becomes phrases of the same tokens.

Labels stand in the same index: `=` and a name, which no word can be.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

import msgspec

WORD_CHARACTERS_MAX = 100
# Of UAX #24's scripts those whose words have no spaces between them; and Korean, where what follows sticks to them.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_IN_PAIRS = _UNSPACED + "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"


def _marks() -> str:
    """Combining marks as ranges of a character class: Python's `\\w` leaves them out, and Hindi words are full of
    them."""
    ranges: list[list[int]] = []
    for point in range(0x300, 0x20000):
        if unicodedata.category(chr(point))[0] != "M":
            continue
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


MARKS = _marks()
_RUN = re.compile(f"(?P<unspaced>[{_IN_PAIRS}]+)|(?:(?![{_IN_PAIRS}])(?:[^\\W_]|[{MARKS}]))+")
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")
_ACCENTS = re.compile("[\u0300-\u036f]+")


class Phrase(msgspec.Struct, frozen=True):
    """Tokens one after the other; of the last one only its beginning, where `is_prefix`."""

    tokens: tuple[str, ...]
    is_prefix: bool = False


class Match(msgspec.Struct, frozen=True):
    """What is asked of an index: all of the first, of which there is at least one, none of the second, and one at
    least of the third, if there are any."""

    all_of: tuple[Phrase, ...]
    none_of: tuple[Phrase, ...] = ()
    one_of: tuple[Phrase, ...] = ()


def label(name: str) -> Phrase:
    """A label, to ask for."""
    return Phrase((f"={name}",))


def is_unspaced(character: str) -> bool:
    """Whether words of its script have no spaces between them."""
    return _UNSPACED_CHARACTER.match(character) is not None


def language_label(tag: str) -> str:
    """A language as it is asked for: `pt` for Portuguese wherever it is spoken."""
    return tag.partition("-")[0].lower()


def folded(text: str) -> str:
    """Without case, compatibility forms and accents."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    if plain.isascii():
        return plain
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", plain)))


def tokens(text: str) -> list[str]:
    """What an index keeps of a text, in its order."""
    found: list[str] = []
    for run in _RUN.finditer(folded(text)):
        word = run[0][:WORD_CHARACTERS_MAX]
        if run["unspaced"] is None:
            found.append(word)
        else:
            found.extend(run[0][at : at + 2] for at in range(len(run[0])))
    return found


def phrase(text: str) -> Phrase | None:
    """A text as it is asked for: its words one after the other. None where there is no word in it."""
    wanted = tokens(text)
    if not wanted:
        return None
    last = wanted[-1]
    if len(last) > 1 or not re.fullmatch(f"[{_IN_PAIRS}]", last):
        return Phrase(tuple(wanted))
    # The last character of a run is its end only where the text that is looked for ends, too.
    runs_on = len(wanted) > 1 and len(wanted[-2]) == 2 and wanted[-2][1] == last
    return Phrase(tuple(wanted[:-1])) if runs_on else Phrase(tuple(wanted), is_prefix=True)


def fts5_row(words: Iterable[str], labels: Iterable[str]) -> str:
    """The column of SQLite's index, whose tokenizer `ascii` (with `=` and `:`) splits it at the spaces alone."""
    return " ".join([*words, *(f"={name}" for name in labels)])


def tsvector_row(words: Iterable[str], labels: Iterable[str]) -> str:
    """The same as PostgreSQL's `tsvector`, in its own notation."""
    positions: dict[str, list[str]] = {}
    for position, token in enumerate([*words, *(f"={name}" for name in labels)], 1):
        positions.setdefault(token, []).append(str(position))
    return " ".join(f"'{token}':{','.join(where)}" for token, where in positions.items())


def fts5_query(match: Match) -> str:
    """For `MATCH`."""
    asked = " AND ".join(map(_fts5, match.all_of))
    if match.one_of:
        asked += f" AND ({' OR '.join(map(_fts5, match.one_of))})"
    return "".join([f"({asked})", *(f" NOT {_fts5(one)}" for one in match.none_of)])


def tsquery(match: Match) -> str:
    """For `@@`, in the notation of a `tsquery`: nothing of it is a language's."""
    either = [f"({' | '.join(map(_tsquery, match.one_of))})"] if match.one_of else []
    return " & ".join([*map(_tsquery, match.all_of), *either, *(f"!({_tsquery(one)})" for one in match.none_of)])


def _fts5(wanted: Phrase) -> str:
    return f'"{" ".join(wanted.tokens)}"{" *" if wanted.is_prefix else ""}'


def _tsquery(wanted: Phrase) -> str:
    quoted: Sequence[str] = [f"'{token}'" for token in wanted.tokens]
    return " <-> ".join([*quoted[:-1], quoted[-1] + (":*" if wanted.is_prefix else "")])
