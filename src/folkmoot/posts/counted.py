"""What is counted when a post comes or goes: its author's posts, and the replies of what it answers."""

from sqlalchemy import ColumnElement, func, select, update

from folkmoot.gate import Acting
from folkmoot.posts.model import FOR_ALL, Post, QuoteState, Visibility
from folkmoot.storage.tables.people import account_counts
from folkmoot.storage.tables.posts import post_counts, posts
from folkmoot.storage.upserts import count


async def came(acting: Acting, post: Post) -> None:
    """Count a post that was just written. A number must not tell of what is not for everybody."""
    await _count(acting, post, 1)
    if post.visibility is not Visibility.DIRECT:
        await acting.tx.connection.execute(
            update(account_counts)
            .where(account_counts.c.account_id == post.account_id)
            .values(last_post_id=post.id)
        )


async def went(acting: Acting, post: Post) -> None:
    """Count it no more, after it was deleted."""
    await _count(acting, post, -1)
    await find_last_posts(acting, account_counts.c.last_post_id == post.id)


async def find_last_posts(acting: Acting, whose: ColumnElement[bool]) -> None:
    """Look up anew the last posts of accounts whose last one is gone. One probe of an index each."""
    last = (
        select(func.max(posts.c.id))
        .where(
            posts.c.account_id == account_counts.c.account_id,
            posts.c.deleted_at_ms.is_(None),
            posts.c.visibility != Visibility.DIRECT.value,
        )
        .scalar_subquery()
    )
    await acting.tx.connection.execute(update(account_counts).where(whose).values(last_post_id=last))


async def _count(acting: Acting, post: Post, by: int) -> None:
    if post.visibility is not Visibility.DIRECT:
        await count(acting.tx, account_counts, post.account_id, posts=by)
    if post.visibility not in FOR_ALL:
        return
    if post.in_reply_to_id is not None:
        await count(acting.tx, post_counts, post.in_reply_to_id, replies=by)
    if post.reblog_of_id is not None:
        await count(acting.tx, post_counts, post.reblog_of_id, reblogs=by)
    if post.quoted is not None and post.quoted.state is QuoteState.ACCEPTED:
        await count(acting.tx, post_counts, post.quoted.id, quotes=by)
