"""A profile's text as HTML. Pure."""

from functools import lru_cache
from html import escape

from linkify_it import LinkifyIt

_LINKS = LinkifyIt({}, {"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
_KEPT = 2_000  # notes, of the people who are on many pages


@lru_cache(_KEPT)
def note_html(note: str) -> str:
    """Plain text as paragraphs; only http and https addresses become links."""
    paragraphs = [part for part in note.strip().split("\n\n") if part.strip()]
    return "".join(f"<p>{_linked(part.strip()).replace(chr(10), '<br>')}</p>" for part in paragraphs)


def field_html(value: str) -> str:
    """A row of a profile's table. Its links say `me`: who is there may say the same of this profile (rel-me)."""
    return _linked(value, "me nofollow noopener noreferrer")


def _linked(text: str, relation: str = "nofollow noopener noreferrer") -> str:
    html, position = [], 0
    for match in _LINKS.match(text) or ():
        if match.schema not in ("http:", "https:"):
            continue
        html.append(escape(text[position : match.index]))
        shown = escape(match.raw)
        html.append(f'<a href="{escape(match.url)}" rel="{relation}" target="_blank">{shown}</a>')
        position = match.last_index
    html.append(escape(text[position:]))
    return "".join(html)
