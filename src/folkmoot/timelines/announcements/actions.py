"""Writes of announcements: by whoever runs the server, and by those who read them."""

from sqlalchemy import delete, insert, select

from folkmoot.gate import Acting, Action, Refused, invalid
from folkmoot.storage.events import emit
from folkmoot.storage.tables.reading import announcement_dismissals, announcement_reactions, announcements
from folkmoot.storage.upserts import insert_once
from folkmoot.timelines.announcements.rules import REACTIONS_MAX, clean_text, require_times

ANNOUNCEMENT_PUBLISHED = "announcement.published"
"""{announcement}"""
ANNOUNCEMENT_WITHDRAWN = "announcement.withdrawn"
"""{announcement}"""
ANNOUNCEMENT_REACTED = "announcement.reacted"
"""{announcement, name}: how many chose it is another number."""


async def publish(
    acting: Acting, text: str, *, starts_at_ms: int | None, ends_at_ms: int | None, all_day: bool
) -> int:
    """Tell everybody. Returns its id. Raises Refused 422."""
    acting.require(Action.MODERATE)
    require_times(starts_at_ms, ends_at_ms, acting.now_ms)
    announcement_id = acting.tx.new_id()
    await acting.tx.connection.execute(
        insert(announcements).values(
            id=announcement_id,
            text=clean_text(text),
            starts_at_ms=starts_at_ms,
            ends_at_ms=ends_at_ms,
            all_day=all_day,
            published_at_ms=acting.now_ms,
            updated_at_ms=acting.now_ms,
        )
    )
    await emit(acting.tx, ANNOUNCEMENT_PUBLISHED, {"announcement": str(announcement_id)})
    return announcement_id


async def withdraw(acting: Acting, announcement_id: int) -> None:
    """Take one back, with its reactions. Raises Refused 404."""
    acting.require(Action.MODERATE)
    withdrawing = delete(announcements).where(announcements.c.id == announcement_id)
    if not (await acting.tx.connection.execute(withdrawing)).rowcount:
        raise _none()
    await emit(acting.tx, ANNOUNCEMENT_WITHDRAWN, {"announcement": str(announcement_id)})


async def dismiss(acting: Acting, announcement_id: int) -> None:
    """Put one away for the actor. Raises Refused 404."""
    await _require(acting, announcement_id)
    await insert_once(
        acting.tx, announcement_dismissals, account_id=acting.actor_id, announcement_id=announcement_id
    )


async def react(acting: Acting, announcement_id: int, name: str) -> None:
    """Choose an emoji, which the caller knows to be one. Raises Refused: 404, 422 beyond `REACTIONS_MAX` different
    ones."""
    await _require(acting, announcement_id)
    table = announcement_reactions
    others = select(table.c.name).where(table.c.announcement_id == announcement_id, table.c.name != name).distinct()
    if len((await acting.tx.connection.execute(others)).all()) >= REACTIONS_MAX:
        raise invalid("Limit of different reactions reached")
    await insert_once(
        acting.tx,
        table,
        announcement_id=announcement_id,
        account_id=acting.actor_id,
        name=name,
        created_at_ms=acting.now_ms,
    )
    await _tell(acting, announcement_id, name)


async def unreact(acting: Acting, announcement_id: int, name: str) -> None:
    """Raises Refused 404 for no announcement; nothing where it wasn't chosen."""
    await _require(acting, announcement_id)
    table = announcement_reactions
    own = (table.c.announcement_id == announcement_id) & (table.c.account_id == acting.actor_id)
    await acting.tx.connection.execute(delete(table).where(own & (table.c.name == name)))
    await _tell(acting, announcement_id, name)


async def _require(acting: Acting, announcement_id: int) -> None:
    found = select(announcements.c.id).where(announcements.c.id == announcement_id)
    if (await acting.tx.connection.execute(found)).first() is None:
        raise _none()


async def _tell(acting: Acting, announcement_id: int, name: str) -> None:
    await emit(acting.tx, ANNOUNCEMENT_REACTED, {"announcement": str(announcement_id), "name": name})


def _none() -> Refused:
    return Refused("not_found", "Announcement not found.", status=404)
