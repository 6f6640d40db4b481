"""Plain text becomes safe HTML and keeps its words."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from folkmoot.gate import Refused
from folkmoot.posts import rules, text
from folkmoot.posts.text import ALLOWED_TAGS, HERE, counted_characters, localised, plain, to_html, tokens

NAMES = {"alice": "Alice", "bob_1": "bob_1"}
FRAGMENTS = st.sampled_from(
    [
        "@alice", "@ALICE", "@bob_1", "@nobody", "@alice@remote.example", "#Tag", "#123", "#हिन्दी", "#日本語",
        "https://example.com/a?b=1&c=2#d", "http://x.y/", "https://", "javascript:alert(1)", "//evil.example",
        "HTTPS://EXAMPLE.COM", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;", "&amp",
        "'",         "https://a.b/\"onmouseover=\"alert(1)", "data:text/html,x", "\n", "\n\n", " ", ".", ")",
        "👩‍👩‍👧", "e\u0301",
        f"{HERE}/x", f'href="{HERE}/', "<!--", "]]>", "\u202e", "\u2028",
    ]
)  # fmt: skip
SOURCES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])), st.lists(FRAGMENTS, max_size=12).map("".join)
)


class Reader(HTMLParser):
    """What a browser would find: tags, addresses, words."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self._paragraphs = 0
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "br":
            self.words += "\n"
        if tag == "p":
            self.words += "\n\n" if self._paragraphs else ""
            self._paragraphs += 1

    def handle_data(self, data: str) -> None:
        self.words += data


def rendered(source: str) -> str:
    return to_html(tokens(source), NAMES)


def accepted(source: str) -> str | None:
    try:
        return rules.clean_text(source)
    except Refused:
        return None


@given(SOURCES)
def test_pieces_make_up_the_source(source: str) -> None:
    assert "".join(piece.text for piece in tokens(source)) == source


@given(SOURCES)
@example('https://a.b/"><script>')
def test_nothing_but_what_is_allowed_comes_out(source: str) -> None:
    found = Reader(rendered(source))
    assert set(found.tags) <= ALLOWED_TAGS
    assert {name for name, _ in found.attributes} <= {"href", "class", "rel", "target", "translate"}
    for name, value in found.attributes:
        if name == "href":
            assert re.match(r"https?://", value or "", re.IGNORECASE)


@given(SOURCES)
def test_the_words_stay_what_they_were(source: str) -> None:
    clean = accepted(source)
    if clean is not None:
        assert Reader(rendered(clean)).words == re.sub(r"\n{2,}", "\n\n", clean)


@given(SOURCES)
def test_only_addresses_of_this_server_are_localised(source: str) -> None:
    markup = rendered(source)
    there = localised(markup, "https://square.example")
    before = [value for name, value in Reader(markup).attributes if name == "href"]
    after = [value for name, value in Reader(there).attributes if name == "href"]
    assert after == [re.sub(f"^{re.escape(HERE)}/", "https://square.example/", value or "") for value in before]


@given(SOURCES)
def test_counting_never_exceeds_code_points_but_for_links(source: str) -> None:
    pieces = tokens(source)
    links = sum(isinstance(piece, text.Url) for piece in pieces)
    assert 0 <= counted_characters(pieces) <= len(source) + 23 * links
    assert text.visible_characters(source) <= len(source)


@given(SOURCES, SOURCES)
def test_paragraphs_are_counted_one_by_one(one: str, other: str) -> None:
    apart = counted_characters(tokens(f"{one} \n")) + counted_characters(tokens(f" {other}"))
    assert counted_characters(tokens(f"{one} \n {other}")) == apart


@pytest.mark.parametrize("source", ["👩‍👩‍👧", "می‌خواهم", "שלום \u200fעולם", "e\u0301", "\u2067abc\u2069", "각"])
def test_joiners_and_directions_stay_as_they_were_typed(source: str) -> None:
    assert rendered(source) == f"<p>{source}</p>"


@given(st.text(alphabet="ab@.#/: \n", max_size=30))
def test_only_whom_it_names_here_loses_the_servers_name(source: str) -> None:
    kept = text.at_home(source, "a.b")
    assert kept == "".join(
        f"@{one.username}" if isinstance(one, text.Mention) and one.domain == "a.b" else one.text
        for one in text.tokens(source)
    )
    assert text.at_home(source, "elsewhere.test") == source


def test_mentions_become_links_to_profiles() -> None:
    assert localised(rendered("hi @ALICE!"), "https://square.example") == (
        '<p>hi <span class="h-card" translate="no"><a href="https://square.example/@Alice" class="u-url mention">'
        "@<span>ALICE</span></a></span>!</p>"
    )


@pytest.mark.parametrize("source", ["mail me@alice", "@nobody", "https://a.b/@alice", "@@alice", "x/@alice"])
def test_what_is_no_mention_of_somebody_here_is_no_link_to_a_profile(source: str) -> None:
    assert "u-url" not in rendered(source)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("#Tag #tag #TAG", ["tag"]),
        ("#हिन्दी #日本語 #ｆｕｌｌ", ["हिन्दी", "日本語", "full"]),
        ("#123 #a1 #_ a#b &#x27; https://a.b/#c", ["a1"]),
    ],
)
def test_tags(source: str, names: list[str]) -> None:
    assert text.tag_names(tokens(source)) == names


def test_paragraphs_and_line_breaks() -> None:
    assert rendered("a\nb\n\n\nc") == "<p>a<br>b</p><p>c</p>"
    assert plain(rendered("a & b\nc\n\nd <e>")) == "a & b c d <e>"


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("", 0),
        ("abc", 3),
        ("https://example.com/" + "x" * 300, 23),
        ("@alice@remote.example", 6),
        ("@alice", 6),
        ("e\u0301", 1),
        ("👩‍👩‍👧", 1),
        ("👍🏽", 1),
        ("🇩🇪🇫🇷", 2),
        ("a\nb", 3),
        # https://docs.joinmastodon.org/user/posting/#length: links are 23, of mentions the local part counts.
        ("https://a.b https://c.d/" + "y" * 99, 47),
        ("see https://example.com/a).", 4 + 23 + 2),
        ("@a@b.example @c", 5),
        ("@a@b.example, hi", 6),
        ("ftp://example.com", 17),
        ("mail a@b.example", 16),
        ("#tag #हिन्दी", 8),
        (":blobcat:", 9),
        ("👩🏽‍🚀🧑‍🤝‍🧑", 2),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1),
        ("1️⃣☺️", 2),
        ("각\u1100\u1161\u11a8", 2),
        ("می‌خواهم", 7),
        ("a\u200db", 2),
        ("क्षि", 1),
        ("z" + "\u0301" * 50, 1),
        ("مرحبا", 5),
    ],
)
def test_characters_are_counted_as_clients_count_them(source: str, count: int) -> None:
    assert counted_characters(tokens(source)) == count
