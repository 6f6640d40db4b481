"""What may be announced, and what is a reaction. Pure."""

import unicodedata

from folkmoot.accounts.rules import clean_lines
from folkmoot.gate import Refused

TEXT_CHARACTERS_MAX = 5_000
SHOWN_MAX = 50
REACTIONS_MAX = 8
"""Different ones on one announcement, as in Mastodon."""
_EMOJI_CODE_POINTS_MAX = 16
_JOINING = frozenset("\u200d\ufe0e\ufe0f\u20e3")
_KEYCAPS = frozenset("0123456789#*")


def clean_text(text: str) -> str:
    """Raises Refused 422."""
    clean = clean_lines(text, "text", "An announcement", TEXT_CHARACTERS_MAX)
    if not clean:
        raise Refused("validation_failed", "An announcement says something.", status=422)
    return clean


def require_times(starts_at_ms: int | None, ends_at_ms: int | None, now_ms: int) -> None:
    """Raises Refused 422."""
    if ends_at_ms is not None and ends_at_ms <= max(now_ms, starts_at_ms or 0):
        raise Refused("validation_failed", "It ends before it begins, or has ended already.", status=422)


def is_emoji(name: str) -> bool:
    """Whether a text is one emoji or a few signs joined to one: no words (UTS #51, as far as it matters here)."""
    if not 0 < len(name) <= _EMOJI_CODE_POINTS_MAX:
        return False
    symbols = [character for character in name if unicodedata.category(character) == "So"]
    others = set(name) - set(symbols) - _JOINING
    if name[0] in _KEYCAPS and name.endswith("\u20e3"):
        return set(name[1:]) <= _JOINING
    # Skin tones are modifiers; the flags of England, Scotland and Wales are spelled with tags.
    return bool(symbols) and all(
        unicodedata.category(one) in ("Sk", "Sm", "Po") or "\U000e0020" <= one <= "\U000e007f" for one in others
    )
