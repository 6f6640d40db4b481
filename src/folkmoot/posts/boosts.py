"""Boosts: posts without words that show another one, with ids among the posts' own: timelines have one order."""

import msgspec
from sqlalchemy import delete, select, update

from folkmoot.gate import Acting, Refused, Visible
from folkmoot.posts import counted, queries
from folkmoot.posts.model import FOR_ALL, Post, Visibility
from folkmoot.storage.database import Read
from folkmoot.storage.events import emit, emit_each
from folkmoot.storage.tables.people import account_counts
from folkmoot.storage.tables.posts import posts
from folkmoot.storage.upserts import batches, insert_once

POST_BOOSTED = "post.boosted"
POST_UNBOOSTED = "post.unboosted"
POST_BOOSTS_ENDED = "post.boosts_ended"
"""{post, facts, boosts: [[account id, boost id], …]}: some of the boosts that went with a post that was deleted.
`facts` are what the gate knew of it, as when it is told that it was deleted."""


async def boost(acting: Acting, shown: Visible[Post], visibility: Visibility) -> Post:
    """Show a post to one's followers; the boost there is, where one did already. `shown` is no boost itself.

    Raises Refused: 404 when it was deleted meanwhile, 403 for what is not for everybody and not one's own.
    """
    post = await queries.by_id(acting.tx, shown.item.id)
    if post is None:
        raise Refused("not_found", "The post was deleted.", status=404)
    earlier = await _of(acting, post.id)
    if earlier is not None:
        return earlier
    boosted = Post(
        id=acting.tx.new_id(),
        account_id=acting.actor_id,
        visibility=_visibility(acting, post, visibility),
        source="",
        html="",
        conversation_id=post.conversation_id,
        created_at_ms=acting.now_ms,
        reblog_of_id=post.id,
        reblogged_account_id=post.account_id,
    )
    await insert_once(
        acting.tx,
        posts,
        id=boosted.id,
        account_id=boosted.account_id,
        conversation_id=boosted.conversation_id,
        visibility=boosted.visibility.value,
        source="",
        html="",
        mentions=[],
        tags=[],
        reblog_of_id=boosted.reblog_of_id,
        created_at_ms=boosted.created_at_ms,
    )
    await counted.came(acting, boosted)
    told = {"post": str(post.id), "account": str(acting.actor_id), "boost": str(boosted.id)}
    await emit(acting.tx, POST_BOOSTED, told)
    return boosted


async def showing(read: Read, post_id: int, count_max: int) -> list[int]:
    """The last boosts of a post."""
    statement = select(posts.c.id).where(posts.c.reblog_of_id == post_id)
    found = await read.connection.execute(statement.order_by(posts.c.id.desc()).limit(count_max))
    return list(found.scalars())


async def unboost(acting: Acting, post_id: int) -> None:
    """Show a post no more. Raises nothing where one didn't."""
    earlier = await _of(acting, post_id)
    if earlier is not None:
        await end(acting, earlier)


async def end(acting: Acting, boosted: Post) -> None:
    """Delete one of the actor's boosts."""
    await acting.tx.connection.execute(delete(posts).where(posts.c.id == boosted.id))
    await counted.went(acting, boosted)
    told = {"post": str(boosted.reblog_of_id), "account": str(boosted.account_id), "boost": str(boosted.id)}
    await emit(acting.tx, POST_UNBOOSTED, told)


async def end_all_of(acting: Acting, post: Post) -> None:
    """Delete all boosts of a post that is gone, whoever made them. Four statements, and one for each few hundred of
    them."""
    boosts = posts.c.reblog_of_id == post.id
    by = select(posts.c.account_id).where(boosts)
    last_was_one = account_counts.c.last_post_id.in_(select(posts.c.id).where(boosts))
    whose = await acting.tx.connection.execute(select(account_counts.c.account_id).where(last_was_one))
    last_ids = list(whose.scalars())
    await acting.tx.connection.execute(
        update(account_counts).where(account_counts.c.account_id.in_(by)).values(posts=account_counts.c.posts - 1)
    )
    gone = delete(posts).where(boosts).returning(posts.c.account_id, posts.c.id)
    ended = [(str(row.account_id), str(row.id)) for row in await acting.tx.connection.execute(gone)]
    if last_ids:
        await counted.find_last_posts(acting, account_counts.c.account_id.in_(last_ids))
    told = {"post": str(post.id), "facts": msgspec.to_builtins(post.gate_facts())}
    await emit_each(acting.tx, POST_BOOSTS_ENDED, [told | {"boosts": some} for some in batches(ended)])


def _visibility(acting: Acting, post: Post, asked: Visibility) -> Visibility:
    """One's own post for followers can be shown to them again. Raises Refused 403 for what can't be boosted."""
    own = post.account_id == acting.actor_id and post.circle is None
    if post.visibility in FOR_ALL:
        return asked if asked is not Visibility.DIRECT else Visibility.FOLLOWERS
    if own and post.visibility is Visibility.FOLLOWERS:
        return Visibility.FOLLOWERS
    raise Refused("not_permitted", "This post is not for everybody, so it can't be boosted.")


async def _of(acting: Acting, post_id: int) -> Post | None:
    own = queries.rows().where(posts.c.reblog_of_id == post_id, posts.c.account_id == acting.actor_id)
    found = await queries.found(acting.tx, (await acting.tx.connection.execute(own)).all())
    return found[0] if found else None
