"""Writes of custom emoji, by whoever runs the server."""

from sqlalchemy import delete, func, insert, select

from folkmoot.gate import Acting, Action, Refused
from folkmoot.posts.emojis.model import Emoji
from folkmoot.posts.emojis.rules import EMOJIS_MAX
from folkmoot.storage.discarding import discard
from folkmoot.storage.events import emit
from folkmoot.storage.tables.reading import custom_emojis

EMOJIS_CHANGED = "emojis.changed"
"""{}: processes that keep them in memory read them anew."""


async def add(acting: Acting, new: Emoji) -> None:
    """Enter an emoji whose pictures were stored; one of the same shortcode is replaced. Raises Refused 422."""
    acting.require(Action.MODERATE)
    await _forget(acting, new.shortcode)
    count = select(func.count()).select_from(custom_emojis)
    if (await acting.tx.connection.execute(count)).scalar_one() >= EMOJIS_MAX:
        raise Refused("too_many", f"There are {EMOJIS_MAX} already: remove one first.", status=422)
    await acting.tx.connection.execute(
        insert(custom_emojis).values(
            id=new.id,
            shortcode=new.shortcode,
            category=new.category,
            visible_in_picker=new.visible_in_picker,
            content_type=new.content_type,
            object_key=new.object_key,
            static_key=new.static_key,
            size_bytes=new.size_bytes,
            created_at_ms=acting.now_ms,
        )
    )
    await emit(acting.tx, EMOJIS_CHANGED, {})


async def remove(acting: Acting, shortcode: str) -> None:
    """Posts that name it show the shortcode from then on. Raises Refused 404."""
    acting.require(Action.MODERATE)
    if not await _forget(acting, shortcode):
        raise Refused("not_found", f"There is no emoji :{shortcode}:.", status=404)
    await emit(acting.tx, EMOJIS_CHANGED, {})


async def _forget(acting: Acting, shortcode: str) -> bool:
    forgetting = (
        delete(custom_emojis)
        .where(custom_emojis.c.shortcode == shortcode)
        .returning(custom_emojis.c.object_key, custom_emojis.c.static_key)
    )
    row = (await acting.tx.connection.execute(forgetting)).first()
    if row is not None:
        await discard(acting.tx, {row.object_key, row.static_key})
    return row is not None
