"""What a viewer's filters find in the posts of a page."""

from collections.abc import Mapping, Sequence

from folkmoot.gate import Viewer, Visible
from folkmoot.posts.files.model import Media
from folkmoot.posts.model import Post
from folkmoot.posts.text import plain
from folkmoot.storage.database import Read
from folkmoot.timelines.filters import queries, rules
from folkmoot.timelines.filters.model import Context, Filter, Found


async def filtered(
    read: Read,
    viewer: Viewer,
    posts: Mapping[int, Visible[Post]],
    media: Mapping[int, list[Visible[Media]]],
    context: Context | None,
) -> dict[int, list[Found]]:
    """By the posts' ids; a boost is what it shows. One statement for who is signed in.

    `context` None: where it isn't said for which of a filter's contexts a page is, all of them.
    """
    if viewer.account_id is None or not posts:
        return {}
    return found_by(
        await queries.in_force(read, viewer.account_id, list(posts)), posts, media, context, read.now_ms
    )


def found_by(
    held: Sequence[Filter],
    posts: Mapping[int, Visible[Post]],
    media: Mapping[int, list[Visible[Media]]],
    context: Context | None,
    now_ms: int,
) -> dict[int, list[Found]]:
    """The same for filters that are at hand."""
    if not held:
        return {}
    found: dict[int, list[Found]] = {}
    for id_, one in posts.items():
        shown = posts.get(one.item.reblog_of_id or id_, one).item
        words = _text(shown, media.get(shown.id, []))
        if matches := rules.applied(held, words, {id_, shown.id}, context, now_ms):
            found[id_] = matches
    return found


def _text(post: Post, media: list[Visible[Media]]) -> str:
    """All words of a post: warning, text, the options of its poll, descriptions."""
    options = post.poll.options if post.poll is not None else ()
    return "\n".join((post.spoiler_text, plain(post.html), *options, *(one.item.description for one in media)))
