"""Writes of which tags somebody follows and shows on their profile; each may be done twice."""

from sqlalchemy import Table, delete, func, select

from folkmoot.gate import Acting, Refused, invalid
from folkmoot.storage.tables.reading import featured_tags, followed_tags
from folkmoot.storage.upserts import insert_once
from folkmoot.timelines.tags.rules import FEATURED_MAX, FOLLOWED_MAX


async def follow(acting: Acting, name: str) -> None:
    """Have public posts with a tag in home. Raises Refused 422 beyond `FOLLOWED_MAX`."""
    await _add(acting, followed_tags, name, FOLLOWED_MAX)


async def unfollow(acting: Acting, name: str) -> None:
    """Raises nothing, also where it wasn't followed."""
    await _remove(acting, followed_tags, name)


async def feature(acting: Acting, name: str) -> None:
    """Show a tag on one's profile. Raises Refused 422 beyond `FEATURED_MAX`."""
    await _add(acting, featured_tags, name, FEATURED_MAX)


async def unfeature(acting: Acting, name: str) -> None:
    await _remove(acting, featured_tags, name)


async def remove_featured(acting: Acting, id_: int) -> None:
    """Raises Refused 404."""
    own = (featured_tags.c.id == id_) & (featured_tags.c.account_id == acting.actor_id)
    if not (await acting.tx.connection.execute(delete(featured_tags).where(own))).rowcount:
        raise Refused("not_found", "Record not found", status=404)


async def _add(acting: Acting, table: Table, name: str, most: int) -> None:
    others = select(func.count()).where(table.c.account_id == acting.actor_id, table.c.name != name)
    if (await acting.tx.connection.execute(others)).scalar_one() >= most:
        raise invalid(f"You have reached the limit of {most}")
    await insert_once(acting.tx, table, id=acting.tx.new_id(), account_id=acting.actor_id, name=name)


async def _remove(acting: Acting, table: Table, name: str) -> None:
    own = (table.c.account_id == acting.actor_id) & (table.c.name == name)
    await acting.tx.connection.execute(delete(table).where(own))
