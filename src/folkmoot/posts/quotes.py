"""Quotes: posts that show another one below their words, as far as its author lets them."""

from msgspec.structs import replace
from sqlalchemy import select, update

from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import rows_of_page
from folkmoot.gate import Acting, Refused, Visible, invalid
from folkmoot.posts import queries
from folkmoot.posts.model import FOR_ALL, Post, Quoted, QuotePolicy, QuoteState, Visibility
from folkmoot.storage.database import Read
from folkmoot.storage.events import emit
from folkmoot.storage.tables.people import follows
from folkmoot.storage.tables.posts import post_counts, posts
from folkmoot.storage.upserts import count

POST_QUOTED = "post.quoted"
"""{post, quoted, account}: the post, what it quotes, and who wrote the post."""
QUOTE_REVOKED = "post.quote_revoked"
"""{post, quoted}: the post shows no longer what it quoted."""


async def quoting(acting: Acting, post: Post, shown: Visible[Post]) -> Post:
    """A post that is being written, with its quote. What quotes a post for followers is for followers, too.

    Raises Refused: 404 when what it quotes was deleted meanwhile, 422 for what the actor may not quote.
    """
    quoted = await require_quotable(acting, shown)
    own = quoted.account_id == post.account_id
    if post.visibility is Visibility.DIRECT and not own and quoted.account_id not in post.mentions:
        raise invalid("A direct post has to mention whom it quotes")
    visibility = post.visibility
    if quoted.visibility is Visibility.FOLLOWERS and visibility in FOR_ALL:
        visibility = Visibility.FOLLOWERS
    return replace(
        post,
        visibility=visibility,
        quoted=Quoted(quoted.id, QuoteState.ACCEPTED, quoted.account_id, quoted.visibility),
    )


async def require_quotable(acting: Acting, shown: Visible[Post]) -> Post:
    """What would be quoted, of a boost what it boosts. Raises Refused: 404 when it was deleted meanwhile, 422 for
    what the actor may not quote."""
    quoted = await queries.by_id(acting.tx, shown.item.reblog_of_id or shown.item.id)
    if quoted is None:
        raise Refused("not_found", "The post that this quotes was deleted.", status=404)
    await _require_allowed(acting, quoted)
    return quoted


async def tell(acting: Acting, post: Post, quoted: Quoted) -> None:
    """Emit that a post that was just written quotes another one."""
    told = {"post": str(post.id), "quoted": str(quoted.id), "account": str(post.account_id)}
    await emit(acting.tx, POST_QUOTED, told)


async def revoke(acting: Acting, quoted_id: int, quoting_id: int) -> None:
    """Have a quote of one's own post show it no longer, for good. May be done twice.

    Raises Refused 404: not one's own post, or not quoted there.
    """
    found = {post.id: post for post in await queries.by_ids(acting.tx, [quoted_id, quoting_id])}
    own, post = found.get(quoted_id), found.get(quoting_id)
    quoted = post.quoted if post is not None else None
    if own is None or own.account_id != acting.actor_id or quoted is None or quoted.id != quoted_id:
        raise Refused("not_found", "Quote not found.", status=404)
    if quoted.state is QuoteState.REVOKED:
        return
    await acting.tx.connection.execute(
        update(posts).where(posts.c.id == quoting_id).values(quote_state=QuoteState.REVOKED.value)
    )
    if post is not None and post.visibility in FOR_ALL:
        await count(acting.tx, post_counts, quoted_id, quotes=-1)
    await emit(acting.tx, QUOTE_REVOKED, {"post": str(quoting_id), "quoted": str(quoted_id)})


async def set_policy(acting: Acting, post_id: int, policy: QuotePolicy) -> None:
    """Say who may quote one of one's own posts from now on; quotes that there are stay. Raises Refused 404."""
    own = (posts.c.id == post_id) & (posts.c.account_id == acting.actor_id) & posts.c.deleted_at_ms.is_(None)
    boostless = own & posts.c.reblog_of_id.is_(None)
    changed = await acting.tx.connection.execute(update(posts).where(boostless).values(quote_policy=policy.value))
    if changed.rowcount != 1:
        raise Refused("not_found", "Post not found.", status=404)


async def of_post(read: Read, post_id: int, page: Page) -> list[Post]:
    """The posts that quote a post and may, the last first."""
    accepted = posts.c.quote_state == QuoteState.ACCEPTED.value
    statement = select(posts.c.id).where(posts.c.quoted_id == post_id, accepted, posts.c.deleted_at_ms.is_(None))
    rows = await rows_of_page(read, statement, posts.c.id, page)
    return await queries.by_ids(read, [row.id for row in rows])


async def showing(read: Read, post_id: int, count_max: int) -> list[int]:
    """The last of the posts that show a post as their quote, or would if it were there still."""
    accepted = posts.c.quote_state == QuoteState.ACCEPTED.value
    statement = select(posts.c.id).where(posts.c.quoted_id == post_id, accepted, posts.c.deleted_at_ms.is_(None))
    found = await read.connection.execute(statement.order_by(posts.c.id.desc()).limit(count_max))
    return list(found.scalars())


async def _require_allowed(acting: Acting, quoted: Post) -> None:
    """Raises Refused 422."""
    if quoted.account_id == acting.actor_id:
        if quoted.visibility is Visibility.DIRECT or quoted.circle is not None:
            raise invalid("What is for some people only can't be quoted")
        return
    policy = quoted.quotable_by
    if policy is QuotePolicy.PUBLIC:
        return
    follow = select(follows.c.follower_id).where(
        follows.c.follower_id == acting.actor_id, follows.c.followee_id == quoted.account_id
    )
    if policy is QuotePolicy.NOBODY or (await acting.tx.connection.execute(follow)).first() is None:
        raise invalid("Its author doesn't let you quote this post")
