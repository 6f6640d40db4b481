"""What people say of themselves as HTML, with the tags, accounts and addresses in it as links, as in posts."""

from functools import lru_cache

from folkmoot.posts.text import (
    folded_username,
    line_to_html,
    localised,
    mentioned_usernames,
    to_html,
    tokens,
)

_KEPT = 2_000  # notes, of the people who are on many pages


def names_in(text: str) -> list[str]:
    """The usernames of this server that a text mentions, whether or not somebody has them."""
    return mentioned_usernames(tokens(text))


@lru_cache(_KEPT)
def note_html(note: str, mentioned: tuple[str, ...], base_url: str) -> str:
    """`mentioned`: the accounts that there are among those it names."""
    return localised(to_html(tokens(note), _spelt(mentioned)), base_url)


@lru_cache(_KEPT)
def field_html(value: str, mentioned: tuple[str, ...], base_url: str) -> str:
    """A row of a profile's table. Its links say `me`: who is there may say the same of this profile (rel-me)."""
    return localised(line_to_html(tokens(value), _spelt(mentioned), "me"), base_url)


def _spelt(mentioned: tuple[str, ...]) -> dict[str, str]:
    return {folded_username(one): one for one in mentioned}
