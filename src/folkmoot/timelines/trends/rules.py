"""What is a trend, out of what was read. Pure: no identity but that different people are counted."""

import html
import math
import re
from collections.abc import Iterable, Sequence

from folkmoot.storage.ids import time_of
from folkmoot.timelines.trends.model import Use

PEOPLE_MIN = 2
"""One person alone is no trend."""
TRENDS_MAX = 40
POSTS_MAX = 100
USES_KEPT_MAX = 25
HALF_LIFE_MS = 86_400_000
_LINK = re.compile(r'<a href="(https?://[^"]+)" target="_blank"')  # as posts/text.py writes them


def strongest(uses: Iterable[Use], now_ms: int) -> dict[str, tuple[Use, ...]]:
    """What at least two people used, each of them counted half after a day, a quarter after two. `uses` have the
    newest first."""
    newest: dict[str, dict[int, Use]] = {}
    for use in uses:
        newest.setdefault(use.what, {}).setdefault(use.account_id, use)
    scored = sorted(
        ((sum(_weight(use.post_id, now_ms) for use in by.values()), what) for what, by in newest.items()),
        key=lambda one: (-one[0], one[1]),
    )
    shared = [what for _, what in scored if len(newest[what]) >= PEOPLE_MIN]
    return {what: tuple(newest[what].values())[:USES_KEPT_MAX] for what in shared[:TRENDS_MAX]}


def strongest_posts(marked: Iterable[tuple[int, int]], now_ms: int) -> tuple[int, ...]:
    """Ids of posts, of (id, boosts and favourites together)."""
    enough = [(id_, marks) for id_, marks in marked if marks >= PEOPLE_MIN]
    by_score = sorted(enough, key=lambda one: (-one[1] * _weight(one[0], now_ms), -one[0]))
    return tuple(id_ for id_, _ in by_score[:POSTS_MAX])


def links_in(safe_html: str) -> Sequence[str]:
    """The addresses of other places that a post links to, each once."""
    return list(dict.fromkeys(html.unescape(url) for url in _LINK.findall(safe_html)))


def _weight(post_id: int, now_ms: int) -> float:
    age_ms = max(0, now_ms - time_of(post_id))
    return math.pow(0.5, age_ms / HALF_LIFE_MS)
