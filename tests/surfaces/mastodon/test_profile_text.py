"""What people say of themselves, as HTML."""

import re

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.surfaces.mastodon.profile_text import field_html, names_in, note_html

BASE = "https://moot.test"


@given(st.text(alphabet="<>\"'&ahtps:/.#@\n ", max_size=60))
def test_neither_notes_nor_fields_can_hold_markup(source: str) -> None:
    allowed = r'</?(p|br|span|a)( (href="https?://[^"<>]*"|[a-z]+="[a-z -]*"))*>'
    for html in (note_html(source, ("a",), BASE), field_html(source, ("a",), BASE)):
        left = re.sub(allowed, "", html)
        assert "<" not in left
        assert ">" not in left


def test_tags_accounts_and_addresses_are_links() -> None:
    html = note_html("Hi & welcome\n#Birds with @ROBIN, not @nobody\n\nhttps://a.test/?x=1&y=2", ("Robin",), BASE)
    assert "<p>Hi &amp; welcome<br>" in html
    assert f'<a href="{BASE}/tags/birds" class="mention hashtag" rel="tag">#<span>Birds</span></a>' in html
    assert f'<a href="{BASE}/@Robin" class="u-url mention">@<span>ROBIN</span></a>' in html
    assert ", not @nobody</p>" in html
    assert '<a href="https://a.test/?x=1&amp;y=2" target="_blank" rel="nofollow noopener noreferrer"' in html
    assert note_html("", (), BASE) == ""
    assert names_in("@Robin @a@elsewhere.test @robin") == ["robin"]


def test_links_of_fields_say_me() -> None:
    html = field_html("https://a.test #x", (), BASE)
    assert html.startswith('<a href="https://a.test" target="_blank" rel="me nofollow noopener noreferrer"')
    assert f'href="{BASE}/tags/x"' in html
    assert "<p>" not in html
