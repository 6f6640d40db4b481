"""Polls as Mastodon's JSON."""

from folkmoot.gate import Visible
from folkmoot.posts.model import Mine, Post
from folkmoot.surfaces.mastodon.poll_entities import Poll, PollOption
from folkmoot.surfaces.mastodon.present import emojis, timestamp
from folkmoot.surfaces.services import Site


def poll(visible: Visible[Post], mine: Mine, now_ms: int, site: Site, *, is_own: bool) -> Poll | None:
    """The poll of a post, if it has one."""
    asked = visible.item.poll
    if asked is None:
        return None
    is_over = asked.is_over(now_ms)
    tallied = is_over or not asked.hide_totals
    return Poll(
        id=str(asked.id),
        expires_at=timestamp(asked.expires_at_ms),
        expired=is_over,
        multiple=asked.multiple,
        votes_count=sum(asked.tallies),
        voters_count=asked.voters,
        options=[
            PollOption(title=title, votes_count=votes if tallied else None)
            for title, votes in zip(asked.options, asked.tallies, strict=True)
        ],
        voted=bool(mine.votes) or is_own,
        own_votes=list(mine.votes),
        emojis=emojis(site, *asked.options),
    )
