"""Writes of conversations: as direct posts come and go, and as somebody reads them."""

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.gate import Acting, Refused
from folkmoot.posts.model import Post, Visibility
from folkmoot.storage.tables.posts import posts
from folkmoot.storage.tables.reading import conversations

_LOOKED_BACK_MAX = 100


async def came(acting: Acting, post: Post) -> None:
    """Have a direct post stand for its conversation with everybody whom it is for, unread but by its author."""
    if post.visibility is Visibility.DIRECT:
        await _stand(acting, post, dict.fromkeys((post.account_id, *post.mentions)))


async def changed(acting: Acting, before: Post, after: Post) -> None:
    """After a direct post was edited: it stands with those whom it names anew, and no more with whom it names no
    longer. With the others it stays as it was, also where they took the conversation off their lists."""
    if after.visibility is not Visibility.DIRECT:
        return
    await _stand(acting, after, _besides(after.mentions, before))
    await _step_back(acting, after, _besides(before.mentions, after))


def _besides(account_ids: Iterable[int], post: Post) -> list[int]:
    """Those whom a post is not for."""
    return [id_ for id_ in account_ids if id_ not in (post.account_id, *post.mentions)]


async def _stand(acting: Acting, post: Post, account_ids: Collection[int]) -> None:
    if not account_ids:
        return
    rows = [
        {
            "id": acting.tx.new_id(),
            "account_id": account_id,
            "conversation_id": post.conversation_id,
            "last_post_id": post.id,
            "unread": account_id != post.account_id,
        }
        for account_id in account_ids
    ]
    insert = (sqlite if acting.tx.is_sqlite else postgresql).insert(conversations).values(rows)
    newer = {name: insert.excluded[name] for name in ("last_post_id", "unread")}
    await acting.tx.connection.execute(
        insert.on_conflict_do_update(
            index_elements=["account_id", "conversation_id"],
            set_=newer,
            where=conversations.c.last_post_id < insert.excluded.last_post_id,
        )
    )


async def went(acting: Acting, post: Post) -> None:
    """After a direct post was deleted, have the one before it stand for the conversation, if there is one."""
    if post.visibility is not Visibility.DIRECT:
        return
    last = conversations.c.last_post_id == post.id
    sides = await acting.tx.connection.execute(select(conversations.c.account_id).where(last))
    await _step_back(acting, post, sides.scalars().all())


async def _step_back(acting: Acting, post: Post, sides: Collection[int]) -> None:
    """Have the last post before it that is for each of these stand for the conversation, where this one does."""
    last = conversations.c.last_post_id == post.id
    before = (
        select(posts.c.id, posts.c.account_id, posts.c.mentions)
        .where(
            posts.c.conversation_id == post.conversation_id,
            posts.c.visibility == Visibility.DIRECT.value,
            posts.c.deleted_at_ms.is_(None),
            posts.c.id < post.id,
        )
        .order_by(posts.c.id.desc())
        .limit(_LOOKED_BACK_MAX)
    )
    said = (await acting.tx.connection.execute(before)).all() if sides else []
    for account_id in sides:
        newest = next((row.id for row in said if account_id in (row.account_id, *row.mentions)), None)
        own = last & (conversations.c.account_id == account_id)
        change = delete(conversations) if newest is None else update(conversations).values(last_post_id=newest)
        await acting.tx.connection.execute(change.where(own))


async def mark(acting: Acting, id_: int, *, unread: bool) -> None:
    """Have one of the actor's conversations read, or unread. Raises Refused 404."""
    changed = update(conversations).values(unread=unread).where(_own(acting, id_))
    if not (await acting.tx.connection.execute(changed)).rowcount:
        raise Refused("not_found", "Conversation not found.", status=404)


async def remove(acting: Acting, id_: int) -> None:
    """Take a conversation off the actor's list, until somebody says more in it; nothing of it is deleted. Raises
    Refused 404."""
    if not (await acting.tx.connection.execute(delete(conversations).where(_own(acting, id_)))).rowcount:
        raise Refused("not_found", "Conversation not found.", status=404)


def _own(acting: Acting, id_: int) -> ColumnElement[bool]:
    return and_(conversations.c.id == id_, conversations.c.account_id == acting.actor_id)
