"""What people load before they see anything: scripts, counted as gzip makes them.

Styles are not counted, nor what a page loads when it is opened.
"""

import gzip
import re

import pytest

from folkmoot.surfaces.pages.pages import DIST

# It needs the built client.
pytestmark = pytest.mark.slow

START_BYTES_MAX = 80_000


def test_the_script_at_the_start_is_small() -> None:
    named = re.findall(r'(?:src|modulepreload"[^>]* href)="/(assets/[^"]+\.js)"', (DIST / "index.html").read_text())
    sizes = {name: len(gzip.compress((DIST / name).read_bytes())) for name in named}
    assert sizes
    assert sum(sizes.values()) <= START_BYTES_MAX, sizes
