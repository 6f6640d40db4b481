"""What a shortcode is, and where one stands in a text. Pure."""

import re

from folkmoot.gate import Refused

FILE_BYTES_MAX = 256 * 1024
EMOJIS_MAX = 2_000
CATEGORY_CHARACTERS_MAX = 100
_SHORTCODE = re.compile(r"[A-Za-z0-9_]{2,64}", re.ASCII)
# As Mastodon looks for them (app/models/custom_emoji.rb): no letter, digit or colon at either side.
_IN_TEXT = re.compile(r"(?<![^\W_]|:):([A-Za-z0-9_]{2,64}):(?![^\W_]|:)")


def shortcodes_in(text: str) -> list[str]:
    """Each shortcode that a text names, in order, whether there is such an emoji or not."""
    return _IN_TEXT.findall(text) if ":" in text else []


def clean_shortcode(text: str) -> str:
    """A shortcode as the operator writes it, with or without colons. Raises Refused 422."""
    name = text.strip(":")
    if _SHORTCODE.fullmatch(name) is None:
        raise Refused("shortcode_invalid", "A shortcode has 2–64 letters a–z, digits or _.", status=422)
    return name
