"""Marking posts and taking marks back; each may be done twice."""

from sqlalchemy import delete, func, select

from folkmoot.gate import Acting, Refused, Visible, invalid
from folkmoot.posts import queries
from folkmoot.posts.marks.model import PINS_MAX, Mark
from folkmoot.posts.model import Post, Visibility
from folkmoot.storage.events import emit
from folkmoot.storage.tables.posts import conversation_mutes, pins, post_counts
from folkmoot.storage.upserts import count, insert_once

POST_FAVOURITED = "post.favourited"
POST_UNFAVOURITED = "post.unfavourited"


async def mark(acting: Acting, what: Mark, shown: Visible[Post]) -> None:
    """Raises Refused: 404 when the post was deleted meanwhile, 422 for a pin that can't be."""
    post = await queries.by_id(acting.tx, shown.item.id)
    if post is None:
        raise Refused("not_found", "The post was deleted.", status=404)
    if what is Mark.PIN:
        await _require_pinnable(acting, post)
    made = await insert_once(
        acting.tx, what.table, id=acting.tx.new_id(), account_id=acting.actor_id, post_id=post.id
    )
    if made and what is Mark.FAVOURITE:
        await count(acting.tx, post_counts, post.id, favourites=1)
        await emit(acting.tx, POST_FAVOURITED, {"post": str(post.id), "account": str(acting.actor_id)})


async def unmark(acting: Acting, what: Mark, post_id: int) -> None:
    """Raises nothing, also where there was no mark."""
    own = (what.table.c.account_id == acting.actor_id) & (what.table.c.post_id == post_id)
    ended = await acting.tx.connection.execute(delete(what.table).where(own))
    if ended.rowcount and what is Mark.FAVOURITE:
        await count(acting.tx, post_counts, post_id, favourites=-1)
        await emit(acting.tx, POST_UNFAVOURITED, {"post": str(post_id), "account": str(acting.actor_id)})


async def mute_conversation(acting: Acting, shown: Visible[Post]) -> None:
    """Hear no more of what is said in a post's conversation."""
    await insert_once(
        acting.tx,
        conversation_mutes,
        account_id=acting.actor_id,
        conversation_id=shown.item.conversation_id,
        created_at_ms=acting.now_ms,
    )


async def unmute_conversation(acting: Acting, conversation_id: int) -> None:
    own = conversation_mutes.c.account_id == acting.actor_id
    this = conversation_mutes.c.conversation_id == conversation_id
    await acting.tx.connection.execute(delete(conversation_mutes).where(own & this))


async def _require_pinnable(acting: Acting, post: Post) -> None:
    if post.account_id != acting.actor_id:
        raise invalid("Someone else's post cannot be pinned")
    if post.visibility is Visibility.DIRECT:
        raise invalid("Posts that are only visible to mentioned users cannot be pinned")
    others = select(func.count()).where(pins.c.account_id == acting.actor_id, pins.c.post_id != post.id)
    if (await acting.tx.connection.execute(others)).scalar_one() >= PINS_MAX:
        raise invalid("You have already pinned the maximum number of posts")
