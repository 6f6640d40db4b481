"""Plain text becomes safe HTML, and is counted as Mastodon counts it. Pure.

Links to this server's own pages are written under `HERE`, an origin that cannot exist (RFC 2606): a server may
move, and a post is kept longer than an address. `localised` puts the real one in.
"""

import html
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
import nh3
import regex
from linkify_it import LinkifyIt

from folkmoot.posts.model import URL_CHARACTERS
from folkmoot.storage.words import MARKS

HERE = "https://here.invalid"
_DISPLAYED_URL_CHARACTERS = 30
_ELSEWHERE = "nofollow noopener noreferrer"

ALLOWED_TAGS = frozenset({"p", "br", "a", "span"})
ALLOWED_ATTRIBUTES = {"a": {"href", "class", "rel", "target", "translate"}, "span": {"class", "translate"}}


def _links() -> Any:
    """Links are what begins with http:// or https://, and nothing else."""
    links = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    for schema in ("ftp:", "mailto:", "//"):
        links.add(schema, None)
    return links


_LINKS = _links()
_CHARACTER = regex.compile(r"\X")
_WORD = f"[\\w{MARKS}]"
# Mastodon's account and tag patterns (app/models/account.rb, tag.rb), with its left boundaries.
_NAMED = re.compile(
    r"(?<![=/\w@])@(?P<username>[a-zA-Z0-9_]+(?:[a-zA-Z0-9_.-]*[a-zA-Z0-9_])?)(?:@(?P<domain>[\w.-]+\w))?"
    rf"|(?<![=/)\w&#])#(?P<tag>(?=[\w·]*[^\W\d_]){_WORD}(?:(?:{_WORD}|·)*{_WORD})?)"
)


class Text(msgspec.Struct, frozen=True):
    text: str


class Url(msgspec.Struct, frozen=True):
    text: str
    href: str


class Mention(msgspec.Struct, frozen=True):
    """`domain` is None for somebody of this server."""

    text: str
    username: str
    domain: str | None


class Tag(msgspec.Struct, frozen=True):
    text: str
    name: str


Token = Text | Url | Mention | Tag


def tokens(source: str) -> list[Token]:
    """The text in pieces; joined, their `text`s are the source."""
    found: list[Token] = []
    end = 0
    for match in _LINKS.match(source) or []:
        found.extend(_words(source[end : match.index]))
        found.append(Url(match.raw, match.url))
        end = match.last_index
    found.extend(_words(source[end:]))
    return found


def _words(text: str) -> Iterator[Token]:
    end = 0
    for match in _NAMED.finditer(text):
        if match.start() > end:
            yield Text(text[end : match.start()])
        if match["tag"] is not None:
            yield Tag(match[0], folded_tag(match["tag"]))
        else:
            yield Mention(match[0], match["username"], match["domain"])
        end = match.end()
    if end < len(text):
        yield Text(text[end:])


def at_home(source: str, domain: str) -> str:
    """The text with accounts of this server (`domain`) named without it, as Mastodon keeps it: clients and people
    write `@ben@moot.example` here, too."""
    return "".join(
        f"@{piece.username}"
        if isinstance(piece, Mention) and (piece.domain or "").lower() == domain.lower()
        else piece.text
        for piece in tokens(source)
    )


def folded_tag(name: str) -> str:
    """Tags that differ in case or in compatibility forms are one tag."""
    return unicodedata.normalize("NFKC", name).lower()


def folded_username(username: str) -> str:
    return username.lower()


def mentioned_usernames(pieces: Collection[Token]) -> list[str]:
    """The folded names of this server's accounts that a text mentions, each once, in order."""
    return list(
        dict.fromkeys(
            folded_username(piece.username)
            for piece in pieces
            if isinstance(piece, Mention) and piece.domain is None
        )
    )


def tag_names(pieces: Collection[Token]) -> list[str]:
    return list(dict.fromkeys(piece.name for piece in pieces if isinstance(piece, Tag)))


def counted_characters(pieces: Collection[Token]) -> int:
    """The length as clients count it: a link is 23, of a remote mention the domain is free."""
    return sum(_counted(piece) for piece in pieces)


def _counted(piece: Token) -> int:
    if isinstance(piece, Url):
        return URL_CHARACTERS
    if isinstance(piece, Mention):
        return 1 + len(piece.username)
    return visible_characters(piece.text)


def visible_characters(text: str) -> int:
    """What a person calls characters (extended grapheme clusters, UAX #29), as browsers and Mastodon count them."""
    return len(text) if text.isascii() else len(_CHARACTER.findall(text))


def to_html(pieces: Collection[Token], usernames: Mapping[str, str]) -> str:
    """Safe HTML. `usernames` maps the folded names that exist to their own spelling; others stay plain text."""
    inline = _inlines(pieces, usernames, _ELSEWHERE).strip()
    if not inline:
        return ""
    paragraphs = (paragraph.replace("\n", "<br>") for paragraph in re.split(r"\n{2,}", inline))
    return sanitised("".join(f"<p>{paragraph}</p>" for paragraph in paragraphs))


def line_to_html(pieces: Collection[Token], usernames: Mapping[str, str], relation: str) -> str:
    """The same without paragraphs; `relation` is what its links say of where they lead (HTML, `rel`)."""
    return sanitised(_inlines(pieces, usernames, f"{relation} {_ELSEWHERE}"))


def sanitised(dirty: str) -> str:
    """The last step, whatever came before: only these tags, attributes and kinds of address are left."""
    return nh3.clean(
        dirty,
        tags=set(ALLOWED_TAGS),
        attributes=ALLOWED_ATTRIBUTES,
        url_schemes={"http", "https"},
        link_rel=None,
    )


def _inlines(pieces: Collection[Token], usernames: Mapping[str, str], relation: str) -> str:
    return "".join(_inline(piece, usernames, relation) for piece in pieces)


def _inline(piece: Token, usernames: Mapping[str, str], relation: str) -> str:
    if isinstance(piece, Url):
        return _link(piece, relation)
    if isinstance(piece, Tag):
        return (
            f'<a href="{HERE}/tags/{html.escape(piece.name)}" class="mention hashtag" rel="tag">'
            f"#<span>{html.escape(piece.text[1:])}</span></a>"
        )
    if isinstance(piece, Mention) and piece.domain is None:
        username = usernames.get(folded_username(piece.username))
        if username is not None:
            return (
                f'<span class="h-card" translate="no"><a href="{HERE}/@{html.escape(username)}" '
                f'class="u-url mention">@<span>{html.escape(piece.username)}</span></a></span>'
            )
    return html.escape(piece.text)


def _link(url: Url, relation: str) -> str:
    """Shown as Mastodon shows it: without the scheme and cut off; whole for copying and screen readers."""
    scheme, separator, rest = url.text.partition("://")
    shown, hidden = rest[:_DISPLAYED_URL_CHARACTERS], rest[_DISPLAYED_URL_CHARACTERS:]
    shown_class = ' class="ellipsis"' if hidden else ""
    return (
        f'<a href="{html.escape(url.href)}" target="_blank" rel="{relation}" translate="no">'
        f'<span class="invisible">{html.escape(scheme + separator)}</span>'
        f"<span{shown_class}>{html.escape(shown)}</span>"
        f'<span class="invisible">{html.escape(hidden)}</span></a>'
    )


def localised(safe_html: str, base_url: str) -> str:
    """Kept HTML with this server's address in it."""
    return safe_html.replace(f'href="{HERE}/', f'href="{base_url}/')


def plain(safe_html: str) -> str:
    """The text of kept HTML on one line, for page titles and descriptions."""
    spaced = re.sub(r"<(?:br|/p)>", " ", safe_html)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", spaced))).strip()
