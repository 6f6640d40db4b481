"""Which posts have a tag: kept beside the posts that everybody may see, so that a tag's timeline is a range of an
index."""

from sqlalchemy import delete, insert

from folkmoot.gate import Acting
from folkmoot.posts.model import FOR_ALL, Post, Visibility
from folkmoot.storage.tables.reading import post_tags

TAG_CHARACTERS_MAX = 500
"""Folding can make a name longer than what was typed: a longer one is a link, and is listed nowhere."""


async def came(acting: Acting, post: Post) -> None:
    """Enter a post that was just written under its tags."""
    if post.visibility not in FOR_ALL:
        return
    rows = [
        {
            "name": name,
            "post_id": post.id,
            "account_id": post.account_id,
            "listed": post.visibility is Visibility.PUBLIC,
        }
        for name in post.tags
        if len(name) <= TAG_CHARACTERS_MAX
    ]
    if rows:
        await acting.tx.connection.execute(insert(post_tags), rows)


async def went(acting: Acting, post: Post) -> None:
    await acting.tx.connection.execute(delete(post_tags).where(post_tags.c.post_id == post.id))


async def changed(acting: Acting, post: Post) -> None:
    """Enter an edited post under the tags that it has now."""
    await went(acting, post)
    await came(acting, post)
