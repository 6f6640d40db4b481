"""What is a tag: pure."""

from folkmoot.gate import Refused
from folkmoot.posts.tagged import TAG_CHARACTERS_MAX
from folkmoot.posts.text import Tag, tokens

FOLLOWED_MAX = 200
"""Home asks for the newest posts of each."""
FEATURED_MAX = 10


def clean_name(name: str) -> str:
    """The folded name of what somebody calls a tag, with or without `#`. Raises Refused 404 for what is none."""
    found = tokens("#" + name.strip().removeprefix("#")) if len(name) <= TAG_CHARACTERS_MAX else []
    if len(found) == 1 and isinstance(found[0], Tag) and len(found[0].name) <= TAG_CHARACTERS_MAX:
        return found[0].name
    raise Refused("not_found", "This is no hashtag: it has letters, digits or _.", status=404)
